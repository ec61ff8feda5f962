//! Enums of the engine and their stored numbers.
//!
//! Each list is checked by the compiler in both directions: a state that the
//! engine gains does not compile until the format has a number for it.

use tidegate_core::{engine, plan};
use tidegate_proto::journal::v1 as stored;

use super::FormatError;

macro_rules! stored_enum {
    ($name:literal: $engine:ty, $stored:ty, $to:ident, $from:ident: $($variant:ident)*) => {
        pub(super) fn $to(value: $engine) -> i32 {
            match value {
                $(<$engine>::$variant => <$stored>::$variant as i32,)*
            }
        }

        pub(super) fn $from(value: i32) -> Result<$engine, FormatError> {
            match <$stored>::try_from(value) {
                Ok(<$stored>::Unspecified) => Err(FormatError::Missing { field: $name }),
                $(Ok(<$stored>::$variant) => Ok(<$engine>::$variant),)*
                Err(_) => Err(FormatError::UnknownValue { field: $name, value }),
            }
        }
    };
}

stored_enum!("kind of execution": engine::Kind, stored::Kind, from_kind, to_kind:
    Drill Recovery Cleanup);

stored_enum!("state of an execution": engine::ExecutionState, stored::ExecutionState,
    from_execution_state, to_execution_state:
    Pending Running Pausing Paused Cancelling Cancelled Succeeded SucceededWithWarnings Failed);

stored_enum!("closing": engine::Closing, stored::Closing, from_closing, to_closing:
    Stop Timeout Cancel);

stored_enum!("state of a wave": engine::WaveState, stored::WaveState,
    from_wave_state, to_wave_state:
    Waiting Gated Checking Launching Recovering Verifying Succeeded SucceededWithWarnings
    Failed Skipped Cancelled);

stored_enum!("state of a server": engine::ServerState, stored::ServerState,
    from_server_state, to_server_state:
    Pending Requested Snapshot Conversion Launch Launched Failed Skipped Terminated);

stored_enum!("hook phase": plan::HookPhase, stored::HookPhase, from_hook_phase, to_hook_phase:
    PreWave PostWave);

stored_enum!("kind of a hook's failure": plan::HookFailureKind, stored::HookFailureKind,
    from_failure_kind, to_failure_kind:
    Error Trap Stack Fuel Timeout Memory Table BadOutput ContractMismatch DigestMismatch
    ProbeDenied Host);

stored_enum!("severity of a finding": engine::Severity, stored::HookSeverity,
    from_severity, to_severity: Info Warning Error);

stored_enum!("level of a hook's log": engine::LogLevel, stored::HookLogLevel,
    from_log_level, to_log_level: Debug Info Warning Error);

stored_enum!("code of a reason": engine::ReasonCode, stored::ReasonCode,
    from_reason_code, to_reason_code:
    None Operator Planned NotReached Timeout ServersFailed Tolerated Hook HookFailed Selection
    Refused Deferred AnswerLost OwnerLost NoTrace Adopted Drs JobEndedEarly Quota);
