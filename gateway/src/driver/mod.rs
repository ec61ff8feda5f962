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
mod calls;
mod checking;
mod dispatch;
mod error;
mod figures;
mod follow;
mod jitter;
mod log;
mod looking;
mod outstanding;
mod pace;
mod planted;
mod random;
mod reading;
mod reads;
mod registry;
mod selection;
mod settings;
mod starting;
mod view;
mod writing;

use std::{
    collections::BTreeSet,
    future::ready,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use tidegate_core::{
    ExecutionId, SourceServerId,
    engine::{Event, Execution},
};
use tokio::{
    sync::{Notify, broadcast, oneshot},
    task::AbortHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use admission::{Limits, OwnLimits, Place, Probing, Quotas};
pub use error::DriverError;
pub use follow::PollBounds;
pub use planted::{Planted, Planting};
pub use random::Random;
pub use reading::Listed;
pub use settings::{Codec, DriverPorts, DriverSettings};
pub use starting::StartOrder;
pub use view::{Origin, RecordView, RequestStamp, View};

use self::{
    actor::{Asked, Begin, Message},
    admission::Admission,
    follow::Poller,
    log::Log,
    outstanding::Waits,
    random::Ids,
    reads::Reads,
    registry::Registry,
};

/// Commits that a watcher of everything may lag behind; beyond that it reads
/// from its cursors.
const PUBLISHED: usize = 4096;
/// Heads that are read at once.
const HEADS: usize = 1_000;
/// Logs that are read at the same time when the gateway starts.
const RESUMED_AT_ONCE: usize = 64;

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
    poller: Poller,
    admission: Arc<Admission>,
    reads: Reads,
    waits: Waits,
    published: broadcast::Sender<Published>,
    /// Executions and calls that change something at DRS: a shutdown waits
    /// for them.
    tasks: TaskTracker,
    /// Loops that only read.
    loops: TaskTracker,
    stop: CancellationToken,
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
}

impl Driver {
    /// Starts the driver, and goes on with every execution that is not over.
    ///
    /// # Errors
    /// What the journal holds cannot be read, or cannot be continued.
    pub async fn start(ports: DriverPorts, settings: DriverSettings) -> Result<Self, DriverError> {
        let admission = Arc::new(Admission::new(settings.quotas.clone(), settings.probing));
        let reads = Reads::new(Arc::clone(&ports.clock), &settings);
        let shared = Arc::new(Shared {
            ports,
            settings,
            reads,
            waits: Waits::default(),
            registry: Registry::default(),
            poller: Poller::default(),
            admission,
            published: broadcast::channel(PUBLISHED).0,
            tasks: TaskTracker::new(),
            loops: TaskTracker::new(),
            stop: CancellationToken::new(),
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
        let driver = Self { shared };
        driver.resume_unfinished().await?;
        Ok(driver)
    }

    /// Every unfinished execution takes its servers before the first of them
    /// does anything: one that goes on could otherwise take what another one
    /// holds.
    async fn resume_unfinished(&self) -> Result<(), DriverError> {
        let unfinished = self.unfinished().await?;
        let logs: Vec<Log> = futures::stream::iter(unfinished)
            .map(|id| self.read_unfinished(id))
            .buffer_unordered(RESUMED_AT_ONCE)
            .try_filter_map(|log| ready(Ok(log)))
            .try_collect()
            .await?;
        let driven: Vec<Log> = logs.into_iter().filter(|log| self.enter(log)).collect();
        let count = driven.len();
        for log in &driven {
            let now = self.shared.ports.clock.now();
            self.shared.admission.register(&log.execution, now);
        }
        for log in driven {
            actor::spawn(&self.shared, log, Begin::TakenOver);
        }
        if count > 0 {
            tracing::info!(count, "resumed unfinished executions");
        }
        Ok(())
    }

    async fn unfinished(&self) -> Result<Vec<ExecutionId>, DriverError> {
        let journal = &self.shared.ports.journal;
        let mut unfinished: Vec<ExecutionId> = Vec::new();
        loop {
            let page = journal.heads(unfinished.last(), true, HEADS).await?;
            if page.is_empty() {
                return Ok(unfinished);
            }
            unfinished.extend(page.into_iter().map(|head| head.execution));
        }
    }

    /// A log that cannot be understood keeps nobody else from going on: the
    /// execution is left as it is, and everything asked of it says why.
    async fn read_unfinished(&self, id: ExecutionId) -> Result<Option<Log>, DriverError> {
        match self.shared.read(&id, None).await {
            Ok(log) if log.execution.state().is_terminal() => Ok(None),
            Ok(log) => Ok(Some(log)),
            Err(DriverError::Damaged(why)) => {
                tracing::error!(execution = %id, why, "this execution cannot be resumed");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes an unfinished execution's place and servers.
    fn enter(&self, log: &Log) -> bool {
        let execution = &log.execution;
        let servers = servers_of(execution);
        let entered = self
            .shared
            .registry
            .enter(execution.id(), &servers, usize::MAX);
        if let Err(error) = &entered {
            tracing::error!(execution = %execution.id(), %error, "this execution cannot be resumed");
        }
        entered.is_ok()
    }

    /// Hands a person's request (pause, resume, cancel, retry, skip) to an
    /// execution; answered when what it decided is durable, with the state at
    /// that revision. The same request id again gives the first answer.
    ///
    /// # Errors
    /// See [`DriverError`]; a refused request records nothing.
    pub async fn request(
        &self,
        id: &ExecutionId,
        event: Event,
        stamp: Option<RequestStamp>,
    ) -> Result<View, DriverError> {
        let registry = &self.shared.registry;
        loop {
            if let Some(answer) = self.request_of_live(id, &event, &stamp).await {
                return answer;
            }
            match self.request_of_ended(id, &event, &stamp).await {
                // Its first record was there, and only now it is live.
                Err(DriverError::NotOwner(_)) if registry.get(id).is_some() => {}
                Err(DriverError::NotOwner(_)) if registry.is_starting(id) => {
                    let why = "the execution is just being started".to_owned();
                    return Err(DriverError::Unavailable(why));
                }
                answer => return answer,
            }
        }
    }

    /// `None` if the execution is not live here.
    async fn request_of_live(
        &self,
        id: &ExecutionId,
        event: &Event,
        stamp: &Option<RequestStamp>,
    ) -> Option<Result<View, DriverError>> {
        let live = self.shared.registry.get(id)?;
        let (reply, answer) = oneshot::channel();
        let message = Message::Asked {
            event: event.clone(),
            stamp: stamp.clone(),
            reply,
        };
        live.mailbox.send(message).await.ok()?;
        match answer.await.ok()? {
            Ok(Asked::Done(view)) => Some(Ok(view)),
            Ok(Asked::Before(revision)) => Some(self.view_at(id, revision).await),
            Err(error) => Some(Err(error)),
        }
    }

    /// An execution that is over accepts nothing, but still gives the first
    /// answer to a request that it accepted.
    async fn request_of_ended(
        &self,
        id: &ExecutionId,
        event: &Event,
        stamp: &Option<RequestStamp>,
    ) -> Result<View, DriverError> {
        let shared = &self.shared;
        let log = shared.read(id, None).await?;
        if let Some(stamp) = stamp
            && let Some((digest, revision)) = log.requests.get(&stamp.id)
        {
            if stamp.digest != *digest {
                return Err(DriverError::RequestIdReused(stamp.id.clone()));
            }
            return self.view_at(id, *revision).await;
        }
        match log.execution.decide(event.clone(), log.updated_at) {
            Err(rejection) => Err(DriverError::Rejected(rejection)),
            Ok(_) if shared.stop.is_cancelled() => Err(DriverError::ShuttingDown),
            Ok(_) => Err(DriverError::NotOwner(id.clone())),
        }
    }

    /// Starts nothing further, waits until DRS has answered what it was
    /// asked, and ends. Executions go on when a gateway starts again. The
    /// caller bounds the wait: whatever is cut off is looked for then.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.loops.close();
        self.shared.loops.wait().await;
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
