//! A DRS small enough to reason about: it makes jobs, and remembers them.

use std::{collections::BTreeSet, sync::Arc};

use tidegate_core::{
    InstanceId, JobId, LaunchIx, SourceServerId, Timestamp, WaveIx,
    engine::{JobReport, Kind, Looked, ServerReport, ServerState},
};

/// Which launch a job is tagged with.
pub(crate) type Key = (WaveIx, LaunchIx);

pub(crate) struct Drs {
    kind: Kind,
    jobs: Vec<Job>,
    /// Requests that were sent, and that DRS takes only at this instant.
    delayed: Vec<(Timestamp, Key, Vec<SourceServerId>)>,
}

pub(crate) struct Job {
    pub(crate) id: JobId,
    key: Key,
    pub(crate) ended: bool,
    pub(crate) servers: Vec<(SourceServerId, ServerState)>,
}

impl Drs {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            jobs: Vec::new(),
            delayed: Vec::new(),
        }
    }

    pub(crate) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Whether a server is in a job that has not ended, or is about to be.
    pub(crate) fn is_busy(&self, server: &SourceServerId) -> bool {
        let live = self.jobs.iter().filter(|job| !job.ended);
        let mut in_job = live.flat_map(|job| &job.servers).map(|(id, _)| id);
        let mut delayed = self.delayed.iter().flat_map(|(.., servers)| servers);
        in_job.any(|id| id == server) || delayed.any(|id| id == server)
    }

    pub(crate) fn start(&mut self, key: Key, servers: Vec<SourceServerId>) -> JobReport {
        let requested = |id| (id, ServerState::Requested);
        self.jobs.push(Job {
            id: JobId::new(format!("job{}", self.jobs.len())),
            key,
            ended: false,
            servers: servers.into_iter().map(requested).collect(),
        });
        self.report(self.jobs.len() - 1, u8::MAX)
    }

    pub(crate) fn start_at(&mut self, at: Timestamp, key: Key, servers: Vec<SourceServerId>) {
        self.delayed.push((at, key, servers));
    }

    pub(crate) fn pass(&mut self, now: Timestamp) {
        let delayed = std::mem::take(&mut self.delayed);
        for (at, key, servers) in delayed {
            if at <= now {
                self.start(key, servers);
            } else {
                self.delayed.push((at, key, servers));
            }
        }
    }

    pub(crate) fn look(&self, key: Key) -> Looked {
        match self.jobs.iter().rposition(|job| job.key == key) {
            Some(job) => Looked::Found {
                report: self.report(job, u8::MAX),
                duplicates: Vec::new(),
            },
            None => Looked::Nothing,
        }
    }

    pub(crate) fn find(&self, id: &JobId) -> Option<usize> {
        self.jobs.iter().position(|job| job.id == *id)
    }

    /// Something happens in a job, by the bits of `luck`.
    pub(crate) fn advance(&mut self, job: usize, luck: u8) {
        let done = self.done();
        let job = &mut self.jobs[job];
        if job.ended {
            return;
        }
        for (ix, (_, state)) in job.servers.iter_mut().enumerate() {
            if state.is_settled() {
                continue;
            }
            *state = match luck.rotate_right(u32::try_from(ix).unwrap_or(0)) % 8 {
                0 | 1 => done,
                2 => ServerState::Failed,
                3 => ServerState::Terminated,
                4 => (*state).max(ServerState::Conversion),
                _ => *state,
            };
        }
        let settled = job.servers.iter().all(|(_, state)| state.is_settled());
        job.ended = settled || luck > 220;
    }

    /// Everything goes well.
    pub(crate) fn complete(&mut self, job: usize) {
        let done = self.done();
        let job = &mut self.jobs[job];
        for (_, state) in job
            .servers
            .iter_mut()
            .filter(|(_, state)| !state.is_settled())
        {
            *state = done;
        }
        job.ended = true;
    }

    fn done(&self) -> ServerState {
        match self.kind {
            Kind::Drill | Kind::Recovery => ServerState::Launched,
            Kind::Cleanup => ServerState::Terminated,
        }
    }

    /// What DRS says of a job; of one that runs it may leave out servers.
    pub(crate) fn report(&self, job: usize, named: u8) -> JobReport {
        let job = &self.jobs[job];
        let servers = job.servers.iter().enumerate();
        let servers = servers.filter(|(ix, _)| job.ended || named >> (ix % 8) & 1 == 1);
        let warned = named & 7 == 6;
        JobReport {
            job: job.id.clone(),
            ended: job.ended,
            servers: servers
                .map(|(_, (id, state))| ServerReport {
                    server: id.clone(),
                    state: *state,
                    instance: (*state == ServerState::Launched)
                        .then(|| InstanceId::new(format!("i-{id}"))),
                    detail: Arc::from(""),
                    warnings: warned
                        .then(|| Arc::from("USING_PREVIOUS_SNAPSHOT"))
                        .into_iter()
                        .collect(),
                })
                .collect(),
        }
    }

    /// Servers that have an instance because a job launched one.
    pub(crate) fn launched(&self) -> BTreeSet<SourceServerId> {
        let servers = self.jobs.iter().flat_map(|job| &job.servers);
        servers
            .filter(|(_, state)| *state == ServerState::Launched)
            .map(|(id, _)| id.clone())
            .collect()
    }
}
