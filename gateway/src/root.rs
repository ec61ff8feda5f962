//! The composition root: the only place that names concrete adapters.
//!
//! Parts are made in an order in which each fails before the next one has
//! done anything: address, certificates, socket, data directory, journal,
//! driver, services. They end in the opposite order.

use std::{fmt, future, io, net::SocketAddr, sync::Arc, time::Duration};

use futures::future::{BoxFuture, FutureExt, Shared, select};
use tidegate_core::OwnerId;
use tidegate_proto::v1;
use tokio::task::JoinHandle;
use tower::util::MapResponse;

use crate::{
    adapters::{
        hooks_wasm, journal_dynamodb,
        journal_memory::MemoryJournal,
        journal_redb::{self, DataDirError},
        no_hooks::NoHooks,
        system_clock::SystemClock,
    },
    config::{
        Config, DrsMode, DrsModeError, DrsPollError, IncompleteTls, JournalKind, SessionsError,
    },
    drain::Drain,
    driver::{Codec, Driver, DriverError, DriverPorts, DriverSettings, Probing},
    grpc::{
        Feeds, HookAccess, ServiceSettings, Services, arm_in_background, encode_summary,
        pinned_plan,
    },
    ports::{
        clock::Clock,
        cluster::Cluster,
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

mod open;
mod socket;
mod table;
#[cfg(test)]
mod tests;

use self::{open::open_ports, socket::Socket};

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
    /// The other gateways on the same journal, if it may have any.
    pub cluster: Option<Arc<dyn Cluster>>,
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
            cluster: None,
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
    /// No role could be assumed like that.
    #[error(transparent)]
    Sessions(#[from] SessionsError),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] journal_redb::OpenError),
    /// The journal's table cannot be used.
    #[error(transparent)]
    Table(#[from] journal_dynamodb::OpenError),
    /// Hooks cannot be run on this machine.
    #[error(transparent)]
    Hooks(#[from] hooks_wasm::OpenError),
    /// What is stored of hooks cannot be read.
    #[error("cannot read the stored hooks: {0}")]
    HookStore(#[source] ReadError),
    /// What the journal holds cannot be continued.
    #[error("cannot continue what the journal holds: {0}")]
    Driver(#[source] DriverError),
    /// The gateway is set otherwise than the others of its cluster.
    #[error(transparent)]
    OtherLease(DriverError),
    /// The embedded descriptors are broken.
    #[error("cannot serve reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// Opening the journal was interrupted.
    #[error("opening the journal was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl From<DriverError> for StartError {
    fn from(error: DriverError) -> Self {
        if matches!(error, DriverError::OtherLease { .. }) {
            Self::OtherLease(error)
        } else {
            Self::Driver(error)
        }
    }
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

fn begin_telemetry(config: &Config, clock: Arc<dyn Clock>) -> Result<Telemetry, StartError> {
    let instance = ulid::Ulid::new().to_string().to_lowercase();
    let settings = config.telemetry.settings(instance);
    Ok(Telemetry::begin(&settings, clock)?)
}

/// Builds the driver and the services on the ports, and begins to serve.
async fn compose(
    config: Config,
    (socket, telemetry): (Socket, Telemetry),
    ports: Ports,
) -> Result<Gateway, StartError> {
    let lease = config.cluster.lease.get();
    let ports = Ports {
        journal: telemetry.journal(ports.journal, journal_name(&config)),
        drs: telemetry.drs(ports.drs),
        cluster: ports
            .cluster
            .map(|cluster| telemetry.cluster(cluster, lease)),
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
    let operations = serve_operations(socket.operations, &telemetry, &drain, &driver);
    let too_large = serving::refuse_too_large(limits.request_bytes.get());
    let refuse = move |answer| serving::refuse_unreadable(too_large(answer));
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
        cluster: ports.cluster.clone(),
        codec: Codec {
            plan: pinned_plan,
            summary: encode_summary,
        },
    };
    let settings = DriverSettings {
        owner: OwnerId::new(format!("gateway-{}", ulid::Ulid::new()).to_lowercase()),
        cluster: config.cluster.settings(),
        engine: config.engine.settings(config.limits.servers_per_plan.get()),
        quotas: config.drs.quotas(config.engine.servers_per_job),
        probing: probing(config, ports.cluster.is_some()),
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

fn probing(config: &Config, is_member: bool) -> Probing {
    let (first, longest) = (
        config.engine.defer_backoff.span(),
        config.engine.defer_max.span(),
    );
    let Probing { busy, .. } = Probing::default();
    Probing {
        idle: (first, longest),
        // Of the jobs of other gateways nobody here hears when they end.
        busy: if is_member { (longest, busy.0) } else { busy },
    }
}

fn service_settings(config: &Config) -> Result<ServiceSettings, StartError> {
    let drs = match config.drs.mode()? {
        DrsMode::Aws => "aws",
        DrsMode::Endpoint { .. } => "emulator",
    };
    Ok(ServiceSettings {
        plan_limits: config.limits.plan(),
        quotas: config.drs.quotas(config.engine.servers_per_job),
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
    driver: &Driver,
) -> Option<(SocketAddr, JoinHandle<()>)> {
    let operations = operations?;
    let address = operations.address();
    tracing::info!(%address, "serving metrics and health");
    let unheard = Arc::new(driver.unheard_later());
    let serving = operations.serve(telemetry.text(), drain.clone(), unheard);
    Some((address, serving))
}

fn journal_name(config: &Config) -> &'static str {
    match config.journal.kind {
        JournalKind::Redb => "redb",
        JournalKind::DynamoDb => "aws.dynamodb",
        JournalKind::Memory => "memory",
    }
}
