//! DRS as it really is in the simulated world: the emulator's model, and when
//! its jobs can be seen. What the gateway hears of it may be late or lost;
//! this is what the invariants compare with.

use std::collections::BTreeMap;

use tidegate_core::{
    InstanceId, JobId, SourceServerId, Span, Timestamp,
    engine::{JobReport, LaunchAnswer, Looked, Quota, ServerReport, ServerState},
    plan::Target,
};
use tidegate_emulator::model::{
    self, AccountId, Initiator, Job, JobEvent, JobPhase, LaunchRequest, LaunchStatus, Model, Place,
    Purpose, Refusal, Region, Resource, ServerLaunch, Tags,
};
use tidegate_gateway::ports::drs::{
    LaunchOrder, LookOrder, OrderKind, RecoveryInstance, ServerQuery, SourceServer, TerminateOrder,
};

const TAG: &str = "tidegate:launch";

/// A call that changes something.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Launch(LaunchOrder),
    Terminate(TerminateOrder),
}

impl Order {
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Launch(order) => &order.key,
            Self::Terminate(order) => &order.key,
        }
    }
}

pub(crate) struct Truth {
    pub(crate) model: Model,
    /// From when on a job is listed.
    visible: BTreeMap<JobId, Timestamp>,
    /// Jobs that the world made a second time, by key.
    pub(crate) injected: BTreeMap<String, usize>,
}

impl Truth {
    pub(crate) fn new(model: Model) -> Self {
        Self {
            model,
            visible: BTreeMap::new(),
            injected: BTreeMap::new(),
        }
    }

    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.model.advance(instant(now));
    }

    /// Does what was asked; the job is listed only after `lag`.
    pub(crate) fn perform(&mut self, order: &Order, now: Timestamp, lag: Span) -> LaunchAnswer {
        let done = match order {
            Order::Launch(order) => self.launch(order, now),
            Order::Terminate(order) => self.terminate(order, now),
        };
        match done {
            Ok(job) => {
                self.visible.insert(job_id(&job), now + lag);
                LaunchAnswer::Accepted(report(&job))
            }
            Err(refusal) => refused(&refusal),
        }
    }

    fn launch(&mut self, order: &LaunchOrder, now: Timestamp) -> Result<Job, Refusal> {
        let servers = order.servers.iter().map(|(server, _)| ServerLaunch {
            server: server_id(server),
            snapshot: None,
        });
        let request = LaunchRequest {
            servers: servers.collect(),
            purpose: Purpose::of_drill_flag(order.is_drill),
            tags: Tags::from([(TAG.to_owned(), order.key.clone())]),
        };
        let at = place(&order.target);
        self.model.start_recovery(&at, &request, instant(now))
    }

    fn terminate(&mut self, order: &TerminateOrder, now: Timestamp) -> Result<Job, Refusal> {
        let instances: Vec<_> = order
            .instances
            .iter()
            .filter_map(|(_, instance)| model::InstanceId::parse(instance.as_str()).ok())
            .collect();
        let at = place(&order.target);
        let job = self
            .model
            .terminate_recovery_instances(&at, &instances, instant(now))?;
        let arn = Resource::Job(job.id.clone()).arn(&at);
        let tags = Tags::from([(TAG.to_owned(), order.key.clone())]);
        self.model.tag(&at, &arn, &tags)?;
        Ok(job)
    }

    /// As the adapter for AWS looks: by the tag, and by servers, kind and time
    /// where there is none.
    pub(crate) fn look(&self, order: &LookOrder, now: Timestamp) -> Looked {
        let Ok(estate) = self.model.estate(&place(&order.target)) else {
            return Looked::Nothing;
        };
        let jobs = estate.jobs().iter();
        let mut found = jobs
            .filter(|job| self.is_visible(job, now) && is_of(order, job))
            .map(report);
        match found.next() {
            Some(report) => Looked::Found {
                report,
                duplicates: found.map(|report| report.job).collect(),
            },
            None => Looked::Nothing,
        }
    }

    pub(crate) fn observe(
        &self,
        target: &Target,
        jobs: &[JobId],
        now: Timestamp,
    ) -> Vec<JobReport> {
        let known = jobs.iter().filter_map(|id| self.job(target, id));
        known
            .filter(|job| self.is_visible(job, now))
            .map(report)
            .collect()
    }

    fn is_visible(&self, job: &Job, now: Timestamp) -> bool {
        self.visible_from(job) <= now
    }

    /// From when on a job is listed.
    pub(crate) fn visible_from(&self, job: &Job) -> Timestamp {
        let known = self.visible.get(&job_id(job)).copied();
        known.unwrap_or_default()
    }

    pub(crate) fn job(&self, target: &Target, id: &JobId) -> Option<&Job> {
        let id = model::JobId::parse(id.as_str()).ok()?;
        self.model.estate(&place(target)).ok()?.job(&id)
    }

    /// Every job that carries this key, oldest first.
    pub(crate) fn jobs_of<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Job> {
        let estates = self
            .model
            .places()
            .filter_map(|at| self.model.estate(at).ok());
        let jobs = estates.flat_map(|estate| estate.jobs());
        jobs.filter(move |job| job.tags.get(TAG).is_some_and(|of| of == key))
    }

    /// How many jobs were made for each key.
    pub(crate) fn jobs_by_key(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for at in self.model.places() {
            let jobs = self.model.estate(at).map(|estate| estate.jobs());
            for key in jobs
                .into_iter()
                .flatten()
                .filter_map(|job| job.tags.get(TAG))
            {
                *counts.entry(key.as_str()).or_default() += 1;
            }
        }
        counts
    }

    pub(crate) fn sources(&self, target: &Target, query: &ServerQuery) -> Vec<SourceServer> {
        let Ok(estate) = self.model.estate(&place(target)) else {
            return Vec::new();
        };
        let wanted = |server: &&model::SourceServer| match query {
            ServerQuery::Ids(ids) => ids
                .iter()
                .any(|id| *id.as_str() == *server.spec.id.as_str()),
            ServerQuery::Tags(tags) => tags
                .iter()
                .all(|(key, value)| server.tags.get(key) == Some(value)),
        };
        let servers = estate.source_servers().filter(wanted);
        servers
            .map(|server| SourceServer {
                id: SourceServerId::from(server.spec.id.as_str()),
                hostname: server.spec.hostname.clone(),
                tags: server.tags.clone(),
                replication_state: "CONTINUOUS".to_owned(),
                lag: None,
                staging: None,
                last_launch: None,
            })
            .collect()
    }

    pub(crate) fn instances(
        &self,
        target: &Target,
        servers: &[SourceServerId],
    ) -> Vec<RecoveryInstance> {
        let Ok(estate) = self.model.estate(&place(target)) else {
            return Vec::new();
        };
        let of_servers = estate.recovery_instances().filter(|instance| {
            let server = instance.source_server.as_str();
            servers.iter().any(|wanted| wanted.as_str() == server)
        });
        of_servers
            .map(|instance| RecoveryInstance {
                instance: InstanceId::from(instance.id.as_str()),
                server: SourceServerId::from(instance.source_server.as_str()),
                is_drill: instance.purpose.is_drill(),
                job: Some(JobId::from(instance.job.as_str())),
                snapshot_time: None,
                addresses: vec![instance.address.into()],
            })
            .collect()
    }
}

/// What the adapter for AWS makes of each refusal.
fn refused(refusal: &Refusal) -> LaunchAnswer {
    let reason = refusal.to_string().into();
    match refusal {
        Refusal::ServerBusy { .. } => LaunchAnswer::Unknown { reason },
        Refusal::QuotaExceeded { quota, .. } => LaunchAnswer::OverQuota {
            quota: match quota {
                model::Quota::ConcurrentJobs => Quota::Jobs,
                model::Quota::ServersPerJob => Quota::ServersPerJob,
                model::Quota::ServersInAllJobs => Quota::Servers,
            },
            reason,
        },
        Refusal::Uninitialized { .. } | Refusal::NotFound { .. } | Refusal::Invalid { .. } => {
            LaunchAnswer::Refused { reason }
        }
    }
}

fn is_of(order: &LookOrder, job: &Job) -> bool {
    if let Some(key) = job.tags.get(TAG) {
        return *key == order.key;
    }
    let kind = match job.initiated_by {
        Initiator::Launch(Purpose::Drill) => OrderKind::Drill,
        Initiator::Launch(Purpose::Recovery) => OrderKind::Recovery,
        Initiator::Termination => OrderKind::Terminate,
    };
    let mut wanted: Vec<&str> = order.servers.iter().map(SourceServerId::as_str).collect();
    let parts = job.participants.iter();
    let mut servers: Vec<&str> = parts.map(|part| part.source_server.as_str()).collect();
    wanted.sort_unstable();
    servers.sort_unstable();
    job.created_at >= instant(order.since) && kind == order.kind && wanted == servers
}

/// What a job and its log say, as the adapter for AWS reads them.
fn report(job: &Job) -> JobReport {
    let ended = matches!(job.phase, JobPhase::Completed { .. });
    let parts = job.participants.iter();
    let servers = parts.map(|part| {
        let instance = part.instance.as_ref();
        let phase = phase(job, part.source_server.as_str());
        ServerReport {
            server: SourceServerId::from(part.source_server.as_str()),
            state: match part.status {
                LaunchStatus::Launched if instance.is_some() || ended => ServerState::Launched,
                LaunchStatus::Launched => ServerState::Launch,
                LaunchStatus::Failed => ServerState::Failed,
                LaunchStatus::Terminated => ServerState::Terminated,
                LaunchStatus::Pending | LaunchStatus::InProgress | LaunchStatus::Unlisted => phase,
            },
            instance: instance.map(|instance| InstanceId::from(instance.as_str())),
            detail: "".into(),
            warnings: Vec::new(),
        }
    });
    JobReport {
        job: job_id(job),
        ended,
        servers: servers.collect(),
    }
}

fn phase(job: &Job, server: &str) -> ServerState {
    let of_server = job.log.iter().filter(|item| {
        let subject = item.source_server.as_ref();
        subject.is_some_and(|subject| subject.as_str() == server)
    });
    let mut phases = of_server.filter_map(|item| match item.event {
        JobEvent::SnapshotStart => Some(ServerState::Snapshot),
        JobEvent::ConversionStart => Some(ServerState::Conversion),
        JobEvent::LaunchStart | JobEvent::CleanupStart { .. } => Some(ServerState::Launch),
        JobEvent::JobStart
        | JobEvent::ServerSkipped
        | JobEvent::CleanupEnd { .. }
        | JobEvent::CleanupFail { .. }
        | JobEvent::SnapshotEnd
        | JobEvent::SnapshotFail { .. }
        | JobEvent::UsingPreviousSnapshot
        | JobEvent::UsingPreviousSnapshotFailed { .. }
        | JobEvent::ConversionEnd { .. }
        | JobEvent::ConversionFail { .. }
        | JobEvent::LaunchEnd { .. }
        | JobEvent::LaunchFailed { .. }
        | JobEvent::JobCancel
        | JobEvent::JobEnd
        | JobEvent::Unlisted => None,
    });
    phases.next_back().unwrap_or(ServerState::Requested)
}

pub(crate) fn job_id(job: &Job) -> JobId {
    JobId::from(job.id.as_str())
}

fn server_id(server: &SourceServerId) -> model::SourceServerId {
    model::SourceServerId::parse(server.as_str()).expect("plans name servers that could be")
}

fn place(target: &Target) -> Place {
    Place {
        account: AccountId::parse(&target.account).expect("plans name accounts"),
        region: Region::parse(&target.region).expect("plans name Regions"),
    }
}

pub(crate) fn instant(at: Timestamp) -> jiff::Timestamp {
    let millis = i64::try_from(at.as_millis()).expect("a time of this age");
    jiff::Timestamp::from_millisecond(millis).expect("a time of this age")
}
