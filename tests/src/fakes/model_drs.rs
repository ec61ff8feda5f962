//! DRS as the emulator's model plays it, without a wire, in whatever time a
//! clock says. It counts the reads that following jobs costs: those that the
//! adapter for AWS would make. It loses no answer, and forgets no job.

mod told;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::{BoxFuture, FutureExt as _, ready};
use tidegate_core::{
    InstanceId, JobId, SourceServerId, Timestamp,
    engine::{JobReport, LaunchAnswer, Looked},
    plan::Target,
};
use tidegate_emulator::model::{
    self, Job, JobPhase, LaunchRequest, LaunchStatus, Model, Purpose, Refusal, Resource,
    ServerLaunch, Tags,
};
use tidegate_gateway::ports::{
    clock::Clock,
    drs::{
        Depth, Drs, DrsError, ForgottenOrder, JobQuery, LaunchOrder, LookOrder, Observation,
        RecoveryInstance, ServerQuery, SourceServer, TerminateOrder,
    },
};

/// The tag by which a job is found again.
const LAUNCH_TAG: &str = "tidegate:launch";
/// What one `DescribeJobs` takes.
const JOBS_PER_CALL: usize = 1_000;

/// A model of DRS behind the driver's port.
pub struct ModelDrs {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    model: Model,
    /// What was read of each job's log.
    read: BTreeMap<model::JobId, Read>,
    calls: Calls,
}

/// How far a job's log was read, and what its status said then.
#[derive(Clone, Debug, Default)]
struct Read {
    items: usize,
    status: Option<(JobPhase, Vec<LaunchStatus>)>,
}

/// Calls that following jobs took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// `DescribeJobs`.
    pub jobs: usize,
    /// Pages of `DescribeJobLogItems`.
    pub log_items: usize,
}

impl ModelDrs {
    /// A model, in the time of this clock.
    #[must_use]
    pub fn new(model: Model, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::new(State {
                model,
                read: BTreeMap::new(),
                calls: Calls::default(),
            }),
        }
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.now().calls
    }

    /// What is true of DRS now.
    pub fn with_model<T>(&self, read: impl FnOnce(&Model) -> T) -> T {
        read(&self.now().model)
    }

    /// The state, after everything that is due by now.
    fn now(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.model.advance(told::instant(self.clock.now()));
        state
    }
}

impl State {
    fn launch(&mut self, order: &LaunchOrder) -> Result<Job, Refusal> {
        let servers = order.servers.iter().map(|(server, snapshot)| {
            Ok(ServerLaunch {
                server: told::server_id(server)?,
                snapshot: snapshot.as_ref().map(told::snapshot_id).transpose()?,
            })
        });
        let request = LaunchRequest {
            servers: servers.collect::<Result<_, Refusal>>()?,
            purpose: Purpose::of_drill_flag(order.is_drill),
            tags: Tags::from([(LAUNCH_TAG.to_owned(), order.key.clone())]),
        };
        let now = self.model.now();
        self.model
            .start_recovery(&told::place(&order.target)?, &request, now)
    }

    fn terminate(&mut self, order: &TerminateOrder) -> Result<Job, Refusal> {
        let at = told::place(&order.target)?;
        let instances = order.instances.iter();
        let instances: Vec<_> = instances
            .map(|(_, instance)| told::instance_id(instance))
            .collect::<Result<_, Refusal>>()?;
        let now = self.model.now();
        let job = self
            .model
            .terminate_recovery_instances(&at, &instances, now)?;
        let arn = Resource::Job(job.id.clone()).arn(&at);
        let tags = Tags::from([(LAUNCH_TAG.to_owned(), order.key.clone())]);
        self.model.tag(&at, &arn, &tags)?;
        Ok(job)
    }

    fn look(&self, order: &LookOrder) -> Result<Looked, Refusal> {
        let at = told::place(&order.target)?;
        let jobs = self.model.told_jobs(&at)?.map(|(_, job)| job);
        let mut found = jobs.filter(|job| job.tags.get(LAUNCH_TAG) == Some(&order.key));
        let Some(first) = found.next() else {
            return Ok(Looked::Nothing);
        };
        Ok(Looked::Found {
            report: told::report(&first, &first.log),
            duplicates: found.map(|job| JobId::from(job.id.as_str())).collect(),
        })
    }

    /// One `DescribeJobs`, and a page of the log of each job whose log is
    /// asked for or whose status shows news.
    fn observe(&mut self, target: &Target, queries: &[JobQuery]) -> Result<Observation, Refusal> {
        let at = told::place(target)?;
        self.calls.jobs += queries.len().div_ceil(JOBS_PER_CALL);
        let mut reports = Vec::new();
        for query in queries {
            let id = told::job_id(&query.job)?;
            let Some(job) = self.model.told_job(&at, &id)? else {
                continue;
            };
            let read = self.read.entry(id).or_default();
            let status = Some(told::status(&job));
            if query.depth == Depth::Log || !job.is_live() || read.status != status {
                self.calls.log_items += 1;
                *read = Read {
                    items: job.log.len(),
                    status,
                };
            }
            reports.push(told::report(&job, &job.log[..read.items]));
        }
        Ok(Observation {
            reports,
            missed: None,
        })
    }

    fn sources(&self, target: &Target, query: &ServerQuery) -> Result<Vec<SourceServer>, Refusal> {
        let at = told::place(target)?;
        let wanted = |server: &model::SourceServer| match query {
            ServerQuery::Ids(ids) => {
                let id = server.spec.id.as_str();
                ids.iter().any(|wanted| wanted.as_str() == id)
            }
            ServerQuery::Tags(tags) => tags
                .iter()
                .all(|(key, value)| server.tags.get(key) == Some(value)),
        };
        let servers = self.model.told_source_servers(&at)?;
        let servers = servers.filter(|server| wanted(server));
        Ok(servers.map(|server| told::source_server(&server)).collect())
    }

    fn instances(
        &self,
        target: &Target,
        servers: &[SourceServerId],
    ) -> Result<Vec<RecoveryInstance>, Refusal> {
        let at = told::place(target)?;
        let all = self.model.told_recovery_instances(&at)?;
        let of_servers = all.filter(|instance| {
            let server = instance.source_server.as_str();
            servers.iter().any(|wanted| wanted.as_str() == server)
        });
        let described = of_servers.map(|instance| RecoveryInstance {
            instance: InstanceId::from(instance.id.as_str()),
            server: SourceServerId::from(instance.source_server.as_str()),
            is_drill: instance.purpose.is_drill(),
            job: Some(JobId::from(instance.job.as_str())),
            snapshot_time: Some(told::timestamp(instance.point_in_time)),
            addresses: vec![instance.address.into()],
        });
        Ok(described.collect())
    }

    fn newest_snapshots(
        &self,
        target: &Target,
        servers: Vec<SourceServerId>,
    ) -> Result<Vec<(SourceServerId, Timestamp)>, Refusal> {
        let at = told::place(target)?;
        let mut newest = Vec::new();
        for server in servers {
            let id = told::server_id(&server)?;
            let known = self.model.told_source_server(&at, &id)?;
            let snapshots = known.map(|known| self.model.told_recovery_snapshots(&known));
            if let Some(last) = snapshots.and_then(|snapshots| snapshots.last().cloned()) {
                newest.push((server, told::timestamp(last.taken_at)));
            }
        }
        Ok(newest)
    }
}

impl Drs for ModelDrs {
    fn start_recovery(&self, order: LaunchOrder) -> BoxFuture<'_, LaunchAnswer> {
        let answer = self.now().launch(&order);
        ready(told::answer(answer)).boxed()
    }

    fn terminate(&self, order: TerminateOrder) -> BoxFuture<'_, LaunchAnswer> {
        let answer = self.now().terminate(&order);
        ready(told::answer(answer)).boxed()
    }

    fn look(&self, order: LookOrder) -> BoxFuture<'_, Result<Looked, DrsError>> {
        let found = self.now().look(&order);
        read("DescribeJobs", &order.target, found)
    }

    fn observe(
        &self,
        target: Arc<Target>,
        jobs: Vec<JobQuery>,
    ) -> BoxFuture<'_, Result<Observation, DrsError>> {
        let observed = self.now().observe(&target, &jobs);
        read("DescribeJobs", &target, observed)
    }

    fn judge_forgotten(&self, order: ForgottenOrder) -> BoxFuture<'_, Result<JobReport, DrsError>> {
        panic!("{} was forgotten, and this DRS forgets no job", order.job)
    }

    fn source_servers(
        &self,
        target: Arc<Target>,
        query: ServerQuery,
    ) -> BoxFuture<'_, Result<Vec<SourceServer>, DrsError>> {
        let found = self.now().sources(&target, &query);
        read("DescribeSourceServers", &target, found)
    }

    fn recovery_instances(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<RecoveryInstance>, DrsError>> {
        let found = self.now().instances(&target, &servers);
        read("DescribeRecoveryInstances", &target, found)
    }

    fn newest_snapshots(
        &self,
        target: Arc<Target>,
        servers: Vec<SourceServerId>,
    ) -> BoxFuture<'_, Result<Vec<(SourceServerId, Timestamp)>, DrsError>> {
        let found = self.now().newest_snapshots(&target, servers);
        read("DescribeRecoverySnapshots", &target, found)
    }
}

/// The answer to a read.
fn read<T: Send + 'static>(
    operation: &'static str,
    target: &Target,
    answer: Result<T, Refusal>,
) -> BoxFuture<'static, Result<T, DrsError>> {
    let refused = |refusal: Refusal| DrsError::Refused {
        operation,
        target: format!("{}/{}", target.account, target.region),
        message: refusal.to_string(),
    };
    ready(answer.map_err(refused)).boxed()
}
