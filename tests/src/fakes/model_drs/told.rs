//! What the model tells, in the words of the engine and of the port: as the
//! adapter for AWS reads the same things from the wire.

use std::sync::Arc;

use tidegate_core::{
    InstanceId, JobId, SourceServerId, Span, Timestamp,
    engine::{JobReport, LaunchAnswer, Quota, ServerReport, ServerState},
    plan::Target,
};
use tidegate_emulator::model::{
    self, AccountId, Initiator, InvalidId, Job, JobEvent, JobPhase, LaunchStatus, LogItem,
    Participant, Place, Refusal, Region,
};
use tidegate_gateway::ports::drs::SourceServer;

/// What a job says, and as much of its log as was read.
pub(super) fn report(job: &Job, log: &[LogItem]) -> JobReport {
    let servers = job.participants.iter().map(|part| {
        let log: Vec<&JobEvent> = of_server(log, part).collect();
        let instance = log.iter().rev().find_map(|event| launched_as(event));
        let state = match job.initiated_by {
            Initiator::Launch(_) => launched(job, part, &log, instance.is_some()),
            Initiator::Termination => terminated(part),
        };
        let explains = !matches!(state, ServerState::Launched | ServerState::Terminated);
        let failure = log.iter().rev().find_map(|event| failure(event));
        ServerReport {
            server: SourceServerId::from(part.source_server.as_str()),
            state,
            instance,
            detail: failure.filter(|_| explains).unwrap_or_default().into(),
            warnings: Vec::new(),
        }
    });
    JobReport {
        job: JobId::from(job.id.as_str()),
        ended: !job.is_live(),
        servers: servers.collect(),
    }
}

fn of_server<'a>(log: &'a [LogItem], part: &'a Participant) -> impl Iterator<Item = &'a JobEvent> {
    let of_server = move |item: &&LogItem| item.source_server.as_ref() == Some(&part.source_server);
    log.iter().filter(of_server).map(|item| &item.event)
}

/// Only the end of the launch names the new instance.
fn launched_as(event: &JobEvent) -> Option<InstanceId> {
    if let JobEvent::LaunchEnd { instance } = event {
        Some(InstanceId::from(instance.as_str()))
    } else {
        None
    }
}

fn launched(job: &Job, part: &Participant, log: &[&JobEvent], instance: bool) -> ServerState {
    let ended = !job.is_live();
    let failed = log.iter().any(|event| failure(event).is_some());
    match part.status {
        LaunchStatus::Launched if instance || ended => ServerState::Launched,
        LaunchStatus::Launched => ServerState::Launch,
        LaunchStatus::Failed => ServerState::Failed,
        LaunchStatus::Terminated => ServerState::Terminated,
        LaunchStatus::Pending | LaunchStatus::InProgress | LaunchStatus::Unlisted
            if ended && failed =>
        {
            ServerState::Failed
        }
        LaunchStatus::Pending | LaunchStatus::InProgress | LaunchStatus::Unlisted => {
            let phases = log.iter().map(|event| phase(event));
            phases.max().unwrap_or(ServerState::Requested)
        }
    }
}

fn terminated(part: &Participant) -> ServerState {
    match part.status {
        LaunchStatus::Terminated => ServerState::Terminated,
        LaunchStatus::Failed => ServerState::Failed,
        LaunchStatus::Pending => ServerState::Requested,
        LaunchStatus::InProgress | LaunchStatus::Launched | LaunchStatus::Unlisted => {
            ServerState::Launch
        }
    }
}

/// The end of a phase is not the beginning of the next.
fn phase(event: &JobEvent) -> ServerState {
    match event {
        JobEvent::SnapshotStart | JobEvent::SnapshotEnd | JobEvent::UsingPreviousSnapshot => {
            ServerState::Snapshot
        }
        JobEvent::ConversionStart | JobEvent::ConversionEnd { .. } => ServerState::Conversion,
        JobEvent::LaunchStart | JobEvent::LaunchEnd { .. } => ServerState::Launch,
        JobEvent::JobStart
        | JobEvent::ServerSkipped
        | JobEvent::CleanupStart { .. }
        | JobEvent::CleanupEnd { .. }
        | JobEvent::CleanupFail { .. }
        | JobEvent::SnapshotFail { .. }
        | JobEvent::UsingPreviousSnapshotFailed { .. }
        | JobEvent::ConversionFail { .. }
        | JobEvent::LaunchFailed { .. }
        | JobEvent::JobCancel
        | JobEvent::Unlisted
        | JobEvent::JobEnd => ServerState::Requested,
    }
}

fn failure(event: &JobEvent) -> Option<String> {
    let why = match event {
        JobEvent::CleanupFail { raw_error, .. }
        | JobEvent::SnapshotFail { raw_error }
        | JobEvent::UsingPreviousSnapshotFailed { raw_error }
        | JobEvent::ConversionFail { raw_error, .. }
        | JobEvent::LaunchFailed { raw_error } => format!("{}: {raw_error}", event.name()),
        JobEvent::ServerSkipped | JobEvent::JobCancel => event.name().to_owned(),
        JobEvent::JobStart
        | JobEvent::CleanupStart { .. }
        | JobEvent::CleanupEnd { .. }
        | JobEvent::SnapshotStart
        | JobEvent::SnapshotEnd
        | JobEvent::UsingPreviousSnapshot
        | JobEvent::ConversionStart
        | JobEvent::ConversionEnd { .. }
        | JobEvent::LaunchStart
        | JobEvent::LaunchEnd { .. }
        | JobEvent::Unlisted
        | JobEvent::JobEnd => return None,
    };
    Some(why)
}

/// Everything that `DescribeJobs` says of a job, to see whether it says
/// something new.
pub(super) fn status(job: &Job) -> (JobPhase, Vec<LaunchStatus>) {
    let servers = job.participants.iter().map(|part| part.status);
    (job.phase, servers.collect())
}

/// What the adapter for AWS makes of each answer.
pub(super) fn answer(answer: Result<Job, Refusal>) -> LaunchAnswer {
    let refusal = match answer {
        Ok(job) => return LaunchAnswer::Accepted(report(&job, &job.log)),
        Err(refusal) => refusal,
    };
    let reason: Arc<str> = refusal.to_string().into();
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

pub(super) fn source_server(server: &model::SourceServer) -> SourceServer {
    let lag = u64::try_from(server.spec.lag.as_millis()).unwrap_or_default();
    SourceServer {
        id: SourceServerId::from(server.spec.id.as_str()),
        hostname: server.spec.hostname.clone(),
        tags: server.tags.clone(),
        replication_state: "CONTINUOUS".to_owned(),
        lag: Some(Span::from_millis(lag)),
        staging: None,
        last_launch: None,
    }
}

pub(super) fn place(target: &Target) -> Result<Place, Refusal> {
    Ok(Place {
        account: AccountId::parse(&target.account).map_err(invalid)?,
        region: Region::parse(&target.region).map_err(invalid)?,
    })
}

pub(super) fn server_id(id: &SourceServerId) -> Result<model::SourceServerId, Refusal> {
    model::SourceServerId::parse(id.as_str()).map_err(invalid)
}

pub(super) fn instance_id(id: &InstanceId) -> Result<model::InstanceId, Refusal> {
    model::InstanceId::parse(id.as_str()).map_err(invalid)
}

pub(super) fn snapshot_id(id: &tidegate_core::SnapshotId) -> Result<model::SnapshotId, Refusal> {
    model::SnapshotId::parse(id.as_str()).map_err(invalid)
}

pub(super) fn job_id(id: &JobId) -> Result<model::JobId, Refusal> {
    model::JobId::parse(id.as_str()).map_err(invalid)
}

/// A time of the engine as the model has it.
pub(super) fn instant(at: Timestamp) -> jiff::Timestamp {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX)
}

/// A time of the model as the engine has it.
pub(super) fn timestamp(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_millis(u64::try_from(at.as_millisecond()).unwrap_or_default())
}

fn invalid(id: InvalidId) -> Refusal {
    Refusal::Invalid {
        field: "id",
        message: id.to_string(),
    }
}
