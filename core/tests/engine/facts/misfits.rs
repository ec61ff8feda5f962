//! What does not fit a state: whoever replays a log asks before each change.

use std::sync::Arc;

use tidegate_core::{
    HookIx, JobId, LaunchIx, OwnerId, ServerIx, Timestamp, WaveIx,
    engine::{
        Change, Counter, Hold, HoldCause, HookOutcome, LaunchState, Misfit, Reason, ServerState,
        WaveState,
    },
    plan::{DraftWave, HookPhase, PlanDraft, Target},
};

use crate::{
    drafts::{hook, plan, tagged, wave},
    run::{BEGINNING, Run, pause, proceed},
};

const W0: WaveIx = WaveIx(0);
const W1: WaveIx = WaveIx(1);
const FAR: WaveIx = WaveIx(2);

#[test]
fn every_change_names_a_wave_of_the_plan() {
    let run = Run::started(&two());
    for change in of_a_wave(FAR) {
        assert_eq!(
            run.execution.fits(&change),
            Err(Misfit::NoWave(FAR)),
            "{change:?}"
        );
    }
}

#[test]
fn a_hold_is_placed_once_and_lifted_where_it_is() {
    let mut run = Run::started(&two());
    let cause = HoldCause::Operator;
    assert_eq!(misfit(&run, lifted(cause)), Misfit::NotHeld(cause));
    run.hear(pause());
    assert_eq!(misfit(&run, placed(cause)), Misfit::HeldBefore(cause));
    assert_eq!(run.execution.fits(&lifted(cause)), Ok(()));
    let cause = HoldCause::Hook(W0);
    assert_eq!(run.execution.fits(&placed(cause)), Ok(()));
}

#[test]
fn a_hook_that_starts_is_in_the_plan_and_its_runs_are_counted() {
    let run = Run::started(&two());
    let counter = Counter::HookRuns(W0, HookPhase::PreWave, HookIx(0));
    assert_eq!(run.execution.fits(&started(0, 2)), Ok(()));
    assert_eq!(misfit(&run, started(0, 1)), counted(counter, 1, 1));
    assert_eq!(
        misfit(&run, started(0, u32::MAX)),
        counted(counter, 1, u32::MAX.into())
    );
    let none = Misfit::NoHook(W0, HookPhase::PreWave, HookIx(1));
    assert_eq!(misfit(&run, started(1, 1)), none);
}

#[test]
fn a_hook_ends_only_while_it_runs() {
    let mut run = Run::started(&two());
    assert_eq!(run.execution.fits(&ended()), Ok(()));
    run.verdict(0, proceed());
    assert_eq!(misfit(&run, ended()), Misfit::NoHookRuns(W0));
}

#[test]
fn servers_are_selected_once_because_launches_name_their_positions() {
    let mut run = Run::started(&two());
    let selected = |servers: Vec<_>| Change::ServersSelected { wave: W1, servers };
    assert_eq!(run.execution.fits(&selected(vec![])), Ok(()));
    let one = run.selection(1, &[8]).remove(0);
    assert_eq!(
        misfit(&run, selected(vec![one; 65_536])),
        Misfit::TooMany(W1)
    );
    run.select(1, &[7]);
    assert_eq!(misfit(&run, selected(vec![])), Misfit::SelectedBefore(W1));
    let again = Change::SelectionStarted { wave: W1 };
    assert_eq!(misfit(&run, again), Misfit::SelectedBefore(W1));
}

#[test]
fn a_launch_and_what_moves_in_it_are_there() {
    let mut run = Run::started(&two());
    run.select(1, &[7]);
    let none = Misfit::NoServer(W1, ServerIx(1));
    assert_eq!(misfit(&run, queued(1)), none);
    assert_eq!(misfit(&run, server_moved(1)), none);
    assert_eq!(misfit(&run, warned(1)), none);
    assert_eq!(run.execution.fits(&queued(0)), Ok(()));
    let moved = launch_moved(1, LaunchState::Refused);
    assert_eq!(misfit(&run, moved), Misfit::NoLaunch(W1, LaunchIx(1)));
}

#[test]
fn the_attempts_of_a_launch_go_on_until_drs_has_taken_it() {
    let mut run = Run::started(&two());
    run.select(1, &[7]);
    let asked = |attempt| launch_moved(0, LaunchState::Queued { attempt });
    let counter = Counter::LaunchAttempts(W1, LaunchIx(0));
    assert_eq!(run.execution.fits(&asked(1)), Ok(()));
    assert_eq!(run.execution.fits(&asked(2)), Ok(()));
    assert_eq!(misfit(&run, asked(3)), counted(counter, 1, 3));
    assert_eq!(misfit(&run, asked(0)), counted(counter, 1, 0));
    run.accept(1, 0);
    let taken = Misfit::AskedAfterTaken(W1, LaunchIx(0));
    assert_eq!(misfit(&run, asked(1)), taken);
    let job = JobId::from("job-1-0");
    let ended = launch_moved(0, LaunchState::Ended { job });
    assert_eq!(run.execution.fits(&ended), Ok(()));
}

#[test]
fn owners_and_attempts_are_counted() {
    let mut run = Run::started(&two());
    let owner = |epoch| Change::OwnerChanged {
        epoch,
        owner: OwnerId::from("b"),
    };
    assert_eq!(run.execution.fits(&owner(1)), Ok(()));
    run.owner("a");
    assert_eq!(misfit(&run, owner(1)), counted(Counter::Owners, 1, 1));
    let attempt = |attempt| Change::AttemptStarted { wave: W1, attempt };
    let counter = Counter::WaveAttempts(W1);
    assert_eq!(run.execution.fits(&attempt(1)), Ok(()));
    assert_eq!(misfit(&run, attempt(2)), counted(counter, 0, 2));
}

#[test]
fn a_misfit_says_in_words_what_does_not_fit() {
    let run = Run::started(&two());
    let told = |change| misfit(&run, change).to_string();
    assert_eq!(told(server_moved(1)), "wave 1 has no server 1");
    assert_eq!(told(started(1, 1)), "wave 0 has no check hook 1");
    assert_eq!(
        told(started(0, 5)),
        "the runs of check hook 0 of wave 0 stood at 1, and it says 5"
    );
}

/// `checked` runs a hook before its launch, `tagged` looks its servers up.
fn two() -> PlanDraft {
    let checked = DraftWave {
        check: vec![hook("smoke")],
        ..wave("checked", &[], &[1])
    };
    plan(vec![checked, tagged("tagged", &[], "web")])
}

fn misfit(run: &Run, change: Change) -> Misfit {
    let fits = run.execution.fits(&change);
    fits.expect_err("it does not fit")
}

fn counted(of: Counter, stood: u64, found: u64) -> Misfit {
    Misfit::Miscounted { of, stood, found }
}

/// A change of each kind that names a wave.
fn of_a_wave(wave: WaveIx) -> Vec<Change> {
    let reason = Reason::none();
    let target = Arc::new(any_target());
    let mut changes = vec![
        Change::WaveMoved {
            wave,
            to: WaveState::Failed,
            reason,
        },
        Change::GateOpened { wave },
        Change::SelectionStarted { wave },
        Change::ServersSelected {
            wave,
            servers: vec![],
        },
        Change::AttemptStarted { wave, attempt: 1 },
        Change::RetryScheduled {
            wave,
            at: BEGINNING,
        },
        Change::LaunchIntended {
            wave,
            target,
            servers: vec![],
        },
    ];
    let others = [
        started(0, 1),
        ended(),
        queued(0),
        launch_moved(0, LaunchState::Refused),
        server_moved(0),
        warned(0),
    ];
    changes.extend(others.map(|change| elsewhere(change, wave)));
    let causes = [
        HoldCause::Planned(wave),
        HoldCause::Approval(wave),
        HoldCause::WaveFailed(wave),
        HoldCause::Hook(wave),
    ];
    changes.extend(causes.map(placed));
    changes
}

fn any_target() -> Target {
    let run = Run::new(&two());
    run.execution.plan().wave(W0).groups[0].target.clone()
}

fn elsewhere(mut change: Change, to: WaveIx) -> Change {
    if let Change::HookStarted { wave, .. }
    | Change::HookEnded { wave, .. }
    | Change::LaunchQueued { wave, .. }
    | Change::LaunchMoved { wave, .. }
    | Change::ServerMoved { wave, .. }
    | Change::ServerWarned { wave, .. } = &mut change
    {
        *wave = to;
    }
    change
}

fn placed(cause: HoldCause) -> Change {
    let detail = "".into();
    Change::HoldPlaced(Hold { cause, detail })
}

fn lifted(cause: HoldCause) -> Change {
    let detail = "".into();
    Change::HoldLifted(Hold { cause, detail })
}

fn started(hook: u16, attempt: u32) -> Change {
    Change::HookStarted {
        wave: W0,
        phase: HookPhase::PreWave,
        hook: HookIx(hook),
        attempt,
    }
}

fn ended() -> Change {
    Change::HookEnded {
        wave: W0,
        outcome: HookOutcome::Retry {
            at: Timestamp::default(),
        },
        message: "".into(),
        evidence: Arc::default(),
    }
}

fn queued(server: u16) -> Change {
    Change::LaunchQueued {
        wave: W1,
        target: Arc::new(any_target()),
        servers: vec![ServerIx(server)],
    }
}

fn launch_moved(launch: u16, to: LaunchState) -> Change {
    Change::LaunchMoved {
        wave: W1,
        launch: LaunchIx(launch),
        to,
        reason: Reason::none(),
    }
}

fn server_moved(server: u16) -> Change {
    Change::ServerMoved {
        wave: W1,
        server: ServerIx(server),
        to: ServerState::Launched,
        instance: None,
        reason: Reason::none(),
    }
}

fn warned(server: u16) -> Change {
    Change::ServerWarned {
        wave: W1,
        server: ServerIx(server),
        warning: "".into(),
    }
}
