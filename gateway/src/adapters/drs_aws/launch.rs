//! Calls that change something: made once.

use std::time::Duration;

use aws_sdk_drs::types::{Job, StartRecoveryRequestSourceServer};
use tidegate_core::engine::LaunchAnswer;

use super::{
    LAUNCH_TAG,
    classify::launch_answer,
    clients::Place,
    failure::{Failure, Sent},
    job_log::JobLog,
    report::{Evidence, report},
};
use crate::ports::drs::{LaunchOrder, TerminateOrder};

/// How long an accepted termination waits for its tag.
const TAGGING: Duration = Duration::from_secs(5);

/// Calls StartRecovery. `isDrill` is always sent: without it DRS launches in
/// earnest.
pub(super) async fn start_recovery(place: &Place, order: LaunchOrder) -> LaunchAnswer {
    let servers = order.servers.iter().map(|(server, snapshot)| {
        StartRecoveryRequestSourceServer::builder()
            .source_server_id(server.as_str())
            .set_recovery_snapshot_id(snapshot.as_ref().map(ToString::to_string))
            .build()
    });
    let servers = match servers.collect::<Result<Vec<_>, _>>() {
        Ok(servers) => servers,
        Err(error) => {
            let message = error.to_string();
            return launch_answer(Failure::Invalid { message });
        }
    };
    let sent = Sent::default();
    let answer = place
        .client
        .start_recovery()
        .set_source_servers(Some(servers))
        .is_drill(order.is_drill)
        .tags(LAUNCH_TAG, order.key)
        .customize()
        .config_override(place.once())
        .interceptor(sent.clone())
        .send()
        .await;
    match answer {
        Ok(output) => accepted(output.job()),
        Err(error) => launch_answer(Failure::of(&error, &sent)),
    }
}

/// Calls TerminateRecoveryInstances, which takes no tags, and tags the job.
pub(super) async fn terminate(place: &Place, order: TerminateOrder) -> LaunchAnswer {
    let instances = order.instances.iter().map(|(_, id)| id.to_string());
    let sent = Sent::default();
    let answer = place
        .client
        .terminate_recovery_instances()
        .set_recovery_instance_ids(Some(instances.collect()))
        .customize()
        .config_override(place.once())
        .interceptor(sent.clone())
        .send()
        .await;
    match answer {
        Ok(output) => {
            if let Some(job) = output.job() {
                tag(place, job, &order.key).await;
            }
            accepted(output.job())
        }
        Err(error) => launch_answer(Failure::of(&error, &sent)),
    }
}

fn accepted(job: Option<&Job>) -> LaunchAnswer {
    match job {
        Some(job) => LaunchAnswer::Accepted(report(job, &JobLog::default(), Evidence::Complete)),
        None => LaunchAnswer::Unknown {
            reason: "DRS accepted the call and named no job".into(),
        },
    }
}

/// A job without the tag can still be found by its servers.
async fn tag(place: &Place, job: &Job, key: &str) {
    let Some(arn) = job.arn() else {
        tracing::warn!(job = job.job_id(), "DRS named no ARN to tag");
        return;
    };
    let tagging = place
        .client
        .tag_resource()
        .resource_arn(arn)
        .tags(LAUNCH_TAG, key)
        .send();
    match tokio::time::timeout(TAGGING, tagging).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            let error = place.failed("TagResource", &error);
            tracing::warn!(job = job.job_id(), %error, "a job was not tagged");
        }
        Err(_) => tracing::warn!(job = job.job_id(), "a job was not tagged in time"),
    }
}
