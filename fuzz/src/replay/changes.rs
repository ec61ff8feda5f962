//! Changes that choices describe. Most name what is there and count on from
//! where it stands, so that logs become long; the others name anything.

use std::sync::Arc;

use tidegate_core::{
    HookIx, InstanceId, JobId, LaunchIx, OwnerId, ServerIx, Timestamp, WaveIx,
    engine::{
        Change, Closing, Execution, ExecutionState, Hold, HoldCause, HookOutcome, LaunchState,
        Reason, ReasonCode, ServerState, WaveRun, WaveState,
    },
    plan::{HookFailureKind, HookPhase},
};

use crate::{choices::Choices, engine::events};

const EXECUTION_STATES: [ExecutionState; 9] = [
    ExecutionState::Running,
    ExecutionState::Pending,
    ExecutionState::Pausing,
    ExecutionState::Paused,
    ExecutionState::Cancelling,
    ExecutionState::Cancelled,
    ExecutionState::Succeeded,
    ExecutionState::SucceededWithWarnings,
    ExecutionState::Failed,
];
const WAVE_STATES: [WaveState; 11] = [
    WaveState::Checking,
    WaveState::Launching,
    WaveState::Recovering,
    WaveState::Verifying,
    WaveState::Failed,
    WaveState::Succeeded,
    WaveState::SucceededWithWarnings,
    WaveState::Skipped,
    WaveState::Cancelled,
    WaveState::Gated,
    WaveState::Waiting,
];
const REASONS: [ReasonCode; 7] = [
    ReasonCode::None,
    ReasonCode::NoTrace,
    ReasonCode::Timeout,
    ReasonCode::Hook,
    ReasonCode::Quota,
    ReasonCode::Operator,
    ReasonCode::AnswerLost,
];

/// Any change; the first is that a wave moves on.
pub(super) fn any(execution: &Execution, now: Timestamp, choices: &mut Choices<'_>) -> Change {
    let wave = wave(execution, choices);
    match choices.byte() % 20 {
        0 | 1 => Change::WaveMoved {
            wave,
            to: choices.one_of(&WAVE_STATES),
            reason: reason(choices),
        },
        2 => Change::ExecutionMoved {
            to: choices.one_of(&EXECUTION_STATES),
            reason: reason(choices),
        },
        3 => Change::OwnerChanged {
            epoch: counted(execution.epoch(), choices),
            owner: OwnerId::from("owner"),
        },
        4 => Change::Closing {
            to: choices.one_of(&[Closing::Stop, Closing::Timeout, Closing::Cancel]),
            reason: reason(choices),
        },
        5 => Change::HoldPlaced(hold(wave, choices)),
        6 => {
            let there = choices.pick(execution.holds()).cloned();
            Change::HoldLifted(there.unwrap_or_else(|| hold(wave, choices)))
        }
        7 => Change::GateOpened { wave },
        8 => Change::SelectionStarted { wave },
        9 | 10 => Change::ServersSelected {
            wave,
            servers: events::servers(choices, &events::target_of(wave)),
        },
        11 => Change::AttemptStarted {
            wave,
            attempt: counted32(run(execution, wave).map_or(0, |run| run.attempt()), choices),
        },
        12 => Change::RetryScheduled {
            wave,
            at: time(now, choices),
        },
        13 | 14 => hook(execution, wave, now, choices),
        15 | 16 => launch(execution, wave, choices),
        17 | 18 => launch_moved(execution, wave, now, choices),
        _ => server(execution, wave, choices),
    }
}

fn wave(execution: &Execution, choices: &mut Choices<'_>) -> WaveIx {
    WaveIx(position(execution.plan().waves().len(), choices))
}

/// Mostly one of so many.
fn position(count: usize, choices: &mut Choices<'_>) -> u16 {
    match choices.byte() {
        u8::MAX => u16::MAX,
        byte @ 248..=254 => u16::from(byte - 248),
        byte => {
            let one = usize::from(byte).checked_rem(count);
            one.and_then(|one| u16::try_from(one).ok()).unwrap_or(0)
        }
    }
}

fn run(execution: &Execution, wave: WaveIx) -> Option<&WaveRun> {
    execution.waves().nth(wave.index())
}

/// Mostly the next.
fn counted(stood: u64, choices: &mut Choices<'_>) -> u64 {
    match choices.byte() {
        u8::MAX => u64::MAX,
        byte @ 250..=254 => u64::from(byte - 250),
        _ => stood.saturating_add(1),
    }
}

fn counted32(stood: u32, choices: &mut Choices<'_>) -> u32 {
    u32::try_from(counted(stood.into(), choices)).unwrap_or(u32::MAX)
}

fn time(now: Timestamp, choices: &mut Choices<'_>) -> Timestamp {
    match choices.byte() {
        u8::MAX => Timestamp::from_millis(u64::MAX),
        254 => Timestamp::default(),
        byte => Timestamp::from_millis(now.as_millis() + 250 * u64::from(byte)),
    }
}

fn reason(choices: &mut Choices<'_>) -> Reason {
    Reason::of(choices.one_of(&REASONS))
}

fn hold(wave: WaveIx, choices: &mut Choices<'_>) -> Hold {
    Hold {
        cause: choices.one_of(&[
            HoldCause::Operator,
            HoldCause::Planned(wave),
            HoldCause::Approval(wave),
            HoldCause::WaveFailed(wave),
            HoldCause::Hook(wave),
        ]),
        detail: Arc::from(""),
    }
}

fn hook(execution: &Execution, wave: WaveIx, now: Timestamp, choices: &mut Choices<'_>) -> Change {
    if choices.chance(128) {
        return Change::HookEnded {
            wave,
            outcome: outcome(now, choices),
            message: Arc::from(""),
            evidence: Arc::default(),
        };
    }
    let phase = choices.one_of(&[HookPhase::PreWave, HookPhase::PostWave]);
    let planned = execution.plan().waves().get(wave.index());
    let hook = HookIx(position(
        planned.map_or(0, |planned| planned.hooks(phase).len()),
        choices,
    ));
    let before = run(execution, wave).and_then(|run| run.hook_run(phase, hook));
    Change::HookStarted {
        wave,
        phase,
        hook,
        attempt: counted32(before.map_or(0, |run| run.attempt), choices),
    }
}

fn outcome(now: Timestamp, choices: &mut Choices<'_>) -> HookOutcome {
    match choices.byte() % 8 {
        0 => HookOutcome::Proceed,
        1 => HookOutcome::Retry {
            at: time(now, choices),
        },
        2 => HookOutcome::Hold,
        3 => HookOutcome::Skip,
        4 => HookOutcome::Abort,
        5 => HookOutcome::Dropped,
        6 => HookOutcome::Failed {
            kind: choices.one_of(&HookFailureKind::ALL),
        },
        _ => HookOutcome::Waived {
            kind: choices.one_of(&HookFailureKind::ALL),
        },
    }
}

fn launch(execution: &Execution, wave: WaveIx, choices: &mut Choices<'_>) -> Change {
    let count = run(execution, wave).map_or(0, |run| run.servers().len());
    let servers = (0..choices.byte() % 4).map(|_| ServerIx(position(count, choices)));
    let servers = servers.collect();
    let target = events::target_of(wave);
    if choices.chance(80) {
        Change::LaunchIntended {
            wave,
            target,
            servers,
        }
    } else {
        Change::LaunchQueued {
            wave,
            target,
            servers,
        }
    }
}

fn launch_moved(
    execution: &Execution,
    wave: WaveIx,
    now: Timestamp,
    choices: &mut Choices<'_>,
) -> Change {
    let run = run(execution, wave);
    let launch = LaunchIx(position(run.map_or(0, |run| run.launches().len()), choices));
    let before = run.and_then(|run| run.launch(launch));
    let stood = before.map_or(0, |launch| match launch.state {
        LaunchState::Queued { attempt }
        | LaunchState::Asking { attempt }
        | LaunchState::Reconciling { attempt }
        | LaunchState::Deferred { attempt, .. } => attempt,
        LaunchState::Running { .. }
        | LaunchState::Ended { .. }
        | LaunchState::Refused
        | LaunchState::Abandoned => 0,
    });
    let attempt = if choices.chance(128) {
        counted32(stood, choices)
    } else {
        stood
    };
    let job = JobId::new(format!("job-{}", choices.byte() % 3));
    let to = match choices.byte() % 8 {
        0 => LaunchState::Asking { attempt },
        1 => LaunchState::Running { job },
        2 => LaunchState::Ended { job },
        3 => LaunchState::Reconciling { attempt },
        4 => LaunchState::Deferred {
            attempt,
            until: time(now, choices),
        },
        5 => LaunchState::Queued { attempt },
        6 => LaunchState::Refused,
        _ => LaunchState::Abandoned,
    };
    Change::LaunchMoved {
        wave,
        launch,
        to,
        reason: reason(choices),
    }
}

fn server(execution: &Execution, wave: WaveIx, choices: &mut Choices<'_>) -> Change {
    let count = run(execution, wave).map_or(0, |run| run.servers().len());
    let server = ServerIx(position(count, choices));
    if choices.chance(40) {
        return Change::ServerWarned {
            wave,
            server,
            warning: Arc::from("USING_PREVIOUS_SNAPSHOT"),
        };
    }
    Change::ServerMoved {
        wave,
        server,
        to: choices.one_of(&[
            ServerState::Launched,
            ServerState::Failed,
            ServerState::Requested,
            ServerState::Pending,
            ServerState::Snapshot,
            ServerState::Conversion,
            ServerState::Launch,
            ServerState::Terminated,
            ServerState::Skipped,
        ]),
        instance: choices.chance(80).then(|| InstanceId::from("i-1")),
        reason: reason(choices),
    }
}
