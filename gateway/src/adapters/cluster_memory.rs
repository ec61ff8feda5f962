//! A cluster in memory, for simulations and tests of several drivers in one
//! process. Clones share what is stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt};
use tidegate_core::{ExecutionId, OwnerId};

use crate::ports::cluster::{Cluster, ClusterError, Lease, Member, Roster};

/// Members, leases and messages without a table.
#[derive(Clone, Debug)]
pub struct MemoryCluster {
    partitions: u16,
    stored: Arc<Mutex<Stored>>,
}

#[derive(Debug)]
struct Stored {
    members: BTreeMap<OwnerId, (u64, Duration)>,
    leases: Vec<Lease>,
    nudges: BTreeMap<OwnerId, BTreeSet<ExecutionId>>,
}

impl MemoryCluster {
    /// A cluster without members.
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        let leases = (0..partitions).map(|partition| Lease {
            partition,
            owner: None,
            epoch: 0,
        });
        let stored = Stored {
            members: BTreeMap::new(),
            leases: leases.collect(),
            nudges: BTreeMap::new(),
        };
        Self {
            partitions,
            stored: Arc::new(Mutex::new(stored)),
        }
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cluster for MemoryCluster {
    fn partitions(&self) -> u16 {
        self.partitions
    }

    fn beat(
        &self,
        member: &OwnerId,
        beat: u64,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Roster, ClusterError>> {
        let answer = self.stored().beat(member, beat, lease);
        future::ready(answer).boxed()
    }

    fn change(
        &self,
        was: Lease,
        owner: Option<OwnerId>,
    ) -> BoxFuture<'_, Result<bool, ClusterError>> {
        let mut stored = self.stored();
        let lease = stored.leases.iter_mut().find(|lease| **lease == was);
        let changed = lease.is_some();
        if let Some(lease) = lease {
            lease.owner = owner;
            lease.epoch += 1;
        }
        future::ready(Ok(changed)).boxed()
    }

    fn leave(&self, member: &OwnerId) -> BoxFuture<'_, Result<(), ClusterError>> {
        let mut stored = self.stored();
        stored.members.remove(member);
        stored.nudges.remove(member);
        future::ready(Ok(())).boxed()
    }

    fn nudge(
        &self,
        partition: u16,
        execution: &ExecutionId,
    ) -> BoxFuture<'_, Result<(), ClusterError>> {
        let mut stored = self.stored();
        let lease = stored.leases.get(usize::from(partition));
        if let Some(owner) = lease.and_then(|lease| lease.owner.clone()) {
            let told = stored.nudges.entry(owner).or_default();
            told.insert(execution.clone());
        }
        future::ready(Ok(())).boxed()
    }

    fn nudges(&self, member: &OwnerId) -> BoxFuture<'_, Result<Vec<ExecutionId>, ClusterError>> {
        let told = self.stored().nudges.remove(member).unwrap_or_default();
        future::ready(Ok(told.into_iter().collect())).boxed()
    }
}

impl Stored {
    fn beat(
        &mut self,
        member: &OwnerId,
        beat: u64,
        lease: Duration,
    ) -> Result<Roster, ClusterError> {
        let last = self.members.get(member);
        if last.is_some_and(|&(last, _)| last >= beat) {
            return Err(ClusterError::Superseded(member.clone()));
        }
        self.members.insert(member.clone(), (beat, lease));
        let members = self.members.iter().map(|(id, &(beat, lease))| Member {
            id: id.clone(),
            beat,
            lease: Some(lease),
        });
        Ok(Roster {
            members: members.collect(),
            leases: self.leases.clone(),
        })
    }
}
