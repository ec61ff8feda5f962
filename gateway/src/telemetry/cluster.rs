//! A cluster as this gateway sees it, listened to: what each heartbeat learns
//! is kept for whoever collects.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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
    /// Leases of nobody who was heard within a lease period.
    pub(super) orphaned: u64,
    /// Gateways.
    pub(super) members: u64,
    /// When it was, by the clock's `elapsed`.
    pub(super) at: Duration,
    /// How long a gateway may be silent.
    pub(super) lease: Duration,
}

/// Listens to another cluster port.
pub(super) struct HeardCluster {
    inner: Arc<dyn Cluster>,
    shared: Arc<Shared>,
    lease: Duration,
    seen: Mutex<Seen>,
}

/// What was seen of the others.
#[derive(Default)]
struct Seen {
    /// The newest beat of each member, and when it was seen first.
    beats: BTreeMap<OwnerId, (u64, Duration)>,
    /// Members that leases were taken from, at which beat.
    taken_from: BTreeMap<OwnerId, u64>,
}

impl HeardCluster {
    pub(super) fn new(inner: Arc<dyn Cluster>, shared: Arc<Shared>, lease: Duration) -> Self {
        Self {
            inner,
            shared,
            lease,
            seen: Mutex::default(),
        }
    }

    fn learned(&self, member: &OwnerId, roster: &Roster) {
        let at = self.shared.clock.elapsed();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.learn(roster, at);
        let owners = || roster.leases.iter().map(|lease| lease.owner.as_ref());
        let orphaned =
            owners().filter(|owner| owner.is_none_or(|it| !seen.is_alive(it, at, self.lease)));
        self.shared.set_roster(Standing {
            held: owners().filter(|owner| *owner == Some(member)).count() as u64,
            orphaned: orphaned.count() as u64,
            members: roster.members.len() as u64,
            at,
            lease: self.lease,
        });
    }

    /// A lease was given from one to another, or to nobody.
    fn changed(&self, from: Option<&OwnerId>, to: Option<&OwnerId>) {
        let instruments = &self.shared.instruments;
        let change = match (from, to) {
            (_, None) => "given_back",
            (None, Some(_)) => "taken",
            (Some(silent), Some(_)) => {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                instruments
                    .takeovers
                    .add(u64::from(seen.is_first_of(silent)), &[]);
                "taken_over"
            }
        };
        let change = KeyValue::new(key::STATE, change);
        instruments.lease_changes.add(1, &[change]);
    }
}

impl Seen {
    fn learn(&mut self, roster: &Roster, at: Duration) {
        let mut beats = BTreeMap::new();
        for member in &roster.members {
            let known = self.beats.get(&member.id).copied();
            let known = known.filter(|(beat, _)| *beat == member.beat);
            beats.insert(member.id.clone(), known.unwrap_or((member.beat, at)));
        }
        self.beats = beats;
        self.taken_from.retain(|id, _| self.beats.contains_key(id));
    }

    fn is_alive(&self, member: &OwnerId, now: Duration, lease: Duration) -> bool {
        let seen = self.beats.get(member);
        seen.is_some_and(|(_, at)| now.saturating_sub(*at) < lease)
    }

    /// Whether this is the first lease that is taken from a member since it was
    /// heard last.
    fn is_first_of(&mut self, silent: &OwnerId) -> bool {
        let beat = self.beats.get(silent).map_or(0, |(beat, _)| *beat);
        self.taken_from.insert(silent.clone(), beat) != Some(beat)
    }
}

impl Cluster for HeardCluster {
    fn partitions(&self) -> u16 {
        self.inner.partitions()
    }

    fn beat(
        &self,
        member: &OwnerId,
        beat: u64,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Roster, ClusterError>> {
        let member = member.clone();
        async move {
            let roster = self.inner.beat(&member, beat, lease).await?;
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
            let (from, to) = (was.owner.clone(), owner.clone());
            let is_changed = self.inner.change(was, owner).await?;
            if is_changed {
                self.changed(from.as_ref(), to.as_ref());
            }
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
    use super::*;
    use crate::{
        adapters::{cluster_memory::MemoryCluster, system_clock::SystemClock},
        telemetry::{MetricsText, Settings, Telemetry},
    };

    /// No test here lasts as long.
    const LONG: Duration = Duration::from_secs(3_600);

    struct World {
        telemetry: Telemetry,
        table: MemoryCluster,
        cluster: Arc<dyn Cluster>,
    }

    impl World {
        fn new(partitions: u16, lease: Duration) -> Self {
            let clock = Arc::new(SystemClock);
            let telemetry = Telemetry::begin(&Settings::for_tests(), clock).unwrap();
            let table = MemoryCluster::new(partitions);
            let cluster = telemetry.cluster(Arc::new(table.clone()), lease);
            Self {
                telemetry,
                table,
                cluster,
            }
        }

        fn shows(&self, lines: &[&str]) {
            let text = MetricsText::read(&self.telemetry.text()).unwrap();
            for line in lines {
                assert!(text.lines().any(|it| it == *line), "{line}: {text}");
            }
        }

        async fn take(&self, from: Option<&OwnerId>, partition: u16) -> bool {
            let us = OwnerId::from("us");
            let was = Lease {
                partition,
                owner: from.cloned(),
                epoch: u64::from(from.is_some()),
            };
            self.cluster.change(was, Some(us)).await.unwrap()
        }
    }

    #[tokio::test]
    async fn a_heartbeat_shows_which_leases_are_held_and_which_nobody_has() {
        let world = World::new(3, LONG);
        let text = world.telemetry.text().read().unwrap();
        assert!(!text.contains("tidegate_leases_held"), "{text}");
        assert!(world.take(None, 1).await);
        assert!(!world.take(None, 1).await, "somebody was faster");
        world.cluster.beat(&"us".into(), 1, LONG).await.unwrap();
        world.shows(&[
            "tidegate_leases_held 1",
            "tidegate_leases_orphaned 2",
            "tidegate_cluster_members 1",
            "tidegate_cluster_lease_seconds 3600",
            "tidegate_leases_changes_total{tidegate_state=\"taken\"} 1",
            "tidegate_cluster_takeovers_total 0",
        ]);
        let text = world.telemetry.text().read().unwrap();
        assert!(text.contains("tidegate_cluster_heartbeat_age_seconds 0."));
    }

    #[tokio::test]
    async fn whoever_falls_silent_counts_once_however_many_leases_are_taken_over() {
        // Whoever does not beat between two beats of ours is silent.
        let world = World::new(3, Duration::ZERO);
        let silent = OwnerId::from("silent");
        for lease in world.table.beat(&silent, 1, LONG).await.unwrap().leases {
            let given = world.table.change(lease, Some(silent.clone())).await;
            assert!(given.unwrap());
        }
        world.cluster.beat(&"us".into(), 1, LONG).await.unwrap();
        world.shows(&["tidegate_leases_orphaned 3"]);
        for partition in [0, 1] {
            assert!(world.take(Some(&silent), partition).await);
        }
        world.shows(&[
            "tidegate_leases_changes_total{tidegate_state=\"taken_over\"} 2",
            "tidegate_cluster_takeovers_total 1",
        ]);
        // It was heard again, and fell silent again.
        world.table.beat(&silent, 2, LONG).await.unwrap();
        world.cluster.beat(&"us".into(), 2, LONG).await.unwrap();
        assert!(world.take(Some(&silent), 2).await);
        world.shows(&["tidegate_cluster_takeovers_total 2"]);
    }
}
