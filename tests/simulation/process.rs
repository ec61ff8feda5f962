//! A process with a driver: a runtime of its own, which is dropped to kill it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tidegate_core::{OwnerId, Span, Timestamp, engine};
use tidegate_gateway::driver::{
    self, Codec, Driver, DriverError, DriverPorts, DriverSettings, Planting, Random,
};
use tidegate_gateway::ports::cluster::Cluster;
use tokio::{
    runtime::{Builder, Runtime},
    task::AbortHandle,
};

use crate::{
    chance::Chance,
    plans,
    ports::Port,
    world::{SharedWorld, lock},
};

/// How far the clocks of processes differ at most, in milliseconds.
const SKEW: u64 = 3_000;

/// By how much the clocks of processes are too fast or too slow, in a
/// thousandth: much less than the tenth of a lease that its owner leaves out.
const DRIFT: u64 = 20;

/// A bug to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    Engine(engine::Planted),
    Driver(driver::Planted),
}

/// The lease period of the cluster.
pub(crate) const LEASE: Duration = Duration::from_secs(40);

/// A driver once it has started, or why it has not.
type Slot = Arc<Mutex<Option<Result<Driver, DriverError>>>>;

pub(crate) struct Process {
    pub(crate) number: u32,
    runtime: Runtime,
    slot: Slot,
    pub(crate) clock: Arc<Port>,
    /// Set when it has stopped in order.
    stopped: Arc<AtomicBool>,
    /// Somebody wants it to stop in order.
    pub(crate) stopping: bool,
    greeted: bool,
    /// Another one was started after it.
    pub(crate) superseded: bool,
    /// It does not run before this.
    pub(crate) stalled_until: Option<Timestamp>,
}

impl Process {
    /// Starts a driver on the world's journal. It is there once its calls are
    /// answered.
    pub(crate) fn start(world: &SharedWorld, number: u32, seed: u64, bug: Option<Bug>) -> Self {
        Self::begin(world, number, seed, bug, false)
    }

    /// The same, as a member of the world's cluster.
    pub(crate) fn join(world: &SharedWorld, number: u32, seed: u64, bug: Option<Bug>) -> Self {
        Self::begin(world, number, seed, bug, true)
    }

    fn begin(
        world: &SharedWorld,
        number: u32,
        seed: u64,
        bug: Option<Bug>,
        is_member: bool,
    ) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let slot = Slot::default();
        let started = Arc::clone(&slot);
        let mut chance = Chance::of(seed, u64::from(number));
        let port = Arc::new(Port {
            world: Arc::clone(world),
            process: number,
            ahead: Span::from_millis(chance.below(SKEW)),
            pace: chance.between(1_000 - DRIFT, 1_000 + DRIFT),
        });
        let clock = Arc::clone(&port);
        let ports = DriverPorts {
            journal: port.clone(),
            drs: port.clone(),
            clock: port.clone(),
            cluster: is_member.then(|| port.clone() as Arc<dyn Cluster>),
            hooks: port,
            codec: Codec {
                plan: plans::decode,
                summary: |view| view.execution.id().as_str().as_bytes().to_vec().into(),
            },
        };
        let settings = settings(number, seed, bug);
        runtime.spawn(async move {
            let driver = Driver::start(ports, settings).await;
            *started.lock().unwrap_or_else(PoisonError::into_inner) = Some(driver);
        });
        Self {
            number,
            runtime,
            slot,
            clock,
            stopped: Arc::default(),
            stopping: false,
            greeted: false,
            superseded: false,
            stalled_until: None,
        }
    }

    /// Runs everything in it that can run. Time stands still in its runtime:
    /// a sleep ends when nothing else is left to do.
    pub(crate) fn run(&self) {
        self.runtime
            .block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
    }

    pub(crate) fn driver(&self) -> Option<Driver> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref()?.as_ref().ok().cloned()
    }

    /// Why its driver did not start, if it did not.
    pub(crate) fn failure(&self) -> Option<String> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let error = slot.as_ref()?.as_ref().err()?;
        Some(error.to_string())
    }

    /// Whether its driver has started since this was asked last.
    pub(crate) fn is_new_driver(&mut self) -> bool {
        !self.greeted && {
            self.greeted = self.driver().is_some();
            self.greeted
        }
    }

    /// As on a signal: it ends once DRS has answered what it was asked.
    pub(crate) fn stop(&mut self, driver: Driver) {
        self.stopping = true;
        let stopped = Arc::clone(&self.stopped);
        self.runtime.spawn(async move {
            driver.stop().await;
            stopped.store(true, Ordering::Relaxed);
        });
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.runtime.spawn(work).abort_handle()
    }

    pub(crate) fn is_stalled(&self, now: Timestamp) -> bool {
        self.stalled_until.is_some_and(|until| now < until)
    }

    /// Every task ends where it waits.
    pub(crate) fn kill(self, world: &SharedWorld, chance: &mut Chance) {
        drop(self.runtime);
        lock(world).orphan(self.number, chance);
    }
}

fn settings(number: u32, seed: u64, bug: Option<Bug>) -> DriverSettings {
    let random = Mutex::new(Chance::of(seed, 1_000 + u64::from(number)));
    let random = Random::from_source(move || {
        let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
        u128::from(random.next()) << 64 | u128::from(random.next())
    });
    let mut settings = DriverSettings {
        owner: OwnerId::new(format!("p{number}")),
        random,
        tail: 4,
        read_backoff_max: Duration::from_secs(10),
        ..DriverSettings::default()
    };
    // Longer than a call may take.
    settings.cluster.lease = LEASE;
    settings.engine = engine_settings(bug);
    // Some ten thousand polls in two days.
    settings.poll.max = Duration::from_secs(15);
    if let Some(Bug::Driver(bug)) = bug {
        settings.planting = Planting::of(bug);
    }
    settings
}

/// The engine's settings in every process of a world.
pub(crate) fn engine_settings(bug: Option<Bug>) -> engine::Settings {
    let mut settings = engine::Settings {
        servers_per_job: 2,
        ..engine::Settings::default()
    };
    if let Some(Bug::Engine(bug)) = bug {
        settings.planting = engine::Planting::of(bug);
    }
    settings
}
