//! Why the driver did not do what was asked.

use std::time::Duration;

use tidegate_core::{ExecutionId, OwnerId, SourceServerId, engine::Rejection};

use crate::ports::journal::ReadError;

/// Why the driver did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// There is no such execution.
    #[error("there is no execution {0}")]
    NotFound(ExecutionId),
    /// The log does not go that far.
    #[error(
        "revision {revision} of execution {execution} is in the future; the newest is {newest}"
    )]
    FutureRevision {
        /// The execution.
        execution: ExecutionId,
        /// The revision that was asked for.
        revision: u64,
        /// The newest revision there is.
        newest: u64,
    },
    /// The state forbids it.
    #[error("{0}")]
    Rejected(#[source] Rejection),
    /// A server is in another execution that is not over.
    #[error("server {server} is in execution {other}, which is not over")]
    ServerBusy {
        /// The server.
        server: SourceServerId,
        /// The other execution.
        other: ExecutionId,
    },
    /// What would select servers by tags is in another execution that is not
    /// over.
    #[error("{selection} is in execution {other}, which is not over")]
    SelectionBusy {
        /// The plan, or the target and the tags, for people.
        selection: String,
        /// The other execution.
        other: ExecutionId,
    },
    /// The request id was used with another payload.
    #[error("request id {0:?} was used before with another request")]
    RequestIdReused(String),
    /// The execution has accepted as many requests as it may.
    #[error("this execution has accepted {limit} requests; that is the limit")]
    TooManyRequests {
        /// The limit.
        limit: usize,
    },
    /// Too many executions are not over.
    #[error("{limit} executions are not over; that is the limit")]
    TooManyLive {
        /// The limit.
        limit: usize,
    },
    /// Another process drives this execution.
    #[error("another gateway drives execution {0}")]
    NotOwner(ExecutionId),
    /// A gateway of the cluster lets others be silent for another time.
    #[error(
        "cluster.lease is {ours:?} here and {theirs:?} at {member}, which is alive; all gateways \
         of a table must have the same. Give this one {theirs:?}, or stop the others first"
    )]
    OtherLease {
        /// Of this gateway.
        ours: Duration,
        /// Of the other one.
        theirs: Duration,
        /// The other one.
        member: OwnerId,
    },
    /// Not done; worth trying again.
    #[error("not available: {0}")]
    Unavailable(String),
    /// Not done, and the same never will be.
    #[error("the journal does not take it: {0}")]
    Refused(String),
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
