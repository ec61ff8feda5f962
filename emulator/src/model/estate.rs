//! Everything that one account has in one Region, and how progress changes it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::chance::Seed;
use super::fleet::Tags;
use super::id::{InstanceId, JobId, Place, Resource, SourceServerId};
use super::job::{Initiator, Job, JobEvent, JobPhase, LogItem, Participant};
use super::recovery_instance::{InstanceState, RecoveryInstance};
use super::source_server::{LaunchStatus, SourceServer};

/// The servers, jobs and recovery instances of one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Estate {
    pub(super) servers: BTreeMap<SourceServerId, SourceServer>,
    pub(super) jobs: Vec<Job>,
    job_index: BTreeMap<JobId, usize>,
    pub(super) instances: BTreeMap<InstanceId, RecoveryInstance>,
}

/// Something that happens by itself, at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// A line of the log, with what it means.
    Event {
        server: Option<SourceServerId>,
        event: JobEvent,
    },
    /// A recovery instance begins to exist.
    InstanceAppears(RecoveryInstance),
    /// The job ends and lets go of its servers. Its JOB_END line is written a little later.
    JobCompletes,
    /// The service forgets the job.
    JobForgotten,
    /// A recovery instance is gone from EC2 and from the service, although nobody terminated it.
    InstanceVanishes(InstanceId),
    /// The job does not tell the instance of a server that it launched.
    InstanceWithheld(SourceServerId),
    /// The launch of a server ends in a status that no SDK lists.
    EndsUnlisted(SourceServerId),
}

impl Estate {
    pub(super) fn new(servers: impl Iterator<Item = SourceServer>) -> Self {
        let by_id = |server: SourceServer| (server.spec.id.clone(), server);
        Self {
            servers: servers.map(by_id).collect(),
            jobs: Vec::new(),
            job_index: BTreeMap::new(),
            instances: BTreeMap::new(),
        }
    }

    /// The source servers, by id.
    pub fn source_servers(&self) -> impl Iterator<Item = &SourceServer> {
        self.servers.values()
    }

    /// One source server.
    pub fn source_server(&self, id: &SourceServerId) -> Option<&SourceServer> {
        self.servers.get(id)
    }

    /// The jobs, oldest first. A job's place in this order never changes.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// One job.
    pub fn job(&self, id: &JobId) -> Option<&Job> {
        self.job_index.get(id).map(|&index| &self.jobs[index])
    }

    /// The recovery instances, by id.
    pub fn recovery_instances(&self) -> impl Iterator<Item = &RecoveryInstance> {
        self.instances.values()
    }

    /// One recovery instance.
    pub fn recovery_instance(&self, id: &InstanceId) -> Option<&RecoveryInstance> {
        self.instances.get(id)
    }

    /// The tags of a resource, if it exists.
    pub fn tags(&self, resource: &Resource) -> Option<&Tags> {
        match resource {
            Resource::SourceServer(id) => self.source_server(id).map(|server| &server.tags),
            Resource::Job(id) => self.job(id).map(|job| &job.tags),
            Resource::RecoveryInstance(id) => self.recovery_instance(id).map(|i| &i.tags),
        }
    }

    pub(super) fn tags_mut(&mut self, resource: &Resource) -> Option<&mut Tags> {
        match resource {
            Resource::SourceServer(id) => self.servers.get_mut(id).map(|server| &mut server.tags),
            Resource::Job(id) => {
                let index = *self.job_index.get(id)?;
                Some(&mut self.jobs[index].tags)
            }
            Resource::RecoveryInstance(id) => self.instances.get_mut(id).map(|i| &mut i.tags),
        }
    }

    pub(super) fn live_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.is_live())
    }

    /// Opens a job: it holds its servers from now on.
    pub(super) fn open(
        &mut self,
        ids: Seed,
        place: &Place,
        initiated_by: Initiator,
        participants: Vec<Participant>,
        tags: Tags,
        now: Timestamp,
    ) -> Job {
        let number = self.jobs.len();
        let id = ids.job_id(&["job", &place.to_string(), &number.to_string()]);
        for participant in &participants {
            if let Some(server) = self.servers.get_mut(&participant.source_server) {
                server.live_job = Some(id.clone());
            }
        }
        let job = Job {
            id,
            initiated_by,
            created_at: now,
            phase: JobPhase::Pending,
            participants,
            tags,
            log: Vec::new(),
            forgotten: false,
        };
        self.job_index.insert(job.id.clone(), number);
        self.jobs.push(job.clone());
        job
    }

    pub(super) fn apply(&mut self, job: &JobId, at: Timestamp, progress: Progress) {
        match progress {
            Progress::Event { server, event } => {
                self.on_event(job, server.as_ref(), &event);
                let item = LogItem {
                    at,
                    source_server: server,
                    event,
                };
                self.job_mut(job).log.push(item);
            }
            Progress::InstanceAppears(instance) => {
                self.instances.insert(instance.id.clone(), instance);
            }
            Progress::JobCompletes => self.on_completion(job, at),
            Progress::JobForgotten => self.job_mut(job).forgotten = true,
            Progress::InstanceVanishes(id) => self.on_vanished(&id),
            Progress::InstanceWithheld(server) => {
                if let Some(participant) = self.job_mut(job).participant_mut(&server) {
                    participant.instance = None;
                }
            }
            Progress::EndsUnlisted(server) => {
                self.set_status(job, Some(&server), LaunchStatus::Unlisted);
            }
        }
    }

    fn on_event(&mut self, job: &JobId, server: Option<&SourceServerId>, event: &JobEvent) {
        match event {
            JobEvent::JobStart => self.job_mut(job).phase = JobPhase::Started,
            JobEvent::CleanupStart { instance } => {
                if let Some(instance) = self.instances.get_mut(instance) {
                    instance.state = InstanceState::ShuttingDown;
                }
                self.set_status(job, server, LaunchStatus::InProgress);
            }
            JobEvent::CleanupEnd { instance } => self.on_cleaned_up(job, server, instance),
            JobEvent::SnapshotStart | JobEvent::ConversionStart | JobEvent::LaunchStart => {
                self.set_status(job, server, LaunchStatus::InProgress);
            }
            JobEvent::CleanupFail { instance, .. } => {
                if let Some(instance) = self.instances.get_mut(instance) {
                    instance.state = InstanceState::Running;
                }
                self.set_status(job, server, LaunchStatus::Failed);
            }
            JobEvent::SnapshotFail { .. }
            | JobEvent::UsingPreviousSnapshotFailed { .. }
            | JobEvent::ConversionFail { .. }
            | JobEvent::LaunchFailed { .. } => {
                self.set_status(job, server, LaunchStatus::Failed);
            }
            JobEvent::LaunchEnd { instance } => self.on_launched(job, server, instance),
            JobEvent::ServerSkipped
            | JobEvent::SnapshotEnd
            | JobEvent::UsingPreviousSnapshot
            | JobEvent::ConversionEnd { .. }
            | JobEvent::JobCancel
            | JobEvent::Unlisted
            | JobEvent::JobEnd => {}
        }
    }

    fn on_cleaned_up(
        &mut self,
        job: &JobId,
        server: Option<&SourceServerId>,
        instance: &InstanceId,
    ) {
        self.instances.remove(instance);
        if let Some(server) = server.and_then(|id| self.servers.get_mut(id)) {
            server.recovery_instance = None;
        }
        match self.job_mut(job).initiated_by {
            Initiator::Termination => self.set_status(job, server, LaunchStatus::Terminated),
            Initiator::Launch(_) => {}
        }
    }

    fn on_launched(&mut self, job: &JobId, server: Option<&SourceServerId>, id: &InstanceId) {
        if let Some(instance) = self.instances.get_mut(id) {
            instance.state = InstanceState::Running;
        }
        if let Some(server) = server.and_then(|id| self.servers.get_mut(id)) {
            server.recovery_instance = Some(id.clone());
        }
        let participant = server.and_then(|server| self.job_mut(job).participant_mut(server));
        if let Some(participant) = participant {
            participant.instance = Some(id.clone());
        }
        self.set_status(job, server, LaunchStatus::Launched);
    }

    fn on_completion(&mut self, job: &JobId, at: Timestamp) {
        let ended = self.job_mut(job);
        ended.phase = JobPhase::Completed { ended_at: at };
        let participants = ended.participants.clone();
        for participant in participants {
            // Of two jobs that hold a server, because its launch was repeated, one goes on.
            let holder = self.holder(&participant.source_server).cloned();
            if let Some(server) = self.servers.get_mut(&participant.source_server) {
                server.live_job = holder;
            }
        }
    }

    fn holder(&self, server: &SourceServerId) -> Option<&JobId> {
        let holds = |job: &&Job| {
            let mut participants = job.participants.iter();
            participants.any(|participant| participant.source_server == *server)
        };
        self.live_jobs().find(holds).map(|job| &job.id)
    }

    fn on_vanished(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.remove(id) else {
            return;
        };
        if let Some(server) = self.servers.get_mut(&instance.source_server)
            && server.recovery_instance.as_ref() == Some(id)
        {
            server.recovery_instance = None;
        }
    }

    /// A server's status is told in two places: its job, and its own last launch.
    fn set_status(&mut self, job: &JobId, server: Option<&SourceServerId>, status: LaunchStatus) {
        let Some(server) = server else { return };
        if let Some(participant) = self.job_mut(job).participant_mut(server) {
            participant.status = status;
        }
        let last = self
            .servers
            .get_mut(server)
            .and_then(|server| server.last_launch.as_mut());
        if let Some(last) = last.filter(|last| last.job == *job) {
            last.status = status;
        }
    }

    fn job_mut(&mut self, id: &JobId) -> &mut Job {
        let index = self
            .job_index
            .get(id)
            .expect("progress is scheduled for admitted jobs only");
        &mut self.jobs[*index]
    }
}
