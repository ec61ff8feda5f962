//! Closed sets as values of attributes: lower case, and the same for ever.

use tidegate_core::{
    engine::{ExecutionState, HoldCause, HookOutcome, Kind, LaunchState, ServerState, WaveState},
    plan::HookPhase,
};

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Drill => "drill",
        Kind::Recovery => "recovery",
        Kind::Cleanup => "cleanup",
    }
}

pub(super) fn execution(state: ExecutionState) -> &'static str {
    match state {
        ExecutionState::Pending => "pending",
        ExecutionState::Running => "running",
        ExecutionState::Pausing => "pausing",
        ExecutionState::Paused => "paused",
        ExecutionState::Cancelling => "cancelling",
        ExecutionState::Cancelled => "cancelled",
        ExecutionState::Succeeded => "succeeded",
        ExecutionState::SucceededWithWarnings => "succeeded_with_warnings",
        ExecutionState::Failed => "failed",
    }
}

pub(super) fn wave(state: WaveState) -> &'static str {
    match state {
        WaveState::Waiting => "waiting",
        WaveState::Gated => "gated",
        WaveState::Checking => "checking",
        WaveState::Launching => "launching",
        WaveState::Recovering => "recovering",
        WaveState::Verifying => "verifying",
        WaveState::Succeeded => "succeeded",
        WaveState::SucceededWithWarnings => "succeeded_with_warnings",
        WaveState::Failed => "failed",
        WaveState::Skipped => "skipped",
        WaveState::Cancelled => "cancelled",
    }
}

pub(super) fn server(state: ServerState) -> &'static str {
    match state {
        ServerState::Pending => "pending",
        ServerState::Requested => "requested",
        ServerState::Snapshot => "snapshot",
        ServerState::Conversion => "conversion",
        ServerState::Launch => "launch",
        ServerState::Launched => "launched",
        ServerState::Failed => "failed",
        ServerState::Skipped => "skipped",
        ServerState::Terminated => "terminated",
    }
}

pub(super) fn launch(state: &LaunchState) -> &'static str {
    match state {
        LaunchState::Queued { .. } => "queued",
        LaunchState::Asking { .. } => "asking",
        LaunchState::Reconciling { .. } => "reconciling",
        LaunchState::Deferred { .. } => "deferred",
        LaunchState::Running { .. } => "running",
        LaunchState::Ended { .. } => "ended",
        LaunchState::Refused => "refused",
        LaunchState::Abandoned => "abandoned",
    }
}

pub(super) fn outcome(outcome: HookOutcome) -> &'static str {
    match outcome {
        HookOutcome::Proceed => "proceed",
        HookOutcome::Retry { .. } => "retry",
        HookOutcome::Hold => "hold",
        HookOutcome::Skip => "skip",
        HookOutcome::Abort => "abort",
        HookOutcome::Failed { .. } => "failed",
        HookOutcome::Waived { .. } => "waived",
        HookOutcome::Dropped => "dropped",
    }
}

pub(super) fn phase(phase: HookPhase) -> &'static str {
    match phase {
        HookPhase::PreWave => "pre_wave",
        HookPhase::PostWave => "post_wave",
    }
}

pub(super) fn cause(cause: HoldCause) -> &'static str {
    match cause {
        HoldCause::Operator => "operator",
        HoldCause::Planned(_) => "planned",
        HoldCause::Approval(_) => "approval",
        HoldCause::WaveFailed(_) => "wave_failed",
        HoldCause::Hook(_) => "hook",
    }
}
