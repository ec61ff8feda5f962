//! The closed sets of states, in the API's spelling.

use tidegate_core::{
    engine::{
        DeadlineReason, ExecutionState, HoldCause, HookOutcome, Kind, LaunchState, LogLevel,
        ServerState, Severity, WaveState,
    },
    plan::{HookFailureKind, HookPhase, Plan},
};
use tidegate_proto::v1;

/// An execution's kind.
pub(crate) fn kind(kind: Kind) -> v1::ExecutionKind {
    match kind {
        Kind::Drill => v1::ExecutionKind::Drill,
        Kind::Recovery => v1::ExecutionKind::Recovery,
        Kind::Cleanup => v1::ExecutionKind::Cleanup,
    }
}

/// An execution's state.
pub(crate) fn execution_state(state: ExecutionState) -> v1::ExecutionState {
    match state {
        ExecutionState::Pending => v1::ExecutionState::Pending,
        ExecutionState::Running => v1::ExecutionState::Running,
        ExecutionState::Pausing => v1::ExecutionState::Pausing,
        ExecutionState::Paused => v1::ExecutionState::Paused,
        ExecutionState::Cancelling => v1::ExecutionState::Cancelling,
        ExecutionState::Cancelled => v1::ExecutionState::Cancelled,
        ExecutionState::Succeeded => v1::ExecutionState::Succeeded,
        ExecutionState::SucceededWithWarnings => v1::ExecutionState::SucceededWithWarnings,
        ExecutionState::Failed => v1::ExecutionState::Failed,
    }
}

/// An execution's state as people read it: `PAUSED`.
pub(crate) fn execution_state_name(state: ExecutionState) -> &'static str {
    let name = execution_state(state).as_str_name();
    name.strip_prefix("EXECUTION_STATE_").unwrap_or(name)
}

/// Why an execution is held.
pub(crate) fn pause_reason(cause: HoldCause) -> v1::PauseReason {
    match cause {
        HoldCause::Operator => v1::PauseReason::Operator,
        HoldCause::Planned(_) => v1::PauseReason::Planned,
        HoldCause::Approval(_) => v1::PauseReason::Approval,
        HoldCause::WaveFailed(_) => v1::PauseReason::WaveFailed,
        HoldCause::Hook(_) => v1::PauseReason::Hook,
    }
}

/// A wave's state.
pub(crate) fn wave_state(state: WaveState) -> v1::WaveState {
    match state {
        WaveState::Waiting => v1::WaveState::Waiting,
        WaveState::Gated => v1::WaveState::Gated,
        WaveState::Checking => v1::WaveState::Checking,
        WaveState::Launching => v1::WaveState::Launching,
        WaveState::Recovering => v1::WaveState::Recovering,
        WaveState::Verifying => v1::WaveState::Verifying,
        WaveState::Succeeded => v1::WaveState::Succeeded,
        WaveState::SucceededWithWarnings => v1::WaveState::SucceededWithWarnings,
        WaveState::Failed => v1::WaveState::Failed,
        WaveState::Skipped => v1::WaveState::Skipped,
        WaveState::Cancelled => v1::WaveState::Cancelled,
    }
}

/// A server's state.
pub(crate) fn server_state(state: ServerState) -> v1::ServerState {
    match state {
        ServerState::Pending => v1::ServerState::Pending,
        ServerState::Requested => v1::ServerState::Requested,
        ServerState::Snapshot => v1::ServerState::Snapshot,
        ServerState::Conversion => v1::ServerState::Conversion,
        ServerState::Launch => v1::ServerState::Launch,
        ServerState::Launched => v1::ServerState::Launched,
        ServerState::Failed => v1::ServerState::Failed,
        ServerState::Skipped => v1::ServerState::Skipped,
        ServerState::Terminated => v1::ServerState::Terminated,
    }
}

/// A launch's state.
pub(crate) fn launch_state(state: &LaunchState) -> v1::LaunchState {
    match state {
        LaunchState::Queued { .. } => v1::LaunchState::Queued,
        LaunchState::Asking { .. } => v1::LaunchState::Asking,
        LaunchState::Reconciling { .. } => v1::LaunchState::Reconciling,
        LaunchState::Deferred { .. } => v1::LaunchState::Deferred,
        LaunchState::Running { .. } => v1::LaunchState::Running,
        LaunchState::Ended { .. } => v1::LaunchState::Ended,
        LaunchState::Refused => v1::LaunchState::Refused,
        LaunchState::Abandoned => v1::LaunchState::Abandoned,
    }
}

/// Which side of the launch a hook is on.
pub(crate) fn hook_phase(phase: HookPhase) -> v1::HookPhase {
    match phase {
        HookPhase::PreWave => v1::HookPhase::PreWave,
        HookPhase::PostWave => v1::HookPhase::PostWave,
    }
}

/// What came of a hook; `None` while it runs.
pub(crate) fn hook_outcome(outcome: Option<HookOutcome>) -> v1::HookOutcome {
    match outcome {
        None => v1::HookOutcome::Running,
        Some(HookOutcome::Proceed) => v1::HookOutcome::Proceed,
        Some(HookOutcome::Retry { .. }) => v1::HookOutcome::Retry,
        Some(HookOutcome::Hold) => v1::HookOutcome::Hold,
        Some(HookOutcome::Skip) => v1::HookOutcome::Skip,
        Some(HookOutcome::Abort) => v1::HookOutcome::Abort,
        Some(HookOutcome::Failed { .. }) => v1::HookOutcome::Failed,
        Some(HookOutcome::Waived { .. }) => v1::HookOutcome::Waived,
        Some(HookOutcome::Dropped) => v1::HookOutcome::Dropped,
    }
}

/// How a hook itself failed, if its outcome says that it did.
pub(crate) fn failure_of(outcome: Option<HookOutcome>) -> v1::HookFailureKind {
    match outcome {
        Some(HookOutcome::Failed { kind } | HookOutcome::Waived { kind }) => failure_kind(kind),
        None
        | Some(
            HookOutcome::Proceed
            | HookOutcome::Retry { .. }
            | HookOutcome::Hold
            | HookOutcome::Skip
            | HookOutcome::Abort
            | HookOutcome::Dropped,
        ) => v1::HookFailureKind::Unspecified,
    }
}

/// The ways in which a hook fails.
pub(crate) fn failure_kind(kind: HookFailureKind) -> v1::HookFailureKind {
    match kind {
        HookFailureKind::Error => v1::HookFailureKind::Error,
        HookFailureKind::Trap => v1::HookFailureKind::Trap,
        HookFailureKind::Stack => v1::HookFailureKind::Stack,
        HookFailureKind::Fuel => v1::HookFailureKind::Fuel,
        HookFailureKind::Timeout => v1::HookFailureKind::Timeout,
        HookFailureKind::Memory => v1::HookFailureKind::Memory,
        HookFailureKind::Table => v1::HookFailureKind::Table,
        HookFailureKind::BadOutput => v1::HookFailureKind::BadOutput,
        HookFailureKind::ContractMismatch => v1::HookFailureKind::ContractMismatch,
        HookFailureKind::DigestMismatch => v1::HookFailureKind::DigestMismatch,
        HookFailureKind::ProbeDenied => v1::HookFailureKind::ProbeDenied,
        HookFailureKind::Host => v1::HookFailureKind::Host,
    }
}

/// How bad a finding is.
pub(crate) fn severity(severity: Severity) -> v1::HookSeverity {
    match severity {
        Severity::Info => v1::HookSeverity::Info,
        Severity::Warning => v1::HookSeverity::Warning,
        Severity::Error => v1::HookSeverity::Error,
    }
}

/// How loud a line of a hook's log is.
pub(crate) fn log_level(level: LogLevel) -> v1::HookLogLevel {
    match level {
        LogLevel::Debug => v1::HookLogLevel::Debug,
        LogLevel::Info => v1::HookLogLevel::Info,
        LogLevel::Warning => v1::HookLogLevel::Warning,
        LogLevel::Error => v1::HookLogLevel::Error,
    }
}

/// What happens at a deadline, for people.
pub(crate) fn deadline_reason(reason: DeadlineReason, plan: &Plan) -> String {
    match reason {
        DeadlineReason::ExecutionTimeout => "the execution times out".to_owned(),
        DeadlineReason::WaveTimeout(wave) => format!("wave {} times out", plan.wave(wave).name),
        DeadlineReason::WaveRetry(wave) => {
            format!(
                "failed servers of wave {} are retried",
                plan.wave(wave).name
            )
        }
        DeadlineReason::LaunchRetry(wave) => {
            format!(
                "a launch of wave {} is asked for again",
                plan.wave(wave).name
            )
        }
        DeadlineReason::HookRetry(wave) => {
            format!("a hook of wave {} runs again", plan.wave(wave).name)
        }
        DeadlineReason::GateTimeout(wave) => {
            format!("the hooks of wave {} time out", plan.wave(wave).name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_named_without_the_prefix_of_its_enum() {
        assert_eq!(execution_state_name(ExecutionState::Paused), "PAUSED");
        assert_eq!(
            execution_state_name(ExecutionState::SucceededWithWarnings),
            "SUCCEEDED_WITH_WARNINGS"
        );
    }
}
