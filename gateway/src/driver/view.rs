//! What the driver shows of an execution: values that are shared, never
//! locked.

use std::sync::Arc;

use tidegate_core::{
    ExecutionId, Timestamp,
    engine::{Change, Execution},
};

/// An execution at one revision.
#[derive(Clone, Debug)]
pub struct View {
    /// The folded state.
    pub execution: Arc<Execution>,
    /// The newest revision in it.
    pub revision: u64,
    /// When that revision was recorded.
    pub updated_at: Timestamp,
    /// What never changes.
    pub origin: Arc<Origin>,
}

/// What an execution's first record says beside its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The pinned revision of the plan; for a cleanup, of the source's plan.
    pub plan_revision: u64,
    /// Digest of the pinned revision.
    pub plan_digest: String,
    /// The pinned plan's content, an encoded `tidegate.v1.Plan`.
    pub plan: bytes::Bytes,
    /// In a cleanup: the execution whose instances are terminated.
    pub source: Option<ExecutionId>,
}

/// One record of an execution's log, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    /// Its position.
    pub revision: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// Position of the first of `changes` among all changes, from 1. The
    /// execution's creation is the change with index 1 and is not in
    /// `changes`: the first record has `first_index` 2.
    pub first_index: u64,
    /// What was decided, in order.
    pub changes: Vec<Change>,
    /// The request that caused it; empty if none did.
    pub request_id: String,
    /// SHA-256 of the record before, in hexadecimal; empty for the first.
    pub previous_hash: String,
    /// In the first record only: what the execution came from.
    pub origin: Option<Arc<Origin>>,
}

/// A request id with what was requested, so that the same id with something
/// else is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestStamp {
    /// The client's id.
    pub id: String,
    /// SHA-256 over the method's name and the request without its id.
    pub digest: [u8; 32],
}
