//! Where executions are recorded.
//!
//! One log per execution, a dense sequence of revisions from 1. The position
//! is the fence: an append to a taken position is refused, whoever holds which
//! lease. Records and summaries are opaque here; `journal_format` knows them.

use bytes::Bytes;
use futures::{
    FutureExt as _,
    future::{BoxFuture, ready},
};
use tidegate_core::{ExecutionId, SourceServerId};

/// Stores logs. Implementations pass one conformance suite.
pub trait Journal: Send + Sync + 'static {
    /// Appends one record, with everything else in [`Append`], or nothing.
    /// `Ok` means durable.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>>;

    /// Records of one execution with a revision above `after`, in order: at
    /// most `limit`, and no more than about 1 MiB, but at least one if there
    /// is one.
    fn read(
        &self,
        execution: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, ReadError>>;

    /// One execution's head.
    fn head(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Option<Head>, ReadError>>;

    /// Heads, newest execution first, below `before` if that is given; with
    /// `live_only` only of executions that are not over.
    fn heads(
        &self,
        before: Option<&ExecutionId>,
        live_only: bool,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Head>, ReadError>>;

    /// What a claim's first claimant recorded, if there is one.
    fn claim(&self, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>>;

    /// What executions that are not over have taken by [`Append::holds`] since
    /// the holds had the number `after`; 0 means everything. A journal that one
    /// process has to itself keeps no holds: the process knows them.
    fn holds(&self, _after: u64) -> BoxFuture<'_, Result<HoldsSince, ReadError>> {
        ready(Ok(HoldsSince::default())).boxed()
    }
}

/// One atomic append.
#[derive(Clone, Debug)]
pub struct Append {
    /// Whose log.
    pub execution: ExecutionId,
    /// The position; must be one above the newest.
    pub revision: u64,
    /// The encoded record.
    pub record: Bytes,
    /// The execution's head, where it changes; required at revision 1.
    pub head: Option<HeadUpdate>,
    /// A key that must be free, taken together with the append.
    pub claim: Option<Claim>,
    /// What the execution takes for itself with this append. Only where several
    /// processes share the journal, which then implements
    /// [`Journal::holds`]; the others ignore it.
    pub holds: Option<Holds>,
}

/// Servers that an execution takes for itself, as far as its writer knows
/// what the others have: an append with an outdated `after` is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holds {
    /// What is taken, besides what the execution holds already: servers, and
    /// what the driver holds in the same way for servers that are not known yet.
    pub servers: Vec<SourceServerId>,
    /// The number of the holds up to which the writer knows them.
    pub after: u64,
}

/// What was taken since a number of the holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldsSince {
    /// The number of the holds now: it grows with every append that takes
    /// servers.
    pub newest: u64,
    /// Executions that took servers since then, each with all that it holds: all
    /// that are not over, and of those that are, which hold nothing, any.
    pub held: Vec<(ExecutionId, Vec<SourceServerId>)>,
}

/// What is known of an execution without reading its log. Derived from the
/// log, and no more than a shortcut for lists and for the start of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadUpdate {
    /// False once the execution is over.
    pub live: bool,
    /// Encoded summary.
    pub summary: Bytes,
}

/// A key that only one append or plan change can ever take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key, for example a request id within its scope.
    pub key: String,
    /// What later claimants are shown.
    pub value: Bytes,
}

/// A record as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its position.
    pub revision: u64,
    /// Its bytes.
    pub record: Bytes,
}

/// An execution's newest head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose.
    pub execution: ExecutionId,
    /// False once the execution is over.
    pub live: bool,
    /// Encoded summary.
    pub summary: Bytes,
}

/// Why an append was not acknowledged. All but `AnswerLost` and `Unknown`
/// mean that nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else wrote this position, or it is not the next one.
    #[error("revision {revision} is not the next one; the newest is {newest}")]
    Taken {
        /// The position that was asked for.
        revision: u64,
        /// The newest revision there is.
        newest: u64,
    },
    /// The claim's key is taken.
    #[error("the key is already claimed")]
    Claimed {
        /// What the first claimant recorded.
        value: Bytes,
    },
    /// Somebody took servers that this writer did not know of.
    #[error("the holds have moved on to {newest}")]
    Outdated {
        /// The number of the holds now.
        newest: u64,
    },
    /// The record is larger than the journal stores.
    #[error("a record of {size} bytes is above the limit of {limit}")]
    TooLarge {
        /// The record's size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not written, and worth trying again later.
    #[error("the journal is not available: {0}")]
    Unavailable(String),
    /// Not written, and the same never will be; says what to do.
    #[error("the journal does not take it: {0}")]
    Refused(String),
    /// It may or may not be durable, now or in a moment, and the journal goes
    /// on working: what is stored at the position tells.
    #[error("the journal's answer was lost: {0}")]
    AnswerLost(String),
    /// It may or may not be durable. For an embedded journal the process must
    /// stop: after a failed fsync nothing that the operating system says of
    /// the file can be relied on.
    #[error("the journal failed: {0}")]
    Unknown(String),
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Worth trying again later.
    #[error("the journal is not available: {0}")]
    Unavailable(String),
    /// What is stored does not make sense.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
}
