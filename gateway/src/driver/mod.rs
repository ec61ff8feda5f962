//! The driver: every live execution is an actor that takes one event at a
//! time, decides, makes the decision durable, folds it, publishes it, and
//! carries out what became outstanding.
//!
//! The driver knows the ports and the engine, and no concrete adapter, no
//! wire type and no plan format. State is a fold of the journal: what is kept
//! in memory can be dropped at any instant and read again.

mod actor;
mod admission;
mod backoff;
mod by_tags;
mod calls;
mod checking;
mod dispatch;
mod error;
mod figures;
mod follow;
mod holding;
mod jitter;
mod log;
mod looking;
mod mailbox;
mod membership;
mod outstanding;
mod pace;
mod planted;
mod random;
mod reading;
mod reads;
mod registry;
mod requesting;
mod resuming;
mod selection;
mod settings;
mod starting;
mod tailing;
mod unwritten;
mod view;
mod writing;

use std::{
    collections::BTreeSet,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::FutureExt as _;
use tidegate_core::{SourceServerId, engine::Execution};
use tokio::{
    sync::{Notify, Semaphore, broadcast},
    task::AbortHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use admission::{InUse, Limits, OwnLimits, Place, Probing, Quotas};
pub use error::DriverError;
pub use follow::PollBounds;
pub use membership::ClusterSettings;
pub use planted::{Planted, Planting};
pub use random::Random;
pub use reading::{Kept, Listed};
pub use settings::{Codec, DriverPorts, DriverSettings};
pub use starting::StartOrder;
pub use tailing::FollowAll;
pub use view::{Origin, RecordView, RequestStamp, View};

use self::{
    admission::Admission, follow::Poller, holding::Holding, membership::Membership,
    outstanding::Waits, random::Ids, reads::Reads, registry::Registry, tailing::Tails,
    unwritten::Unwritten,
};

/// Commits that a watcher of everything may lag behind; beyond that it reads
/// from its cursors.
const PUBLISHED: usize = 4096;

/// Executions that are taken over at the same time.
const TAKEOVERS_AT_ONCE: usize = 256;

/// Drives executions; a cheap handle.
#[derive(Clone)]
pub struct Driver {
    shared: Arc<Shared>,
}

/// What all executions share.
struct Shared {
    ports: DriverPorts,
    settings: DriverSettings,
    registry: Registry,
    membership: Membership,
    holding: Holding,
    tails: Tails,
    poller: Poller,
    admission: Arc<Admission>,
    reads: Reads,
    waits: Waits,
    unwritten: Unwritten,
    /// Thousands may have to be taken over at once.
    takeovers: Semaphore,
    published: broadcast::Sender<Published>,
    /// Executions and calls that change something at DRS: a shutdown waits
    /// for them.
    tasks: TaskTracker,
    /// Loops that only read.
    loops: TaskTracker,
    stop: CancellationToken,
    /// Cancelled when nothing is driven here any more.
    leaving: CancellationToken,
    /// Cancelled when something panicked: what it was doing is not known.
    failed: CancellationToken,
    /// Request ids of starts that are under way.
    starting: Mutex<BTreeSet<String>>,
    started: Notify,
    ids: Ids,
}

/// One commit of one execution, as [`Driver::subscribe_all`] sends it.
#[derive(Clone, Debug)]
pub struct Published {
    /// The execution after it.
    pub view: View,
    /// What was recorded.
    pub record: Arc<RecordView>,
    /// Whether this gateway drives it; another one of the cluster does, if not.
    pub is_driven_here: bool,
}

impl Driver {
    /// Starts the driver, and goes on with every execution that is not over; in
    /// a cluster, with those whose partitions nobody has, as soon as it may.
    ///
    /// # Errors
    /// What the journal holds cannot be read, or cannot be continued.
    pub async fn start(ports: DriverPorts, settings: DriverSettings) -> Result<Self, DriverError> {
        let admission = Arc::new(Admission::new(settings.quotas.clone(), settings.probing));
        let reads = Reads::new(Arc::clone(&ports.clock), &settings);
        let stop = CancellationToken::new();
        let membership = Membership::new(
            ports.cluster.clone(),
            settings.owner.clone(),
            settings.cluster,
            stop.clone(),
        );
        let shared = Arc::new(Shared {
            ports,
            settings,
            reads,
            waits: Waits::default(),
            unwritten: Unwritten::default(),
            takeovers: Semaphore::new(TAKEOVERS_AT_ONCE),
            registry: Registry::default(),
            poller: Poller::default(),
            admission,
            published: broadcast::channel(PUBLISHED).0,
            tasks: TaskTracker::new(),
            loops: TaskTracker::new(),
            membership,
            holding: Holding::default(),
            tails: Tails::default(),
            stop,
            leaving: CancellationToken::new(),
            failed: CancellationToken::new(),
            starting: Mutex::default(),
            started: Notify::new(),
            ids: Ids::default(),
        });
        shared.poller.attach(Arc::downgrade(&shared));
        let probing = admission::probe(
            Arc::clone(&shared.admission),
            Arc::clone(&shared.ports.clock),
            shared.stop.clone(),
        );
        shared.guard(&shared.loops, probing);
        if shared.settings.quotas.from_aws {
            let asking = admission::ask_aws(
                Arc::clone(&shared.admission),
                Arc::clone(&shared.ports.drs),
                Arc::clone(&shared.ports.clock),
                shared.stop.clone(),
            );
            shared.guard(&shared.loops, asking);
        }
        membership::begin(&shared).await?;
        if shared.membership.member().is_some() {
            shared.guard(&shared.loops, membership::keep(Arc::clone(&shared)));
            let following = tailing::follow_everything(Arc::clone(&shared));
            shared.guard(&shared.loops, following);
        }
        Ok(Self { shared })
    }

    /// Starts nothing further, waits until DRS has answered what it was
    /// asked, and ends. Executions go on when a gateway starts again. The
    /// caller bounds the wait: whatever is cut off is looked for then.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.leaving.cancel();
        membership::leave(&self.shared).await;
        self.shared.loops.close();
        self.shared.loops.wait().await;
    }

    /// For how long the cluster has not heard this gateway, if that is longer
    /// than a lease: then others take what it drove, and it asks DRS for
    /// nothing. `None` without a cluster.
    #[must_use]
    pub fn unheard(&self) -> Option<Duration> {
        let now = self.shared.ports.clock.elapsed();
        self.shared.membership.unheard(now)
    }

    /// The same, to be asked at any time by somebody who must not keep the
    /// journal open.
    pub fn unheard_later(&self) -> impl Fn() -> Option<Duration> + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.shared);
        move || {
            let shared = shared.upgrade()?;
            Self { shared }.unheard()
        }
    }

    /// Resolves if something panicked. What it was doing is not known, so the
    /// process must end; the next one goes on from the journal.
    pub fn failed(&self) -> impl Future<Output = ()> + Send + 'static {
        self.shared.failed.clone().cancelled_owned()
    }
}

/// The servers that an execution has to itself: those that its plan names, and
/// those that were selected.
fn servers_of(execution: &Execution) -> Vec<SourceServerId> {
    let mut servers: Vec<SourceServerId> = execution.plan().named_servers().cloned().collect();
    let selected = execution.waves().flat_map(|wave| wave.servers());
    servers.extend(selected.map(|server| server.selected.id.clone()));
    servers
}

impl Shared {
    /// Waits on the port's clock.
    async fn wait(&self, duration: Duration) {
        self.ports.clock.sleep(duration).await;
    }

    /// Spawns work whose panic ends the process.
    fn guard(
        &self,
        tracker: &TaskTracker,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> AbortHandle {
        let failed = self.failed.clone();
        let guarded = async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!("a part of the driver panicked; the process must end");
                failed.cancel();
            }
        };
        tracker.spawn(guarded).abort_handle()
    }
}
