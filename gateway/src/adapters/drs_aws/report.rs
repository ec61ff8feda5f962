//! What a job and its log say, in the engine's words.

use std::sync::Arc;

use aws_sdk_drs::types::{Job, LaunchActionsStatus, LaunchStatus, ParticipatingServer};
use tidegate_core::{
    InstanceId, JobId, SourceServerId,
    engine::{JobReport, ServerReport, ServerState},
};

use super::job_log::{JobLog, ServerLog};
use crate::ports::drs::OrderKind;

/// Whether everything that a report rests on could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It could.
    Complete,
    /// The log, or an instance, could not be read this time. Nothing is
    /// settled then: what a settled server is reported with is final.
    Partial,
}

/// Whether a job has ended. DRS has no status for one that failed; one whose
/// status nobody knows has ended when DRS says at what time.
pub(super) fn has_ended(job: &Job) -> bool {
    match status(job) {
        "COMPLETED" => true,
        "PENDING" | "STARTED" => false,
        _ => job.end_date_time().is_some_and(|at| !at.is_empty()),
    }
}

/// Everything that the status of a job says, to see whether it says something
/// new.
pub(super) fn status_line(job: &Job) -> Vec<String> {
    let servers = job.participating_servers().iter();
    let servers = servers.map(|server| {
        let id = server.source_server_id().unwrap_or_default();
        format!("{id} {}", launch_status(server))
    });
    std::iter::once(status(job).to_owned())
        .chain(servers)
        .collect()
}

/// What a job and its log say.
pub(super) fn report(kind: OrderKind, job: &Job, log: &JobLog, evidence: Evidence) -> JobReport {
    let servers = job.participating_servers().iter().filter_map(|server| {
        let id = server.source_server_id()?;
        Some(server_report((kind, job), server, id, log, evidence))
    });
    JobReport {
        job: JobId::from(job.job_id()),
        ended: has_ended(job) && evidence == Evidence::Complete,
        servers: servers.collect(),
    }
}

fn server_report(
    (kind, job): (OrderKind, &Job),
    server: &ParticipatingServer,
    id: &str,
    job_log: &JobLog,
    evidence: Evidence,
) -> ServerReport {
    let log = job_log.server(id).cloned().unwrap_or_default();
    let instance = server
        .recovery_instance_id()
        .map(InstanceId::from)
        .or_else(|| log.instance.clone());
    let state = match kind {
        OrderKind::Terminate => terminated_state(job, server, evidence),
        OrderKind::Drill | OrderKind::Recovery => {
            launched_state(job, server, &log, instance.is_some(), evidence)
        }
    };
    let failure = log.failure.as_deref().or(job_log.failure());
    let detail = match state {
        ServerState::Launched | ServerState::Terminated => "",
        ServerState::Pending
        | ServerState::Requested
        | ServerState::Snapshot
        | ServerState::Conversion
        | ServerState::Launch
        | ServerState::Failed
        | ServerState::Skipped => failure.unwrap_or_default(),
    };
    ServerReport {
        server: SourceServerId::from(id),
        state,
        instance,
        detail: Arc::from(detail),
        warnings: warnings(&log, server),
    }
}

/// A server counts as launched once its instance is known, or nothing more
/// will be said of it: the checks that follow need the instance.
fn launched_state(
    job: &Job,
    server: &ParticipatingServer,
    log: &ServerLog,
    instance_known: bool,
    evidence: Evidence,
) -> ServerState {
    let phase = log.phase.unwrap_or(ServerState::Requested);
    match (launch_status(server), evidence) {
        ("LAUNCHED", Evidence::Complete) if instance_known || has_ended(job) => {
            ServerState::Launched
        }
        ("LAUNCHED", Evidence::Complete | Evidence::Partial) => ServerState::Launch,
        ("FAILED", Evidence::Complete) => ServerState::Failed,
        ("TERMINATED", Evidence::Complete) => ServerState::Terminated,
        // A server that the job left out stays PENDING.
        (_, Evidence::Complete) if has_ended(job) && log.failure.is_some() => ServerState::Failed,
        // PENDING, IN_PROGRESS, and what DRS may say one day.
        _ => phase,
    }
}

fn terminated_state(job: &Job, server: &ParticipatingServer, evidence: Evidence) -> ServerState {
    match (launch_status(server), evidence) {
        ("TERMINATED", _) => ServerState::Terminated,
        ("FAILED", Evidence::Complete) => ServerState::Failed,
        _ if status(job) == "PENDING" => ServerState::Requested,
        _ => ServerState::Launch,
    }
}

fn status(job: &Job) -> &str {
    job.status().map_or("", |status| status.as_str())
}

fn launch_status(server: &ParticipatingServer) -> &str {
    server.launch_status().map_or("", |status| status.as_str())
}

fn warnings(log: &ServerLog, server: &ParticipatingServer) -> Vec<Arc<str>> {
    let actions = server.launch_actions_status();
    let failed = actions.map_or(&[][..], LaunchActionsStatus::runs).iter();
    let failed = failed
        .filter(|run| {
            run.status()
                .is_some_and(|status| status.as_str() == "FAILED")
        })
        .map(|run| {
            let name = run.action().and_then(|action| action.name());
            let why = run.failure_reason().unwrap_or("no reason given");
            let name = name.unwrap_or("without a name");
            Arc::from(format!("post-launch action {name} failed: {why}"))
        });
    let warnings = log.warnings.iter().cloned().chain(failed);
    warnings.chain(unknown_status(server)).collect()
}

/// A launch status that came to DRS after this program.
fn unknown_status(server: &ParticipatingServer) -> Option<Arc<str>> {
    let status = server.launch_status()?.as_str();
    let is_known = LaunchStatus::values().contains(&status);
    let text = || format!("DRS says {status} of it, which Tidegate does not know");
    (!is_known).then(|| Arc::from(text()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_drs::types::JobStatus;

    use super::*;

    const SERVER: &str = "s-51d6b65c73391918f";

    fn job(status: JobStatus, launch: &str) -> Job {
        let server = ParticipatingServer::builder()
            .source_server_id(SERVER)
            .launch_status(LaunchStatus::from(launch));
        Job::builder()
            .job_id("drsjob-1")
            .status(status)
            .participating_servers(server.build())
            .build()
            .expect("a job")
    }

    fn launched(status: JobStatus, launch: &str, log: &JobLog) -> ServerReport {
        let job = job(status, launch);
        let report = report(OrderKind::Drill, &job, log, Evidence::Complete);
        report.servers.into_iter().next().expect("a server")
    }

    #[test]
    fn a_running_job_is_where_its_log_says() {
        let started = |events: &[&str]| {
            let events: Vec<_> = events.iter().map(|event| (*event, None, None)).collect();
            let log = JobLog::with(SERVER, &events);
            launched(JobStatus::Started, "IN_PROGRESS", &log).state
        };
        assert_eq!(started(&[]), ServerState::Requested);
        assert_eq!(started(&["SNAPSHOT_START"]), ServerState::Snapshot);
        assert_eq!(started(&["CONVERSION_START"]), ServerState::Conversion);
        assert_eq!(started(&["LAUNCH_START"]), ServerState::Launch);
    }

    #[test]
    fn an_unknown_launch_status_says_no_more_than_the_log() {
        let log = JobLog::with(SERVER, &[("CONVERSION_START", None, None)]);
        let report = launched(JobStatus::Started, "HIBERNATED", &log);
        assert_eq!(report.state, ServerState::Conversion);
        let wanted = "DRS says HIBERNATED of it, which Tidegate does not know";
        assert_eq!(report.warnings, [Arc::from(wanted)]);
    }

    #[test]
    fn a_job_whose_status_nobody_knows_has_ended_when_drs_says_at_what_time() {
        let running = job(JobStatus::from("REHEARSING"), "IN_PROGRESS");
        assert!(!has_ended(&running));
        let ended = Job::builder()
            .job_id("drsjob-1")
            .status(JobStatus::from("ABORTED"))
            .end_date_time("2022-12-07T19:24:31.000000+00:00");
        assert!(has_ended(&ended.build().expect("a job")));
    }

    #[test]
    fn a_server_is_launched_once_its_instance_is_known_or_the_job_has_ended() {
        let none = JobLog::default();
        let known = JobLog::with(SERVER, &[("LAUNCH_END", Some("i-1"), None)]);
        let state = |status, log| launched(status, "LAUNCHED", log).state;
        assert_eq!(state(JobStatus::Started, &none), ServerState::Launch);
        assert_eq!(state(JobStatus::Started, &known), ServerState::Launched);
        assert_eq!(state(JobStatus::Completed, &none), ServerState::Launched);
    }

    #[test]
    fn a_failed_server_says_what_its_log_says() {
        let log = JobLog::with(SERVER, &[("LAUNCH_FAILED", None, Some("no capacity"))]);
        let report = launched(JobStatus::Started, "FAILED", &log);
        assert_eq!(report.state, ServerState::Failed);
        assert_eq!(&*report.detail, "LAUNCH_FAILED: no capacity");
    }

    #[test]
    fn nothing_is_settled_without_the_log() {
        let job = job(JobStatus::Completed, "FAILED");
        let log = JobLog::default();
        let report = report(OrderKind::Recovery, &job, &log, Evidence::Partial);
        assert!(!report.ended);
        assert_eq!(report.servers[0].state, ServerState::Requested);
    }

    #[test]
    fn a_termination_is_never_launched() {
        let state = |status, launch| {
            let (job, log) = (job(status, launch), JobLog::default());
            let report = report(OrderKind::Terminate, &job, &log, Evidence::Complete);
            report.servers[0].state
        };
        assert_eq!(state(JobStatus::Pending, "PENDING"), ServerState::Requested);
        assert_eq!(state(JobStatus::Started, "LAUNCHED"), ServerState::Launch);
        assert_eq!(
            state(JobStatus::Started, "TERMINATED"),
            ServerState::Terminated
        );
        assert_eq!(state(JobStatus::Completed, "FAILED"), ServerState::Failed);
    }
}
