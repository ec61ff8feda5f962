//! The composition root: the only place that names concrete adapters.
//!
//! Parts are made in an order in which each fails before the next one has
//! done anything: address, certificates, socket, data directory, journal,
//! driver, services. They end in the opposite order.

use std::{fmt, future, io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use futures::future::{BoxFuture, FutureExt, Shared, select};
use tidegate_core::OwnerId;
use tidegate_proto::v1;
use tokio::{net::TcpListener, task::JoinHandle};
use tower::util::MapResponse;

use crate::{
    adapters::{
        drs_aws::{self, AwsDrs},
        hooks_wasm::{self, WasmHooks},
        journal_memory::MemoryJournal,
        journal_redb::{self, DataDir, DataDirError, RedbJournal},
        no_hooks::NoHooks,
        system_clock::SystemClock,
    },
    config::{self, Config, DrsMode, DrsModeError, DrsPollError, IncompleteTls, JournalKind},
    drain::Drain,
    driver::{Codec, Driver, DriverError, DriverPorts, DriverSettings, Probing},
    grpc::{
        Feeds, HookAccess, ServiceSettings, Services, arm_in_background, encode_summary,
        pinned_plan,
    },
    ports::{
        clock::Clock,
        drs::Drs,
        hook_store::HookStore,
        hooks::Hooks,
        journal::{Journal, ReadError},
        plan_store::PlanStore,
    },
    serving::{
        self, AddressError, Admission, Connections, Deadlines, Exposure, Health, Operations,
        OperationsError, TlsError,
    },
    telemetry::{Telemetry, TelemetryError},
};

#[cfg(test)]
mod tests;

/// A running gateway.
pub struct Gateway {
    address: SocketAddr,
    driver: Driver,
    health: Health,
    drain: Drain,
    accepting: JoinHandle<()>,
    fatal: Shared<BoxFuture<'static, StopReason>>,
    request_drain: Duration,
    call_drain: Duration,
    telemetry: Telemetry,
    operations: Option<(SocketAddr, JoinHandle<()>)>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The world, as a gateway reaches it.
pub struct Ports {
    /// Where executions are recorded.
    pub journal: Arc<dyn Journal>,
    /// Where plans are stored. Request ids are looked up in the journal, so
    /// it must be the same store.
    pub plans: Arc<dyn PlanStore>,
    /// AWS Elastic Disaster Recovery.
    pub drs: Arc<dyn Drs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hooks.
    pub hooks: Arc<dyn Hooks>,
    /// Where hooks and tapes are stored.
    pub hook_store: Arc<dyn HookStore>,
    /// Resolves if the gateway must stop by itself.
    pub fatal: BoxFuture<'static, StopReason>,
}

impl Ports {
    /// An empty journal in memory, the machine's clock and no hooks, for
    /// tests and demonstrations.
    #[must_use]
    pub fn in_memory(drs: Arc<dyn Drs>) -> Self {
        let store = Arc::new(MemoryJournal::new());
        Self {
            journal: Arc::clone(&store) as Arc<dyn Journal>,
            plans: Arc::clone(&store) as Arc<dyn PlanStore>,
            hook_store: store,
            drs,
            clock: Arc::new(SystemClock),
            hooks: Arc::new(NoHooks),
            fatal: future::pending().boxed(),
        }
    }
}

/// Why a gateway must stop by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// What was not acknowledged may or may not be stored.
    #[error("{0}")]
    JournalFailed(String),
    /// A bug of ours. What was under way is settled by the next start.
    #[error("a part of the driver panicked; start the gateway again")]
    DriverPanicked,
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address would expose it.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// TLS files are missing in the configuration.
    #[error(transparent)]
    TlsConfig(#[from] IncompleteTls),
    /// TLS files are of no use.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The operations port cannot be served.
    #[error(transparent)]
    Operations(#[from] OperationsError),
    /// Nothing can be sent to the collector.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The mode of DRS is incomplete.
    #[error(transparent)]
    Drs(#[from] DrsModeError),
    /// How DRS is followed contradicts itself.
    #[error(transparent)]
    Poll(#[from] DrsPollError),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] journal_redb::OpenError),
    /// Hooks cannot be run on this machine.
    #[error(transparent)]
    Hooks(#[from] hooks_wasm::OpenError),
    /// What is stored of hooks cannot be read.
    #[error("cannot read the stored hooks: {0}")]
    HookStore(#[source] ReadError),
    /// What the journal holds cannot be continued.
    #[error("cannot continue what the journal holds: {0}")]
    Driver(#[from] DriverError),
    /// The embedded descriptors are broken.
    #[error("cannot serve reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// Opening the journal was interrupted.
    #[error("opening the journal was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Gateway {
    /// Starts a gateway with the adapters that the configuration names.
    ///
    /// # Errors
    /// See [`StartError`]. Nothing is left running.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let socket = Socket::bind(&config).await?;
        let telemetry = begin_telemetry(&config, Arc::new(SystemClock))?;
        let ports = open_ports(&config, &telemetry).await?;
        compose(config, (socket, telemetry), ports).await
    }

    /// Starts a gateway on these ports instead.
    ///
    /// # Errors
    /// See [`StartError`]. Nothing is left running.
    pub async fn start_with(config: Config, ports: Ports) -> Result<Self, StartError> {
        let socket = Socket::bind(&config).await?;
        let telemetry = begin_telemetry(&config, Arc::clone(&ports.clock))?;
        compose(config, (socket, telemetry), ports).await
    }

    /// Who could reach a gateway with these settings.
    ///
    /// # Errors
    /// Others than should; then such a gateway does not start.
    pub fn exposure(config: &Config) -> Result<Exposure, StartError> {
        let files = config.tls.files()?;
        let certified = files.is_some_and(|files| files.client_ca.is_some());
        let listen = &config.listen;
        Ok(serving::check_address(
            listen.address,
            certified,
            listen.insecure,
        )?)
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it serves metrics and health, if it does.
    #[must_use]
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.operations.as_ref().map(|(address, _)| *address)
    }

    /// Resolves if the gateway must stop by itself, with the reason. Then
    /// [`Gateway::shut_down`] it and end the process.
    pub async fn stopped(&self) -> StopReason {
        self.fatal.clone().await
    }

    /// Ends in order: health checks hear it, streams end with their cursors,
    /// requests are finished, connections are closed, calls to DRS are
    /// answered. What does not end in time is cut off.
    pub async fn shut_down(self) {
        self.health.not_serving().await;
        self.drain.begin();
        if let Err(error) = self.accepting.await {
            tracing::error!(%error, "the accept loop failed");
        }
        if !self.drain.finish(self.request_drain).await {
            tracing::warn!("connections were cut off: they did not end in time");
        }
        let stopped = tokio::time::timeout(self.call_drain, self.driver.stop()).await;
        if stopped.is_err() {
            tracing::warn!("calls to DRS were cut off; the next start looks what became of them");
        }
        self.telemetry.shut_down().await;
        if let Some((_, operations)) = self.operations {
            operations.abort();
        }
    }
}

/// A bound socket, and what is spoken on it.
struct Socket {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<tokio_rustls::TlsAcceptor>,
    operations: Option<Operations>,
}

impl Socket {
    async fn bind(config: &Config) -> Result<Self, StartError> {
        let address = config.listen.address;
        match Gateway::exposure(config)? {
            Exposure::ThisMachine | Exposure::Certified => {}
            Exposure::Anybody => tracing::warn!(
                %address,
                "INSECURE: anybody who reaches this address can start a recovery and terminate \
                 servers; clients need no certificate"
            ),
        }
        let files = config.tls.files()?;
        let tls = files.as_ref().map(serving::acceptor).transpose()?;
        let bind_error = |source| StartError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        let operations = match config.operations.listen {
            Some(address) => Some(Operations::bind(address, config.operations.insecure).await?),
            None => None,
        };
        Ok(Self {
            address: listener.local_addr().map_err(bind_error)?,
            listener,
            tls,
            operations,
        })
    }
}

fn begin_telemetry(config: &Config, clock: Arc<dyn Clock>) -> Result<Telemetry, StartError> {
    let instance = ulid::Ulid::new().to_string().to_lowercase();
    let settings = config.telemetry.settings(instance);
    Ok(Telemetry::begin(&settings, clock)?)
}

async fn open_ports(config: &Config, telemetry: &Telemetry) -> Result<Ports, StartError> {
    let drs = open_drs(config).await?.observed_by(telemetry.aws());
    let drs = Arc::new(drs);
    match config.journal.kind {
        JournalKind::Memory => {
            let ports = Ports::in_memory(drs);
            let hooks = open_hooks(&config.hooks, &ports.hook_store, None).await?;
            Ok(Ports { hooks, ..ports })
        }
        JournalKind::Redb => {
            let journal = open_journal(config).await?;
            let failure = journal.fatal();
            let store = Arc::new(journal);
            let hook_store = Arc::clone(&store) as Arc<dyn HookStore>;
            let directory = Some(config.journal.data_dir.as_path());
            let hooks = open_hooks(&config.hooks, &hook_store, directory).await?;
            Ok(Ports {
                journal: Arc::clone(&store) as Arc<dyn Journal>,
                plans: store,
                drs,
                clock: Arc::new(SystemClock),
                hooks,
                hook_store,
                fatal: failure
                    .map(|failure| StopReason::JournalFailed(failure.to_string()))
                    .boxed(),
            })
        }
    }
}

/// With a directory, what was compiled is kept there.
async fn open_hooks(
    config: &config::Hooks,
    store: &Arc<dyn HookStore>,
    directory: Option<&Path>,
) -> Result<Arc<dyn Hooks>, StartError> {
    let settings = hooks_wasm::Settings {
        compiler: config.compiler.clone(),
        compilations: config.compilations.get(),
        compile_timeout: config.compile_timeout.get(),
        compile_memory: u64::from(config.compile_memory_mib) << 20,
        allow_loopback: config.allow_loopback,
        directory: directory.map(Path::to_path_buf),
    };
    if config.allow_loopback {
        tracing::warn!("hooks may probe this machine: hooks.allow_loopback is set");
    }
    let parts = hooks_wasm::Parts::system(settings, Arc::clone(store), Arc::new(SystemClock))?;
    let hooks = WasmHooks::open(parts).await;
    Ok(Arc::new(hooks.map_err(StartError::HookStore)?))
}

async fn open_journal(config: &Config) -> Result<RedbJournal, StartError> {
    let path = config.journal.data_dir.clone();
    let settings = journal_redb::Settings {
        cache_bytes: config.journal.cache_bytes,
    };
    let open = move || {
        let directory = Arc::new(DataDir::open(path)?);
        Ok::<_, StartError>(RedbJournal::open(directory, &settings)?)
    };
    tokio::task::spawn_blocking(open).await?
}

async fn open_drs(config: &Config) -> Result<AwsDrs, StartError> {
    let mode = match config.drs.mode()? {
        DrsMode::Aws => drs_aws::Mode::Aws {
            external_id: config.drs.external_id.clone(),
        },
        DrsMode::Endpoint { url } => drs_aws::Mode::Endpoint { url },
    };
    let timeouts = drs_aws::Timeouts {
        connect: config.drs.connect_timeout.get(),
        read: config.drs.read_timeout.get(),
        change: config.drs.change_timeout.get(),
    };
    let settings = drs_aws::Settings {
        timeouts,
        look_skew: config.drs.clock_skew.span(),
        tag_jobs: config.drs.tag_jobs,
        ..drs_aws::Settings::new(mode)
    };
    Ok(AwsDrs::connect(settings).await)
}

/// Builds the driver and the services on the ports, and begins to serve.
async fn compose(
    config: Config,
    (socket, telemetry): (Socket, Telemetry),
    ports: Ports,
) -> Result<Gateway, StartError> {
    let ports = Ports {
        journal: telemetry.journal(ports.journal, journal_name(&config)),
        drs: telemetry.drs(ports.drs),
        ..ports
    };
    let driver = start_driver(&config, &ports).await?;
    let served = serve(config, (socket, telemetry), ports, driver.clone()).await;
    if served.is_err() {
        driver.stop().await;
    }
    served
}

async fn serve(
    config: Config,
    (socket, mut telemetry): (Socket, Telemetry),
    ports: Ports,
    driver: Driver,
) -> Result<Gateway, StartError> {
    let drain = Drain::default();
    let services = Arc::new(Services {
        driver: driver.clone(),
        journal: ports.journal,
        plans: ports.plans,
        drs: ports.drs,
        hooks: ports.hooks,
        hook_store: ports.hook_store,
        clock: ports.clock,
        settings: service_settings(&config)?,
        drain: drain.clone(),
        feeds: Feeds::default(),
        hook_access: HookAccess::default(),
    });
    let limits = &config.limits;
    let mounted = serving::mount(&services, limits.request_bytes.get()).await?;
    arm_in_background(&services);
    telemetry.observe(&services, socket.operations.is_some());
    let operations = serve_operations(socket.operations, &telemetry, &drain);
    let refuse = serving::refuse_too_large(limits.request_bytes.get());
    let routes = MapResponse::new(mounted.routes, refuse);
    let admitted = Admission::new(routes, limits.requests.get());
    let service = Deadlines::new(
        admitted,
        limits.request_timeout.get(),
        config.hooks.compile_timeout.get(),
        drain.clone(),
    );
    let service = telemetry.calls(service);
    let connections = Connections {
        limit: limits.connections.get(),
        streams: limits.streams_per_connection.get(),
        handshake_timeout: config.listen.handshake_timeout.get(),
        keepalive_interval: config.listen.keepalive_interval.get(),
        keepalive_timeout: config.listen.keepalive_timeout.get(),
    };
    let panicked = driver.failed().map(|()| StopReason::DriverPanicked);
    let fatal = select(ports.fatal, panicked.boxed())
        .map(|first| first.factor_first().0)
        .boxed();
    tracing::info!(address = %socket.address, tls = socket.tls.is_some(), "serving");
    let serving = serving::serve(
        socket.listener,
        socket.tls,
        service,
        connections,
        drain.clone(),
    );
    Ok(Gateway {
        address: socket.address,
        driver,
        health: mounted.health,
        drain,
        accepting: tokio::spawn(serving),
        fatal: fatal.shared(),
        request_drain: config.drain.timeout.get(),
        call_drain: config.drain.calls_timeout.get(),
        telemetry,
        operations,
    })
}

async fn start_driver(config: &Config, ports: &Ports) -> Result<Driver, StartError> {
    let ports = DriverPorts {
        journal: Arc::clone(&ports.journal),
        drs: Arc::clone(&ports.drs),
        clock: Arc::clone(&ports.clock),
        hooks: Arc::clone(&ports.hooks),
        codec: Codec {
            plan: pinned_plan,
            summary: encode_summary,
        },
    };
    let settings = DriverSettings {
        owner: OwnerId::new(format!("gateway-{}", ulid::Ulid::new()).to_lowercase()),
        engine: config.engine.settings(config.limits.servers_per_plan.get()),
        quotas: config.drs.quotas(config.engine.servers_per_job),
        probing: Probing {
            idle: (
                config.engine.defer_backoff.span(),
                config.engine.defer_max.span(),
            ),
            ..Probing::default()
        },
        poll: config.drs.poll()?,
        forgotten_after: config.drs.forgotten_after.get(),
        look_interval: config.drs.look_interval.get(),
        look_by: config.drs.look_by()?,
        reads_at_once: config.drs.reads_at_once.get(),
        jitter_seed: ulid::Ulid::new().random() as u64,
        read_backoff_max: config.drs.read_backoff_max.get(),
        live_limit: config.limits.live_executions.get(),
        request_limit: config.limits.requests_per_execution.get(),
        ..DriverSettings::default()
    };
    Ok(Driver::start(ports, settings).await?)
}

fn service_settings(config: &Config) -> Result<ServiceSettings, StartError> {
    let drs = match config.drs.mode()? {
        DrsMode::Aws => "aws",
        DrsMode::Endpoint { .. } => "emulator",
    };
    Ok(ServiceSettings {
        plan_limits: config.limits.plan(),
        info: v1::GetGatewayInfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            drs: drs.to_owned(),
            journal: journal_name(config).to_owned(),
            limits: Some(config.limits.shown()),
        },
        watch: config.watch.settings(),
    })
}

fn serve_operations(
    operations: Option<Operations>,
    telemetry: &Telemetry,
    drain: &Drain,
) -> Option<(SocketAddr, JoinHandle<()>)> {
    let operations = operations?;
    let address = operations.address();
    tracing::info!(%address, "serving metrics and health");
    Some((address, operations.serve(telemetry.text(), drain.clone())))
}

fn journal_name(config: &Config) -> &'static str {
    match config.journal.kind {
        JournalKind::Redb => "redb",
        JournalKind::Memory => "memory",
    }
}
