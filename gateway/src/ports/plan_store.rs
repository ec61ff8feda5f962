//! Where plans are stored.

use bytes::Bytes;
use futures::future::BoxFuture;
use tidegate_core::PlanName;

use super::journal::{Claim, ReadError};

/// Stores immutable plan revisions. Implementations pass one conformance
/// suite.
pub trait PlanStore: Send + Sync + 'static {
    /// Adds a revision. It must be one above the newest one (of a deleted
    /// plan, too: a name's revisions never start anew). Takes the claim in
    /// the same step, if one is given. A plan that uses hooks names the number
    /// of the [shelf](super::hook_store::HookStore::shelf) from before they were
    /// found there, and moves it on. `Ok` means durable.
    fn put(
        &self,
        plan: StoredPlan,
        claim: Option<Claim>,
        shelf: Option<u64>,
    ) -> BoxFuture<'_, Result<(), PlanStoreError>>;

    /// One revision, or the newest. `None` for a deleted plan.
    fn get(
        &self,
        name: &PlanName,
        revision: Option<u64>,
    ) -> BoxFuture<'_, Result<Option<StoredPlan>, ReadError>>;

    /// The last revision that this name ever had, also if it was deleted; 0
    /// for a name that never was.
    fn last_revision(&self, name: &PlanName) -> BoxFuture<'_, Result<u64, ReadError>>;

    /// The newest revision of every plan with a name above `after`, by name.
    fn list(
        &self,
        after: Option<&PlanName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>>;

    /// The revisions of one plan below `before`, newest first.
    fn revisions(
        &self,
        name: &PlanName,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>>;

    /// Deletes a plan with all its revisions; says whether there was one. If
    /// there was none, nothing is written, and the claim is not taken.
    fn delete(
        &self,
        name: &PlanName,
        claim: Option<Claim>,
    ) -> BoxFuture<'_, Result<bool, PlanStoreError>>;

    /// Takes a claim and changes nothing else, for an answer that is to stay
    /// the same although no plan was changed. `Ok` means durable.
    fn take_claim(&self, claim: Claim) -> BoxFuture<'_, Result<(), PlanStoreError>>;
}

/// One stored revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPlan {
    /// The plan's name.
    pub name: PlanName,
    /// The revision, from 1.
    pub revision: u64,
    /// Encoded plan.
    pub plan: Bytes,
}

/// Why a change was not acknowledged. All but `Unknown` mean that nothing was
/// written.
#[derive(Debug, thiserror::Error)]
pub enum PlanStoreError {
    /// Somebody else wrote this revision, or it is not the next one.
    #[error("revision {revision} is not the next one; the newest is {newest}")]
    Taken {
        /// The revision that was offered.
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
    /// Hooks, or other plans that use some, have changed since the number that
    /// was given.
    #[error("hooks or the plans that use them have changed meanwhile")]
    Outdated,
    /// Not written, and worth trying again later.
    #[error("the plan store is not available: {0}")]
    Unavailable(String),
    /// Not written, and the same never will be; says what to do.
    #[error("the plan store does not take it: {0}")]
    Refused(String),
    /// It may or may not be durable; see `AppendError::Unknown`.
    #[error("the plan store failed: {0}")]
    Unknown(String),
}
