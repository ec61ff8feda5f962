//! The driver: every live execution is an actor that takes one event at a
//! time, decides, makes the decision durable, folds it, publishes it, and
//! carries out what became outstanding.
//!
//! The driver knows the ports and the engine, and no concrete adapter, no
//! wire type and no plan format. State is a fold of the journal: what is kept
//! in memory can be dropped at any instant and read again.

mod actor;
mod backoff;
mod calls;
mod dispatch;
mod error;
mod follow;
mod log;
mod looking;
mod reading;
mod registry;
mod selection;
mod settings;
mod starting;
mod view;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _};
use tidegate_core::{ExecutionId, SourceServerId, engine::Event};
use tokio::sync::{Notify, broadcast, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use error::DriverError;
pub use reading::Listed;
pub use settings::{Codec, DriverPorts, DriverSettings};
pub use starting::StartOrder;
pub use view::{Origin, RecordView, RequestStamp, View};

use self::{
    actor::{Asked, Message},
    follow::Poller,
    log::Log,
    registry::Registry,
};

/// Commits that a watcher of everything may lag behind; beyond that it reads
/// from its cursors.
const PUBLISHED: usize = 4096;
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
    published: broadcast::Sender<Published>,
    /// Executions and calls that change something at DRS: a shutdown waits
    /// for them.
    tasks: TaskTracker,
    /// Loops that only read.
    loops: TaskTracker,
    stop: CancellationToken,
    /// Request ids of starts that are under way.
    starting: Mutex<BTreeSet<String>>,
    started: Notify,
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
        let shared = Arc::new(Shared {
            ports,
            settings,
            registry: Registry::default(),
            poller: Poller::default(),
            published: broadcast::channel(PUBLISHED).0,
            tasks: TaskTracker::new(),
            loops: TaskTracker::new(),
            stop: CancellationToken::new(),
            starting: Mutex::default(),
            started: Notify::new(),
        });
        shared.poller.attach(Arc::downgrade(&shared));
        let driver = Self { shared };
        driver.resume_unfinished().await?;
        Ok(driver)
    }

    async fn resume_unfinished(&self) -> Result<(), DriverError> {
        let mut before = None;
        let mut unfinished = Vec::new();
        loop {
            let journal = &self.shared.ports.journal;
            let page = journal.heads(before.as_ref(), true, 1_000).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.execution.clone());
            unfinished.extend(page.into_iter().map(|head| head.execution));
        }
        let count = unfinished.len();
        let resume = |id| self.resume(id);
        futures::stream::iter(unfinished.into_iter().map(resume))
            .buffer_unordered(RESUMED_AT_ONCE)
            .try_collect::<()>()
            .await?;
        if count > 0 {
            tracing::info!(count, "resumed unfinished executions");
        }
        Ok(())
    }

    async fn resume(&self, id: ExecutionId) -> Result<(), DriverError> {
        let shared = &self.shared;
        let log = Log::read(&shared.ports, shared.settings.engine, &id, None).await?;
        if log.execution.state().is_terminal() {
            return Ok(());
        }
        let mut servers: Vec<SourceServerId> =
            log.execution.plan().named_servers().cloned().collect();
        let selected = log.execution.waves().flat_map(|wave| wave.servers());
        servers.extend(selected.map(|server| server.selected.id.clone()));
        shared.registry.enter(&id, &servers, usize::MAX)?;
        let owner = shared.settings.owner.clone();
        actor::spawn(shared, log, Some(Event::OwnerChanged(owner)));
        Ok(())
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
        if let Some(live) = self.shared.registry.get(id) {
            let (reply, answer) = oneshot::channel();
            let message = Message::Asked {
                event: event.clone(),
                stamp: stamp.clone(),
                reply,
            };
            if live.mailbox.send(message).await.is_ok()
                && let Ok(answer) = answer.await
            {
                return match answer? {
                    Asked::Done(view) => Ok(view),
                    Asked::Before(revision) => self.view_at(id, revision).await,
                };
            }
        }
        self.request_of_ended(id, event, stamp).await
    }

    /// An execution that is over accepts nothing, but still gives the first
    /// answer to a request that it accepted.
    async fn request_of_ended(
        &self,
        id: &ExecutionId,
        event: Event,
        stamp: Option<RequestStamp>,
    ) -> Result<View, DriverError> {
        let shared = &self.shared;
        let log = Log::read(&shared.ports, shared.settings.engine, id, None).await?;
        if let Some(stamp) = stamp
            && let Some((digest, revision)) = log.requests.get(&stamp.id)
        {
            if stamp.digest != *digest {
                return Err(DriverError::RequestIdReused(stamp.id));
            }
            return self.view_at(id, *revision).await;
        }
        match log.execution.decide(event, log.updated_at) {
            Err(rejection) => Err(DriverError::Rejected(rejection)),
            Ok(_) => Err(DriverError::ShuttingDown),
        }
    }

    /// Starts nothing further, waits until DRS has answered what it was
    /// asked, and ends. Executions go on when a gateway starts again. The
    /// caller bounds the wait: whatever is cut off is looked for then.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        for live in self.shared.registry.all() {
            let _ = live.mailbox.send(Message::Stop).await;
        }
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.loops.close();
        self.shared.loops.wait().await;
    }
}

impl Shared {
    /// Waits on the port's clock.
    async fn wait(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let until = self.ports.clock.now() + tidegate_core::Span::from_millis(millis);
        self.ports.clock.sleep_until(until).await;
    }
}
