//! Calls that change something: made once.

use std::{collections::HashMap, time::Duration};

use aws_sdk_drs::types::{Job, StartRecoveryRequestSourceServer};
use tidegate_core::{InstanceId, SourceServerId, engine::LaunchAnswer};

use super::{
    LAUNCH_TAG,
    classify::{self, launch_answer},
    clients::Place,
    failure::{Failure, Sent},
    job_log::JobLog,
    look::gone_server,
    report::{Evidence, report},
    servers,
    warranted::Warranted,
};
use crate::ports::{
    drs::{DrsError, LaunchOrder, OrderKind, TerminateOrder},
    warrant::Warrant,
};

/// How long an accepted termination waits for its tag.
const TAGGING: Duration = Duration::from_secs(5);

/// Calls StartRecovery. `isDrill` is always sent: without it DRS launches in
/// earnest.
pub(super) async fn start_recovery(
    place: &Place,
    order: LaunchOrder,
    tag_jobs: bool,
) -> LaunchAnswer {
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
    let (sent, warranted) = (Sent::default(), Warranted::by(&order.warrant));
    let tags = tag_jobs.then(|| HashMap::from([(LAUNCH_TAG.to_owned(), order.key)]));
    let kind = if order.is_drill {
        OrderKind::Drill
    } else {
        OrderKind::Recovery
    };
    let answer = place
        .client
        .start_recovery()
        .set_source_servers(Some(servers))
        .is_drill(order.is_drill)
        .set_tags(tags)
        .customize()
        .config_override(place.once())
        .interceptor(sent.clone())
        .interceptor(warranted.clone())
        .send()
        .await;
    match answer {
        Ok(output) => accepted(kind, output.job(), Vec::new()),
        Err(error) => {
            let kept_back = warranted.refusal();
            launch_answer(kept_back.unwrap_or_else(|| place.failure(&error, &sent)))
        }
    }
}

/// Calls TerminateRecoveryInstances, which takes no tags, and tags the job.
/// DRS refuses the whole call for one instance that is not there any more:
/// then surely nothing was done, and it is asked for the others.
pub(super) async fn terminate(
    place: &Place,
    order: TerminateOrder,
    tag_jobs: bool,
) -> LaunchAnswer {
    let (mut left, mut gone) = (order.instances, Vec::new());
    loop {
        let failure = match terminate_once(place, &left, &order.warrant).await {
            Ok(job) => {
                if let Some(job) = job.as_ref().filter(|_| tag_jobs) {
                    tag(place, job, &order.key).await;
                }
                return accepted(OrderKind::Terminate, job.as_ref(), gone);
            }
            Err(failure) => failure,
        };
        if !classify::is_refused_for_what_it_names(&failure) {
            return launch_answer(failure);
        }
        let ids: Vec<SourceServerId> = left.iter().map(|(id, _)| id.clone()).collect();
        let there = match servers::recovery_instances(place, &ids).await {
            Ok(there) => there,
            Err(DrsError::Denied { .. } | DrsError::Refused { .. }) => {
                return launch_answer(failure);
            }
            Err(error @ (DrsError::Throttled { .. } | DrsError::Failed { .. })) => {
                let reason = format!("refused, and not known for which instance: {error}");
                let after = None;
                return LaunchAnswer::Deferred {
                    reason: reason.into(),
                    after,
                };
            }
        };
        let is_there = |(_, wanted): &(SourceServerId, InstanceId)| {
            there.iter().any(|it| it.instance == *wanted)
        };
        let (still, lost): (Vec<_>, Vec<_>) = left.into_iter().partition(is_there);
        // At least one less each time, so this ends.
        match (lost.is_empty(), still.is_empty()) {
            (true, _) => return launch_answer(failure),
            (false, true) => return LaunchAnswer::NothingLeft,
            (false, false) => gone.extend(lost.into_iter().map(|(id, _)| id)),
        }
        left = still;
    }
}

async fn terminate_once(
    place: &Place,
    instances: &[(SourceServerId, InstanceId)],
    warrant: &Warrant,
) -> Result<Option<Job>, Failure> {
    let ids = instances.iter().map(|(_, id)| id.to_string());
    let (sent, warranted) = (Sent::default(), Warranted::by(warrant));
    let answer = place
        .client
        .terminate_recovery_instances()
        .set_recovery_instance_ids(Some(ids.collect()))
        .customize()
        .config_override(place.once())
        .interceptor(sent.clone())
        .interceptor(warranted.clone())
        .send()
        .await;
    match answer {
        Ok(output) => Ok(output.job),
        Err(error) => {
            let kept_back = warranted.refusal();
            Err(kept_back.unwrap_or_else(|| place.failure(&error, &sent)))
        }
    }
}

fn accepted(kind: OrderKind, job: Option<&Job>, gone: Vec<SourceServerId>) -> LaunchAnswer {
    match job {
        Some(job) => {
            let mut report = report(kind, job, &JobLog::default(), Evidence::Complete);
            report.servers.extend(gone.into_iter().map(gone_server));
            LaunchAnswer::Accepted(report)
        }
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
