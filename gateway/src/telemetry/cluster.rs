//! A cluster as this gateway sees it, listened to: what each heartbeat learns
//! is kept for whoever collects.

use std::sync::Arc;

use futures::{FutureExt as _, future::BoxFuture};
use opentelemetry::KeyValue;
use tidegate_core::{ExecutionId, OwnerId};

use super::{Shared, instruments::key};
use crate::ports::cluster::{Cluster, ClusterError, Lease, Roster};

/// What the newest heartbeat has learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Leases of this gateway.
    pub(super) held: u64,
    /// Gateways.
    pub(super) members: u64,
}

/// Listens to another cluster port.
pub(super) struct HeardCluster {
    pub(super) inner: Arc<dyn Cluster>,
    pub(super) shared: Arc<Shared>,
}

impl HeardCluster {
    fn learned(&self, member: &OwnerId, roster: &Roster) {
        let ours = roster.leases.iter();
        let held = ours.filter(|lease| lease.owner.as_ref() == Some(member));
        self.shared.set_roster(Standing {
            held: held.count() as u64,
            members: roster.members.len() as u64,
        });
    }
}

impl Cluster for HeardCluster {
    fn partitions(&self) -> u16 {
        self.inner.partitions()
    }

    fn beat(&self, member: &OwnerId, beat: u64) -> BoxFuture<'_, Result<Roster, ClusterError>> {
        let member = member.clone();
        async move {
            let roster = self.inner.beat(&member, beat).await?;
            self.learned(&member, &roster);
            Ok(roster)
        }
        .boxed()
    }

    fn change(
        &self,
        was: Lease,
        owner: Option<OwnerId>,
    ) -> BoxFuture<'_, Result<bool, ClusterError>> {
        async move {
            let change = if owner.is_some() {
                "taken"
            } else {
                "given_back"
            };
            let is_changed = self.inner.change(was, owner).await?;
            let change = KeyValue::new(key::STATE, change);
            let changes = &self.shared.instruments.lease_changes;
            changes.add(u64::from(is_changed), &[change]);
            Ok(is_changed)
        }
        .boxed()
    }

    fn leave(&self, member: &OwnerId) -> BoxFuture<'_, Result<(), ClusterError>> {
        self.inner.leave(member)
    }

    fn nudge(
        &self,
        partition: u16,
        execution: &ExecutionId,
    ) -> BoxFuture<'_, Result<(), ClusterError>> {
        self.inner.nudge(partition, execution)
    }

    fn nudges(&self, member: &OwnerId) -> BoxFuture<'_, Result<Vec<ExecutionId>, ClusterError>> {
        self.inner.nudges(member)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{
        adapters::system_clock::SystemClock,
        telemetry::{Settings, Telemetry},
    };

    /// Leases in memory, and no members.
    struct Table(Mutex<Roster>);

    impl Cluster for Table {
        fn partitions(&self) -> u16 {
            2
        }

        fn beat(&self, _: &OwnerId, _: u64) -> BoxFuture<'_, Result<Roster, ClusterError>> {
            async { Ok(self.0.lock().unwrap().clone()) }.boxed()
        }

        fn change(
            &self,
            was: Lease,
            owner: Option<OwnerId>,
        ) -> BoxFuture<'_, Result<bool, ClusterError>> {
            let mut table = self.0.lock().unwrap();
            let lease = &mut table.leases[usize::from(was.partition)];
            let is_same = *lease == was;
            if is_same {
                lease.owner = owner;
                lease.epoch += 1;
            }
            async move { Ok(is_same) }.boxed()
        }

        fn leave(&self, _: &OwnerId) -> BoxFuture<'_, Result<(), ClusterError>> {
            async { Ok(()) }.boxed()
        }

        fn nudge(&self, _: u16, _: &ExecutionId) -> BoxFuture<'_, Result<(), ClusterError>> {
            async { Ok(()) }.boxed()
        }

        fn nudges(&self, _: &OwnerId) -> BoxFuture<'_, Result<Vec<ExecutionId>, ClusterError>> {
            async { Ok(Vec::new()) }.boxed()
        }
    }

    #[tokio::test]
    async fn a_heartbeat_shows_which_leases_are_held() {
        let lease = |partition| Lease {
            partition,
            owner: None,
            epoch: 0,
        };
        let roster = Roster {
            members: Vec::new(),
            leases: vec![lease(0), lease(1)],
        };
        let telemetry = Telemetry::begin(&Settings::for_tests(), Arc::new(SystemClock)).unwrap();
        let cluster = telemetry.cluster(Arc::new(Table(Mutex::new(roster))));
        let us = OwnerId::from("us");
        assert!(
            !telemetry
                .text()
                .read()
                .unwrap()
                .contains("tidegate_leases_held")
        );
        cluster.change(lease(1), Some(us.clone())).await.unwrap();
        // Somebody was faster.
        cluster.change(lease(1), Some(us.clone())).await.unwrap();
        cluster.beat(&us, 1).await.unwrap();
        let text = telemetry.text().read().unwrap();
        for line in [
            "tidegate_leases_held 1",
            "tidegate_cluster_members 0",
            "tidegate_leases_changes_total{tidegate_state=\"taken\"} 1",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
