//! Findings of small logs.

use tidegate_core::engine::{Hold, HookEvidence, Reason};

use super::*;

fn record(revision: u64, millis: u64, changes: Vec<Change>) -> RecordView {
    RecordView {
        revision,
        at: Timestamp::from_millis(millis),
        first_index: 2,
        changes,
        request_id: String::new(),
        previous_hash: String::new(),
        origin: None,
    }
}

fn moved(to: WaveState) -> Change {
    Change::WaveMoved {
        wave: WaveIx(0),
        to,
        reason: Reason::none(),
    }
}

fn attempt(number: u32) -> Change {
    Change::AttemptStarted {
        wave: WaveIx(0),
        attempt: number,
    }
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[test]
fn a_wave_has_an_attempt_for_each_time_that_it_launches() {
    let mut journey = Journey::default();
    let mut found = Vec::new();
    for record in [
        record(1, 10, vec![moved(WaveState::Checking)]),
        record(2, 20, vec![moved(WaveState::Launching), attempt(1)]),
        record(3, 30, vec![attempt(2)]),
        record(4, 40, vec![moved(WaveState::Failed)]),
        record(5, 50, vec![moved(WaveState::Launching), attempt(3)]),
        record(6, 60, vec![moved(WaveState::Succeeded)]),
    ] {
        found.extend(journey.take(&record));
    }
    let ended = |number, from, state| Finding::Attempt {
        wave: WaveIx(0),
        attempt: number,
        from: at(from),
        state,
    };
    let wanted = [
        Finding::Started,
        ended(1, 10, None),
        ended(2, 30, Some(WaveState::Failed)),
        ended(3, 50, Some(WaveState::Succeeded)),
        Finding::Reached,
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_hook_is_found_when_it_has_ended_with_its_own_command() {
    let mut journey = Journey::default();
    let (wave, phase, hook) = (WaveIx(0), HookPhase::PreWave, HookIx(1));
    let started = Change::HookStarted {
        wave,
        phase,
        hook,
        attempt: 2,
    };
    let ended = Change::HookEnded {
        wave,
        outcome: HookOutcome::Proceed,
        message: "open".into(),
        evidence: Arc::new(HookEvidence::default()),
    };
    journey.take(&record(1, 5, vec![moved(WaveState::Checking)]));
    let begun = journey.take(&record(2, 10, vec![started]));
    assert_eq!(begun, [Finding::Retried(Retried::Hook)]);
    let found = journey.take(&record(3, 30, vec![ended]));
    let wanted = Finding::Hook {
        command: CommandId::Hook {
            wave,
            phase,
            hook,
            attempt: 2,
        },
        attempt: 1,
        from: at(10),
        outcome: HookOutcome::Proceed,
        message: "open".into(),
    };
    assert_eq!(found, [wanted]);
}

#[test]
fn a_launch_is_found_with_the_time_that_it_queued() {
    let mut journey = Journey::default();
    let target = Arc::new(Target {
        account: "1".to_owned(),
        region: "r".to_owned(),
        role: None,
    });
    let to = |to| Change::LaunchMoved {
        wave: WaveIx(0),
        launch: LaunchIx(0),
        to,
        reason: Reason::none(),
    };
    let queued = Change::LaunchQueued {
        wave: WaveIx(0),
        target: Arc::clone(&target),
        servers: Vec::new(),
    };
    journey.take(&record(1, 10, vec![attempt(1), queued]));
    let asked = journey.take(&record(2, 40, vec![to(LaunchState::Asking { attempt: 1 })]));
    assert!(asked.contains(&Finding::Admitted(Span::from_millis(30))));
    let job = tidegate_core::JobId::from("j");
    let ended = LaunchState::Ended { job };
    let found = journey.take(&record(3, 90, vec![to(ended.clone())]));
    let wanted = Finding::Launch {
        wave: WaveIx(0),
        launch: LaunchIx(0),
        attempt: 1,
        target,
        from: at(10),
        state: ended,
    };
    assert_eq!(found.last(), Some(&wanted));
    assert!(journey.launches.is_empty());
}

#[test]
fn what_is_open_ends_with_the_execution() {
    let mut journey = Journey::default();
    let hold = Hold {
        cause: HoldCause::Operator,
        detail: "".into(),
    };
    let changes = vec![moved(WaveState::Gated), Change::HoldPlaced(hold)];
    journey.take(&record(1, 10, changes));
    let over = Change::ExecutionMoved {
        to: ExecutionState::Cancelled,
        reason: Reason::none(),
    };
    let found = journey.take(&record(2, 20, vec![over]));
    let wanted = [
        Finding::Hold {
            cause: HoldCause::Operator,
            change: 3,
            from: at(10),
        },
        Finding::Attempt {
            wave: WaveIx(0),
            attempt: 1,
            from: at(10),
            state: Some(WaveState::Cancelled),
        },
        Finding::Ended(ExecutionState::Cancelled),
    ];
    assert_eq!(found, wanted);
}
