//! The engine: what happens next.
//!
//! [`Execution::decide`] turns an [`Event`] into [`Change`]s and alters
//! nothing; [`Execution::apply`] folds a change and cannot fail;
//! [`Execution::outstanding`] and [`Execution::next_deadline`] say what is
//! wanted now. Replay only applies, so a newer engine never re-decides old
//! history; [`Execution::fits`] says whether what is replayed makes sense.

mod actions;
mod apply;
mod change;
mod command;
mod deadline;
mod decide;
mod event;
mod execution;
mod fits;
mod hook;
mod invariants;
mod outstanding;
mod planted;
mod rejection;
mod settings;
mod state;
mod wave_run;

pub use actions::Action;
pub use change::{Change, Closing};
pub use command::{CommandId, Deadline};
pub use event::{Event, JobReport, LaunchAnswer, Looked, Quota, ServerReport};
pub use execution::{Execution, Genesis};
pub use fits::{Counter, Misfit};
pub use hook::{
    FAILURE_DELAY, FINDINGS_KEPT, Finding, HookAnswer, HookEvidence, HookVerdict, LogLevel,
    LogLine, RETRY_FLOOR, Severity,
};
pub use invariants::Violation;
pub use planted::{Planted, Planting};
pub use rejection::{Rejection, Request, Why};
pub use settings::Settings;
pub use state::{
    DeadlineReason, ExecutionState, Hold, HoldCause, HookOutcome, Kind, LaunchState, Reason,
    ReasonCode, SelectedServer, ServerState, WaveState,
};
pub use wave_run::{HookRun, HookStatus, HookStep, Launch, ServerRun, Stage, WaveRun};
