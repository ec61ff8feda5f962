//! Several drivers on one journal, in virtual time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod members;
mod shared_work;
mod tailing;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, ready};
use tidegate_core::{ExecutionId, OwnerId};
use tidegate_gateway::{
    adapters::{cluster_memory::MemoryCluster, journal_memory::MemoryJournal},
    driver::{
        ClusterSettings, Codec, Driver, DriverError, DriverPorts, DriverSettings, Planting, View,
    },
    ports::{
        cluster::{Cluster, ClusterError, Lease, Roster},
        journal::Journal,
    },
};
use tidegate_tests::{
    conformance,
    fakes::{FakeDrs, ScriptedHooks, TokioClock},
    sketch::{self, order, stamp},
};
use tokio::time::Instant;

const PARTITIONS: u16 = 8;
/// The default lease, which these tests use.
const LEASE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn the_cluster_in_memory_conforms() {
    conformance::cluster::hold(async || Arc::new(MemoryCluster::new(4)) as Arc<dyn Cluster>).await;
}

#[tokio::test]
async fn holds_in_memory_conform() {
    conformance::holds::hold(async || Arc::new(MemoryJournal::new()) as Arc<dyn Journal>).await;
}

/// What all members share.
struct World {
    journal: MemoryJournal,
    cluster: MemoryCluster,
    drs: Arc<FakeDrs>,
    clock: TokioClock,
}

/// One gateway's driver, and its way to the cluster's table.
struct Member {
    driver: Driver,
    line: Arc<Line>,
}

/// A way to the cluster's table that can be cut.
struct Line {
    to: MemoryCluster,
    is_cut: AtomicBool,
    /// How long it takes to tell an owner something.
    telling: Mutex<Duration>,
    /// When it beat.
    beats: Mutex<Vec<Instant>>,
}

impl World {
    fn new(drs: FakeDrs) -> Self {
        Self {
            journal: MemoryJournal::new(),
            cluster: MemoryCluster::new(PARTITIONS),
            drs: Arc::new(drs),
            clock: TokioClock::default(),
        }
    }

    async fn member(&self, name: &str) -> Member {
        self.member_with(name, Planting::default()).await
    }

    /// A member with a bug.
    async fn member_with(&self, name: &str, planting: Planting) -> Member {
        let journal = Arc::new(self.journal.clone());
        self.member_on(journal, name, planting).await
    }

    /// A member with a way of its own to the journal.
    async fn member_on(&self, journal: Arc<dyn Journal>, name: &str, planting: Planting) -> Member {
        let started = self.start(journal, name, planting, LEASE).await;
        started.expect("it starts")
    }

    /// A member with another lease, if it is let in.
    async fn try_member(&self, name: &str, lease: Duration) -> Result<Member, DriverError> {
        let journal = Arc::new(self.journal.clone());
        self.start(journal, name, Planting::default(), lease).await
    }

    async fn start(
        &self,
        journal: Arc<dyn Journal>,
        name: &str,
        planting: Planting,
        lease: Duration,
    ) -> Result<Member, DriverError> {
        let line = Arc::new(Line {
            to: self.cluster.clone(),
            is_cut: AtomicBool::new(false),
            telling: Mutex::default(),
            beats: Mutex::default(),
        });
        let ports = DriverPorts {
            journal,
            drs: self.drs.clone(),
            clock: Arc::new(self.clock),
            hooks: Arc::new(ScriptedHooks::default()),
            cluster: Some(line.clone()),
            codec: Codec {
                plan: sketch::decode,
                summary: |view| Bytes::copy_from_slice(view.execution.id().as_str().as_bytes()),
            },
        };
        let settings = DriverSettings {
            owner: OwnerId::from(name),
            planting,
            cluster: ClusterSettings {
                lease,
                ..ClusterSettings::default()
            },
            ..DriverSettings::default()
        };
        let driver = Driver::start(ports, settings).await?;
        Ok(Member { driver, line })
    }

    /// How many partitions a member has.
    async fn leases_of(&self, name: &str) -> usize {
        self.partitions_of(name).await.len()
    }

    /// Which partitions a member has.
    async fn partitions_of(&self, name: &str) -> Vec<u16> {
        let owner = Some(OwnerId::from(name));
        let leases = self.leases().await.into_iter();
        let its = leases.filter(|lease| lease.owner == owner);
        its.map(|lease| lease.partition).collect()
    }

    /// Read as a member that leaves at once.
    async fn leases(&self) -> Vec<Lease> {
        let witness = OwnerId::from("zz-witness");
        let roster = self.cluster.beat(&witness, 1, LEASE).await.unwrap();
        self.cluster.leave(&witness).await.unwrap();
        roster.leases
    }

    /// Lets time pass until a member has so many partitions.
    async fn until_it_has(&self, name: &str, count: usize) {
        let has = async {
            while self.leases_of(name).await != count {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let waited = tokio::time::timeout(LEASE * 6, has).await;
        assert!(waited.is_ok(), "{name}: {:?}", self.leases().await);
    }

    /// Lets jobs end and time pass until a member sees that an execution is
    /// over.
    async fn finish(&self, member: &Member, id: &ExecutionId) -> View {
        loop {
            let view = member.driver.view(id).await.unwrap();
            if view.execution.state().is_terminal() {
                return view;
            }
            self.drs.finish();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

impl Member {
    async fn start(&self, line: &str, request: &str) -> View {
        self.driver
            .start_execution(order(line, request))
            .await
            .unwrap()
    }

    /// Waits until it sees an execution in a state that fits.
    async fn until(&self, id: &ExecutionId, fits: impl Fn(&View) -> bool) -> View {
        let seen = async {
            loop {
                let view = self.driver.view(id).await.unwrap();
                if fits(&view) {
                    return view;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(3_600), seen).await;
        match seen {
            Ok(view) => view,
            Err(_) => panic!("not within an hour: {:?}", self.driver.view(id).await),
        }
    }

    async fn ended(&self, id: &ExecutionId) -> View {
        self.until(id, |view| view.execution.state().is_terminal())
            .await
    }
}

impl Line {
    fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::SeqCst);
    }

    fn pass<'a, T: Send + 'a>(
        &self,
        call: impl FnOnce() -> BoxFuture<'a, Result<T, ClusterError>>,
    ) -> BoxFuture<'a, Result<T, ClusterError>> {
        if self.is_cut.load(Ordering::SeqCst) {
            let cut = ClusterError::Unavailable("the line is cut".to_owned());
            return ready(Err(cut)).boxed();
        }
        call()
    }
}

impl Cluster for Line {
    fn partitions(&self) -> u16 {
        self.to.partitions()
    }

    fn beat(
        &self,
        member: &OwnerId,
        beat: u64,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Roster, ClusterError>> {
        if !self.is_cut.load(Ordering::SeqCst) {
            self.beats.lock().unwrap().push(Instant::now());
        }
        self.pass(|| self.to.beat(member, beat, lease))
    }

    fn change(
        &self,
        was: Lease,
        owner: Option<OwnerId>,
    ) -> BoxFuture<'_, Result<bool, ClusterError>> {
        self.pass(|| self.to.change(was, owner))
    }

    fn leave(&self, member: &OwnerId) -> BoxFuture<'_, Result<(), ClusterError>> {
        self.pass(|| self.to.leave(member))
    }

    fn nudge(
        &self,
        partition: u16,
        execution: &ExecutionId,
    ) -> BoxFuture<'_, Result<(), ClusterError>> {
        let takes = *self.telling.lock().unwrap();
        let execution = execution.clone();
        self.pass(|| {
            async move {
                tokio::time::sleep(takes).await;
                self.to.nudge(partition, &execution).await
            }
            .boxed()
        })
    }

    fn nudges(&self, member: &OwnerId) -> BoxFuture<'_, Result<Vec<ExecutionId>, ClusterError>> {
        self.pass(|| self.to.nudges(member))
    }
}
