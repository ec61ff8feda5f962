//! What gateways that share a journal tell each other.
//!
//! Executions are divided into partitions, and a lease says which member
//! drives a partition. Leases are for liveness only: who may write is decided
//! by the positions of each log, and a member that believes too long that it
//! has a lease is fenced off there. Nobody's wall clock matters: a member is
//! gone when its heartbeat does not change for a lease period of whoever looks.

use std::time::Duration;

use futures::future::BoxFuture;
use tidegate_core::{ExecutionId, OwnerId};

/// Members, leases and messages. Implementations pass one conformance suite.
pub trait Cluster: Send + Sync + 'static {
    /// Into how many partitions executions are divided: the same for every
    /// member, for ever.
    fn partitions(&self) -> u16;

    /// Says that a member is alive, by a number that grows with each of its
    /// beats, and how long it lets others be silent, in whole milliseconds; and
    /// reads what is known of all. Refused with [`ClusterError::Superseded`] if
    /// the member was heard with this number or a higher one.
    fn beat(
        &self,
        member: &OwnerId,
        beat: u64,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Roster, ClusterError>>;

    /// Gives a lease to `owner`, or to nobody, if it is still as `was`; says
    /// whether it was. Its epoch grows by one.
    fn change(
        &self,
        was: Lease,
        owner: Option<OwnerId>,
    ) -> BoxFuture<'_, Result<bool, ClusterError>>;

    /// The member is not part of the cluster any more, if it ever was.
    fn leave(&self, member: &OwnerId) -> BoxFuture<'_, Result<(), ClusterError>>;

    /// Tells whoever has the partition now that an execution's log was written
    /// by somebody else. Nobody is told if nobody has it: whoever takes it
    /// reads the logs.
    fn nudge(
        &self,
        partition: u16,
        execution: &ExecutionId,
    ) -> BoxFuture<'_, Result<(), ClusterError>>;

    /// Takes what a member was told by [`Cluster::nudge`]: executions, each
    /// once. What is taken is not told again, so the caller must act on it.
    fn nudges(&self, member: &OwnerId) -> BoxFuture<'_, Result<Vec<ExecutionId>, ClusterError>>;
}

/// All members and all leases at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// Members that have not left, by id; those that are gone without leaving
    /// stay for a while.
    pub members: Vec<Member>,
    /// One lease for each partition, in order.
    pub leases: Vec<Lease>,
}

/// A member as it was heard last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id; a process never has that of another.
    pub id: OwnerId,
    /// The number of its last beat.
    pub beat: u64,
    /// How long it lets others be silent; `None` if its version does not say.
    pub lease: Option<Duration>,
}

/// Who drives a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The partition, from 0.
    pub partition: u16,
    /// The member, or nobody.
    pub owner: Option<OwnerId>,
    /// How often the lease has changed.
    pub epoch: u64,
}

/// Why nothing is known of the cluster now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// Worth trying again later. A change may or may not have been made: the
    /// next roster tells.
    #[error("the cluster's table is not available: {0}")]
    Unavailable(String),
    /// Another process beats under this member's id, or this one came too
    /// late.
    #[error("a later heartbeat of {0} is known")]
    Superseded(OwnerId),
    /// What is stored does not make sense.
    #[error("what is stored of the cluster is damaged: {0}")]
    Damaged(String),
}
