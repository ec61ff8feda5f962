//! A gateway without sockets, over a DRS where every launch succeeds at once
//! and hooks that always proceed. Its clock stands still.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, pending, ready};
use tidegate_core::{
    InstanceId, JobId, SourceServerId, Timestamp,
    engine::{HookAnswer, HookVerdict, JobReport, LaunchAnswer, Looked, ServerReport, ServerState},
    plan::{Limits, Plan, Target},
};
use tidegate_gateway::{
    adapters::journal_memory::MemoryJournal,
    drain::Drain,
    driver::{Codec, Driver, DriverPorts, DriverSettings, Quotas},
    grpc::{
        Feeds, HookAccess, ServiceSettings, Services, WatchSettings, encode_summary, pinned_plan,
    },
    ports::{
        clock::Clock,
        drs::{
            Drs, DrsError, ForgottenOrder, JobQuery, LaunchOrder, LookOrder, Observation,
            RecoveryInstance, ServerQuery, SourceServer, TerminateOrder,
        },
        hook_store::HookStoreError,
        hooks::{
            HookCall, HookInfo, Hooks, RegisterError, Rehearsal, RehearsalError, Rehearsed, Unarmed,
        },
        journal::ReadError,
    },
};
use tidegate_proto::v1;

/// Turns that other tasks get after a request.
const TURNS: usize = 12;

pub(super) struct World {
    services: Arc<Services>,
    newest: String,
}

impl World {
    pub(super) async fn new() -> Self {
        let store = Arc::new(MemoryJournal::new());
        let ports = DriverPorts {
            journal: store.clone(),
            drs: Arc::new(WillingDrs),
            clock: Arc::new(StoppedClock),
            hooks: Arc::new(ProceedingHooks),
            cluster: None,
            codec: Codec {
                plan: pinned_plan,
                summary: encode_summary,
            },
        };
        let driver = Driver::start(ports, DriverSettings::default()).await;
        let services = Services {
            driver: driver.expect("an empty journal can be continued"),
            journal: store.clone(),
            plans: store.clone(),
            drs: Arc::new(WillingDrs),
            hooks: Arc::new(ProceedingHooks),
            hook_store: store,
            hook_access: HookAccess::default(),
            clock: Arc::new(StoppedClock),
            settings: settings(),
            drain: Drain::default(),
            feeds: Feeds::default(),
        };
        Self {
            services: Arc::new(services),
            newest: String::new(),
        }
    }

    pub(super) fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services)
    }

    pub(super) fn started(&mut self, id: String) {
        self.newest = id;
    }

    /// The id of the newest execution; empty before the first.
    pub(super) fn newest(&self) -> &str {
        &self.newest
    }

    /// Lets everything else go on.
    pub(super) async fn settle(&self) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }
}

fn settings() -> ServiceSettings {
    let long = Duration::from_secs(3_600);
    ServiceSettings {
        plan_limits: Limits::default(),
        quotas: Quotas::default(),
        info: v1::GetGatewayInfoResponse::default(),
        watch: WatchSettings {
            bookmark_interval: long,
            stall_timeout: long,
            max_age: long,
            buffer: 4,
            streams: 8,
        },
    }
}

#[derive(Clone, Copy, Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_767_225_600_000)
    }

    fn sleep_until(&self, _at: Timestamp) -> BoxFuture<'static, ()> {
        pending().boxed()
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

#[derive(Clone, Copy, Debug)]
struct WillingDrs;

fn over(
    key: &str,
    servers: impl Iterator<Item = SourceServerId>,
    state: ServerState,
) -> LaunchAnswer {
    let one = |server: SourceServerId| ServerReport {
        instance: Some(InstanceId::new(format!("i-{server}"))),
        server,
        state,
        detail: Arc::from(""),
        warnings: Vec::new(),
    };
    LaunchAnswer::Accepted(JobReport {
        job: JobId::new(format!("drsjob-{key}")),
        ended: true,
        servers: servers.map(one).collect(),
    })
}

impl Drs for WillingDrs {
    fn start_recovery(&self, order: LaunchOrder) -> BoxFuture<'_, LaunchAnswer> {
        let servers = order.servers.into_iter().map(|(server, _)| server);
        ready(over(&order.key, servers, ServerState::Launched)).boxed()
    }

    fn terminate(&self, order: TerminateOrder) -> BoxFuture<'_, LaunchAnswer> {
        let servers = order.instances.into_iter().map(|(server, _)| server);
        ready(over(&order.key, servers, ServerState::Terminated)).boxed()
    }

    fn look(&self, _order: LookOrder) -> BoxFuture<'_, Result<Looked, DrsError>> {
        ready(Ok(Looked::Nothing)).boxed()
    }

    fn observe(
        &self,
        _target: Arc<Target>,
        _jobs: Vec<JobQuery>,
    ) -> BoxFuture<'_, Result<Observation, DrsError>> {
        ready(Ok(Observation {
            reports: Vec::new(),
            missed: None,
        }))
        .boxed()
    }

    fn judge_forgotten(&self, order: ForgottenOrder) -> BoxFuture<'_, Result<JobReport, DrsError>> {
        ready(Ok(JobReport {
            job: order.job,
            ended: true,
            servers: Vec::new(),
        }))
        .boxed()
    }

    fn source_servers(
        &self,
        _target: Arc<Target>,
        query: ServerQuery,
    ) -> BoxFuture<'_, Result<Vec<SourceServer>, DrsError>> {
        let ids = match query {
            ServerQuery::Ids(ids) => ids,
            ServerQuery::Tags(_) => vec![SourceServerId::from("s-00000000000000001")],
        };
        let one = |id| SourceServer {
            id,
            hostname: "db-1".to_owned(),
            tags: BTreeMap::new(),
            replication_state: "CONTINUOUS".to_owned(),
            lag: None,
            staging: None,
            last_launch: None,
        };
        ready(Ok(ids.into_iter().map(one).collect())).boxed()
    }

    fn recovery_instances(
        &self,
        _target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<RecoveryInstance>, DrsError>> {
        let one = |server: SourceServerId| RecoveryInstance {
            instance: InstanceId::new(format!("i-{server}")),
            server,
            is_drill: true,
            job: None,
            snapshot_time: None,
            addresses: Vec::new(),
        };
        ready(Ok(servers.into_iter().map(one).collect())).boxed()
    }

    fn newest_snapshots(
        &self,
        _target: Arc<Target>,
        _servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<(SourceServerId, Timestamp)>, DrsError>> {
        ready(Ok(Vec::new())).boxed()
    }
}

#[derive(Clone, Copy, Debug)]
struct ProceedingHooks;

impl Hooks for ProceedingHooks {
    /// There is every hook, but for those that begin with `no`.
    fn newest(&self, name: &str) -> Option<String> {
        (!name.starts_with("no")).then(|| format!("sha256:{}", "1".repeat(64)))
    }

    fn arm<'a>(&'a self, _plan: &'a Plan) -> BoxFuture<'a, Result<(), Vec<Unarmed>>> {
        ready(Ok(())).boxed()
    }

    fn run(&self, _call: HookCall) -> BoxFuture<'_, HookAnswer> {
        ready(HookAnswer::bare(HookVerdict::Proceed, "")).boxed()
    }

    fn register(
        &self,
        _digest: String,
        _component: Bytes,
    ) -> BoxFuture<'_, Result<(HookInfo, bool), RegisterError>> {
        ready(Err(RegisterError::NotAHook("no hook".to_owned()))).boxed()
    }

    fn list(&self) -> Vec<HookInfo> {
        Vec::new()
    }

    fn component<'a>(
        &'a self,
        _digest: &'a str,
    ) -> BoxFuture<'a, Result<Option<Bytes>, ReadError>> {
        ready(Ok(None)).boxed()
    }

    fn delete<'a>(
        &'a self,
        _digest: &'a str,
        _shelf: u64,
    ) -> BoxFuture<'a, Result<bool, HookStoreError>> {
        ready(Ok(false)).boxed()
    }

    fn rehearse(&self, rehearsal: Rehearsal) -> BoxFuture<'_, Result<Rehearsed, RehearsalError>> {
        ready(Err(RehearsalError::NoHook(rehearsal.digest))).boxed()
    }
}
