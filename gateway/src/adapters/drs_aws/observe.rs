//! Following jobs: one `DescribeJobs` for up to 1,000 of them, and one page
//! of the log of each whose log is asked for or whose status shows news.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_drs::types::{DescribeJobsRequestFilters, Job, LaunchStatus, ParticipatingServer};
use futures::{StreamExt as _, stream};
use tidegate_core::{
    JobId, SourceServerId,
    engine::{JobReport, ServerReport, ServerState},
};

use super::{
    clients::Place,
    job_log::{JobLog, JobLogs},
    report::{Evidence, has_ended, report, status_line},
    servers,
};
use crate::ports::drs::{Depth, DrsError, JobQuery, Observation, OrderKind, RecoveryInstance};

/// What `DescribeJobs` takes.
const JOBS_PER_CALL: usize = 1_000;
/// Logs that are read at the same time.
const LOGS_AT_ONCE: usize = 4;
/// How often in a row something may be unreadable before a job is reported
/// without it.
const MISSES: u32 = 5;

/// Reports of the jobs that DRS knows.
pub(super) async fn observe(
    place: &Place,
    logs: &JobLogs,
    queries: &[JobQuery],
) -> Result<Observation, DrsError> {
    let ids: Vec<JobId> = queries.iter().map(|query| query.job.clone()).collect();
    let mut asked: BTreeMap<&str, &JobQuery> = queries
        .iter()
        .map(|query| (query.job.as_str(), query))
        .collect();
    let described = describe(place, &ids).await?.into_iter();
    let jobs = described.filter_map(|job| {
        let query = asked.remove(job.job_id())?;
        Some((job, query.kind, query.depth))
    });
    Ok(reports(place, logs, jobs.collect()).await)
}

/// Jobs by id.
pub(super) async fn describe(place: &Place, jobs: &[JobId]) -> Result<Vec<Job>, DrsError> {
    let mut found = Vec::new();
    for ids in jobs.chunks(JOBS_PER_CALL) {
        let ids = ids.iter().map(ToString::to_string).collect();
        let filters = DescribeJobsRequestFilters::builder().set_job_ids(Some(ids));
        found.extend(list(place, filters.build()).await?);
    }
    Ok(found)
}

/// All pages of `DescribeJobs`.
pub(super) async fn list(
    place: &Place,
    filters: DescribeJobsRequestFilters,
) -> Result<Vec<Job>, DrsError> {
    place
        .client
        .describe_jobs()
        .filters(filters)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .map_err(|error| place.failed("DescribeJobs", &error))
}

/// Reports of described jobs. What cannot be read is waited for or done
/// without, so this cannot fail.
pub(super) async fn reports(
    place: &Place,
    logs: &JobLogs,
    jobs: Vec<(Job, OrderKind, Depth)>,
) -> Observation {
    let read = stream::iter(jobs).map(|job| read_log(place, logs, job));
    let mut followed: Vec<Followed> = read.buffered(LOGS_AT_ONCE).collect().await;
    let unread = find_instances(place, &mut followed).await;
    let unread = followed
        .iter_mut()
        .find_map(|it| it.unread.take())
        .or(unread);
    Observation {
        reports: followed
            .into_iter()
            .map(|followed| followed.close(logs))
            .collect(),
        missed: unread,
    }
}

/// A job with what is known of it.
struct Followed {
    job: Job,
    kind: OrderKind,
    id: JobId,
    log: JobLog,
    evidence: Evidence,
    report: JobReport,
    /// Why the log could not be read.
    unread: Option<DrsError>,
}

async fn read_log(
    place: &Place,
    logs: &JobLogs,
    (job, kind, depth): (Job, OrderKind, Depth),
) -> Followed {
    let id = JobId::from(job.job_id());
    let mut log = logs.get(&id);
    let mut unread = None;
    let mut evidence = Evidence::Complete;
    if depth == Depth::Log || may_tell_more(kind, &job, &log) {
        match log.read_on(place, &id).await {
            Ok(()) => log.read_at = Some(status_line(&job)),
            Err(error) => {
                evidence = missed(&id, &error);
                unread = Some(error);
            }
        }
    }
    let mut followed = Followed {
        report: report(kind, &job, &log, evidence),
        job,
        kind,
        id,
        log,
        evidence,
        unread,
    };
    followed.bound_misses();
    followed
}

/// Whether the log can tell something that is not known yet, whoever asks:
/// the status has changed since it was read, the last read failed, the job
/// has ended, or a server is launched and its instance is not known.
fn may_tell_more(kind: OrderKind, job: &Job, log: &JobLog) -> bool {
    let launches = matches!(kind, OrderKind::Drill | OrderKind::Recovery);
    let is_launched = |server: &ParticipatingServer| {
        server.launch_status() == Some(&LaunchStatus::Launched)
            && server.recovery_instance_id().is_none()
    };
    let names_instance = |server: &ParticipatingServer| {
        let known = server.source_server_id().and_then(|id| log.server(id));
        known.is_some_and(|known| known.instance.is_some())
    };
    let servers = job.participating_servers();
    log.misses > 0
        || has_ended(job)
        || log.read_at.as_ref() != Some(&status_line(job))
        || (launches
            && servers
                .iter()
                .any(|it| is_launched(it) && !names_instance(it)))
}

/// What may be readable next time is waited for; what is not permitted is
/// done without.
fn missed(job: &JobId, error: &DrsError) -> Evidence {
    tracing::debug!(%job, %error, "a job is reported without all of its evidence");
    match error {
        DrsError::Throttled { .. } | DrsError::Failed { .. } => Evidence::Partial,
        DrsError::Denied { .. } | DrsError::Refused { .. } => Evidence::Complete,
    }
}

impl Followed {
    fn bound_misses(&mut self) {
        if self.evidence == Evidence::Partial && self.log.misses >= MISSES {
            self.evidence = Evidence::Complete;
            self.report = report(self.kind, &self.job, &self.log, self.evidence);
        }
    }

    fn partial(&mut self) {
        self.evidence = Evidence::Partial;
        self.report = report(self.kind, &self.job, &self.log, self.evidence);
        self.bound_misses();
    }

    fn close(mut self, logs: &JobLogs) -> JobReport {
        match self.evidence {
            Evidence::Complete if self.report.ended => logs.forget(&self.id),
            Evidence::Complete => {
                self.log.misses = 0;
                logs.keep(self.id, self.log);
            }
            Evidence::Partial => {
                self.log.misses += 1;
                logs.keep(self.id, self.log);
            }
        }
        self.report
    }

    /// Servers of an ended job of which only their instances tell the rest.
    fn open_questions(&self) -> impl Iterator<Item = SourceServerId> {
        let ended = has_ended(&self.job) && self.evidence == Evidence::Complete;
        let terminates = self.kind == OrderKind::Terminate;
        let open = move |server: &&ServerReport| match server.state {
            ServerState::Launched => !terminates && server.instance.is_none(),
            ServerState::Pending
            | ServerState::Requested
            | ServerState::Snapshot
            | ServerState::Conversion
            | ServerState::Launch => terminates,
            ServerState::Failed | ServerState::Skipped | ServerState::Terminated => false,
        };
        let servers = self.report.servers.iter().filter(move |_| ended);
        servers.filter(open).map(|server| server.server.clone())
    }

    fn answer(&mut self, instances: &[RecoveryInstance]) {
        let terminates = self.kind == OrderKind::Terminate;
        let open: BTreeSet<SourceServerId> = self.open_questions().collect();
        for server in &mut self.report.servers {
            if !open.contains(&server.server) {
                continue;
            }
            let mut of_server = instances.iter().filter(|i| i.server == server.server);
            if terminates {
                let is_there =
                    of_server.any(|i| server.instance.as_ref().is_none_or(|id| *id == i.instance));
                if !is_there {
                    server.state = ServerState::Terminated;
                    server.detail = "".into();
                } else if !server.detail.is_empty() {
                    server.state = ServerState::Failed;
                }
            } else {
                let launched = of_server.find(|i| i.job.as_ref().is_none_or(|job| *job == self.id));
                server.instance = launched.map(|i| i.instance.clone());
            }
        }
    }
}

/// Looks up what the logs of ended jobs left open, in one call for all. Says
/// why that was not possible.
async fn find_instances(place: &Place, followed: &mut [Followed]) -> Option<DrsError> {
    let open: BTreeSet<SourceServerId> = followed
        .iter()
        .flat_map(|followed| followed.open_questions().collect::<Vec<_>>())
        .collect();
    if open.is_empty() {
        return None;
    }
    let open: Vec<SourceServerId> = open.into_iter().collect();
    match servers::recovery_instances(place, &open).await {
        Ok(instances) => {
            for followed in followed {
                followed.answer(&instances);
            }
            None
        }
        Err(error) => {
            for followed in followed {
                let waits = followed.open_questions().next().is_some();
                if waits && missed(&followed.id, &error) == Evidence::Partial {
                    followed.partial();
                }
            }
            Some(error)
        }
    }
}
