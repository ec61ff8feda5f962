//! The API's enum values as people read them: `PAUSED`, not
//! `EXECUTION_STATE_PAUSED`.

use tidegate_proto::v1;

/// An execution's kind.
pub(crate) fn kind(value: v1::ExecutionKind) -> &'static str {
    bare(value.as_str_name(), "EXECUTION_KIND_")
}

/// An execution's state.
pub(crate) fn execution_state(value: v1::ExecutionState) -> &'static str {
    bare(value.as_str_name(), "EXECUTION_STATE_")
}

/// A wave's state.
pub(crate) fn wave_state(value: v1::WaveState) -> &'static str {
    bare(value.as_str_name(), "WAVE_STATE_")
}

/// A server's state.
pub(crate) fn server_state(value: v1::ServerState) -> &'static str {
    bare(value.as_str_name(), "SERVER_STATE_")
}

/// A launch's state.
pub(crate) fn launch_state(value: v1::LaunchState) -> &'static str {
    bare(value.as_str_name(), "LAUNCH_STATE_")
}

/// What came of a hook.
pub(crate) fn hook_outcome(value: v1::HookOutcome) -> &'static str {
    bare(value.as_str_name(), "HOOK_OUTCOME_")
}

/// Which side of the launch a hook is on.
pub(crate) fn hook_phase(value: v1::HookPhase) -> &'static str {
    bare(value.as_str_name(), "HOOK_PHASE_")
}

/// How a hook itself failed.
pub(crate) fn hook_failure_kind(value: v1::HookFailureKind) -> &'static str {
    bare(value.as_str_name(), "HOOK_FAILURE_KIND_")
}

/// How bad a finding is.
pub(crate) fn hook_severity(value: v1::HookSeverity) -> &'static str {
    bare(value.as_str_name(), "HOOK_SEVERITY_")
}

/// How loud a line of a hook's log is.
pub(crate) fn hook_log_level(value: v1::HookLogLevel) -> &'static str {
    bare(value.as_str_name(), "HOOK_LOG_LEVEL_")
}

/// Why an execution pauses.
pub(crate) fn pause_reason(value: v1::PauseReason) -> &'static str {
    bare(value.as_str_name(), "PAUSE_REASON_")
}

/// Whether an execution in this state is over.
pub(crate) fn is_over(state: v1::ExecutionState) -> bool {
    match state {
        v1::ExecutionState::Cancelled
        | v1::ExecutionState::Succeeded
        | v1::ExecutionState::SucceededWithWarnings
        | v1::ExecutionState::Failed => true,
        v1::ExecutionState::Unspecified
        | v1::ExecutionState::Pending
        | v1::ExecutionState::Running
        | v1::ExecutionState::Pausing
        | v1::ExecutionState::Paused
        | v1::ExecutionState::Cancelling => false,
    }
}

/// Whether a wave in this state is over.
pub(crate) fn is_wave_over(state: v1::WaveState) -> bool {
    match state {
        v1::WaveState::Succeeded
        | v1::WaveState::SucceededWithWarnings
        | v1::WaveState::Failed
        | v1::WaveState::Skipped
        | v1::WaveState::Cancelled => true,
        v1::WaveState::Unspecified
        | v1::WaveState::Waiting
        | v1::WaveState::Gated
        | v1::WaveState::Checking
        | v1::WaveState::Launching
        | v1::WaveState::Recovering
        | v1::WaveState::Verifying => false,
    }
}

/// One hold in a line.
pub(crate) fn hold(hold: &v1::Hold) -> String {
    let mut text = pause_reason(hold.reason()).to_owned();
    if !hold.wave.is_empty() {
        text = format!("{text} (wave {})", hold.wave);
    }
    if !hold.detail.is_empty() {
        text = format!("{text}: {}", hold.detail);
    }
    text
}

fn bare(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}
