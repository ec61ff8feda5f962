//! The driver. Placeholder bodies.

mod view;

use tidegate_core::{
    ExecutionId,
    engine::{Event, Kind, Rejection},
};

pub use view::{Origin, RecordView, RequestStamp, View};

use crate::ports::{journal::{Head, ReadError}, plan_store::StoredPlan};
use std::sync::Arc;

/// Drives executions; a cheap handle.
#[derive(Clone, Debug)]
pub struct Driver;

/// What StartExecution and CleanUp hand over.
#[derive(Clone, Debug)]
pub struct StartOrder {
    /// Drill, recovery or cleanup.
    pub kind: Kind,
    /// The plan revision to pin. For a cleanup: the source's.
    pub plan: StoredPlan,
    /// The checked plan. For a cleanup: the plan that `cleanup_plan` makes.
    pub checked: Arc<tidegate_core::plan::Plan>,
    /// In a cleanup: the source.
    pub source: Option<ExecutionId>,
    /// The client's request.
    pub request: RequestStamp,
}

/// Why the driver did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// There is no such execution.
    #[error("there is no execution {0}")]
    NotFound(ExecutionId),
    /// The state forbids it.
    #[error("{0}")]
    Rejected(#[source] Rejection),
    /// A server is in another execution that is not over.
    #[error("server {server} is in execution {other}, which is not over")]
    ServerBusy {
        /// The server.
        server: tidegate_core::SourceServerId,
        /// The other execution.
        other: ExecutionId,
    },
    /// The request id was used with another payload.
    #[error("request id {0:?} was used before with another request")]
    RequestIdReused(String),
    /// Too many executions are not over.
    #[error("{limit} executions are not over; that is the limit")]
    TooManyLive {
        /// The limit.
        limit: usize,
    },
    /// Another process drives this execution.
    #[error("another gateway drives execution {0}")]
    NotOwner(ExecutionId),
    /// Not done; worth trying again.
    #[error("not available: {0}")]
    Unavailable(String),
    /// Whether it is done is not known.
    #[error("the journal failed: {0}")]
    Unknown(String),
    /// What is stored does not make sense.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// The gateway shuts down.
    #[error("the gateway shuts down")]
    ShuttingDown,
}

impl From<ReadError> for DriverError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(why) => Self::Unavailable(why),
            ReadError::Damaged(why) => Self::Damaged(why),
        }
    }
}

/// One commit of one execution, as `Driver::subscribe_all` sends it.
#[derive(Clone, Debug)]
pub struct Published {
    /// The execution after it.
    pub view: View,
    /// What was recorded.
    pub record: Arc<RecordView>,
}

impl Driver {
    /// Accepts a new execution; answered when its first record is durable.
    /// The same request id again gives the first answer.
    pub async fn start_execution(&self, order: StartOrder) -> Result<View, DriverError> { let _ = order; todo!() }

    /// Hands a person's request (`Pause`, `Resume`, `Cancel`, `RetryWave`,
    /// `SkipWave`) to an execution; answered when what it decided is durable,
    /// with the state at that revision. The same request id again gives the
    /// first answer.
    pub async fn request(&self, execution: &ExecutionId, event: Event, stamp: Option<RequestStamp>) -> Result<View, DriverError> { let _ = (execution, event, stamp); todo!() }

    /// An execution as it is now, live or over.
    pub async fn view(&self, execution: &ExecutionId) -> Result<View, DriverError> { let _ = execution; todo!() }

    /// An execution as it was at a revision.
    pub async fn view_at(&self, execution: &ExecutionId, revision: u64) -> Result<View, DriverError> { let _ = (execution, revision); todo!() }

    /// Records after `after`, oldest first, at most `limit` (fewer if they
    /// are large); served from memory where possible.
    pub async fn records(&self, execution: &ExecutionId, after: u64, limit: usize) -> Result<Vec<Arc<RecordView>>, DriverError> { let _ = (execution, after, limit); todo!() }

    /// Wakes whenever the execution's view changes; holds the newest view.
    /// `None` once the execution is over (or unknown): nothing will change.
    pub fn subscribe(&self, execution: &ExecutionId) -> Option<tokio::sync::watch::Receiver<View>> { let _ = execution; todo!() }

    /// Every commit of every execution from now on, in order for each
    /// execution. A receiver that lags more than the channel's bound gets
    /// `Lagged` and re-reads from its cursors with `records`.
    pub fn subscribe_all(&self) -> tokio::sync::broadcast::Receiver<Published> { todo!() }

    /// Executions, newest first, below `before`: live ones as they are now,
    /// ended ones from their heads.
    pub async fn list(&self, before: Option<&ExecutionId>, limit: usize) -> Result<Vec<Listed>, DriverError> { let _ = (before, limit); todo!() }

    /// What is outstanding now, one line each, for people (bookmarks).
    pub fn outstanding(&self, view: &View) -> Vec<String> { let _ = view; todo!() }
}

/// An entry of a list.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Not over: its view.
    Live(View),
    /// Over: its head, whose summary is an encoded
    /// `tidegate.v1.ExecutionSummary`.
    Ended(Head),
}
