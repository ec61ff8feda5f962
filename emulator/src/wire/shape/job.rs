//! `Job` and `ParticipatingServer`.

use serde::Serialize;

use crate::model::{
    Initiator, Job, JobPhase, LaunchStatus, Participant, Place, Purpose, Resource, Tags,
};
use crate::wire::time;

/// The answer of operations that start a job.
#[derive(Serialize)]
pub(in crate::wire) struct JobAnswer {
    pub(in crate::wire) job: JobShape,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::wire) struct JobShape {
    #[serde(rename = "jobID")]
    job_id: String,
    arn: String,
    #[serde(rename = "type")]
    kind: &'static str,
    initiated_by: &'static str,
    creation_date_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date_time: Option<String>,
    status: &'static str,
    participating_servers: Vec<ParticipatingServer>,
    tags: Tags,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ParticipatingServer {
    #[serde(rename = "sourceServerID")]
    source_server_id: String,
    #[serde(rename = "recoveryInstanceID", skip_serializing_if = "Option::is_none")]
    recovery_instance_id: Option<String>,
    launch_status: LaunchStatus,
}

impl JobShape {
    /// `named`: whether servers name their recovery instances.
    pub(in crate::wire) fn of(job: &Job, place: &Place, named: bool) -> Self {
        let (kind, initiated_by) = match job.initiated_by {
            Initiator::Launch(Purpose::Drill) => ("LAUNCH", "START_DRILL"),
            Initiator::Launch(Purpose::Recovery) => ("LAUNCH", "START_RECOVERY"),
            Initiator::Termination => ("TERMINATE", "TERMINATE_RECOVERY_INSTANCES"),
        };
        let (status, ended_at) = match job.phase {
            JobPhase::Pending => ("PENDING", None),
            JobPhase::Started => ("STARTED", None),
            JobPhase::Unlisted => ("UNLISTED", None),
            JobPhase::Completed { ended_at } => ("COMPLETED", Some(ended_at)),
        };
        let named = named || matches!(job.initiated_by, Initiator::Termination);
        Self {
            job_id: job.id.to_string(),
            arn: Resource::Job(job.id.clone()).arn(place),
            kind,
            initiated_by,
            creation_date_time: time::timestamp(job.created_at),
            end_date_time: ended_at.map(time::timestamp),
            status,
            participating_servers: job
                .participants
                .iter()
                .map(|participant| ParticipatingServer::of(participant, named))
                .collect(),
            tags: job.tags.clone(),
        }
    }
}

impl ParticipatingServer {
    fn of(participant: &Participant, named: bool) -> Self {
        let instance = participant.instance.as_ref().filter(|_| named);
        Self {
            source_server_id: participant.source_server.to_string(),
            recovery_instance_id: instance.map(ToString::to_string),
            launch_status: participant.status,
        }
    }
}
