//! All recovery instances of a place, with what DRS still knows of the jobs
//! that launched them. DRS does not say of an instance when it was launched.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_drs::types::Job;
use tidegate_core::JobId;

use super::{LAUNCH_TAG, clients::Place, observe, servers, time::timestamp};
use crate::ports::drs::{DrsError, RecoveryInstance, StandingInstance};

/// Every recovery instance that is there.
pub(super) async fn standing(place: &Place) -> Result<Vec<StandingInstance>, DrsError> {
    let instances = servers::every_recovery_instance(place).await?;
    let jobs = jobs_of(place, &instances).await?;
    let standing = instances.into_iter().map(|instance| {
        let job = instance.job.as_ref().and_then(|id| jobs.get(id));
        StandingInstance {
            launched_at: job
                .and_then(|job| job.creation_date_time())
                .and_then(timestamp),
            launch_key: job
                .and_then(Job::tags)
                .and_then(|tags| tags.get(LAUNCH_TAG).cloned()),
            instance,
        }
    });
    Ok(standing.collect())
}

/// The jobs that DRS has not forgotten. Without them the instances are still
/// worth telling.
async fn jobs_of(
    place: &Place,
    instances: &[RecoveryInstance],
) -> Result<BTreeMap<JobId, Job>, DrsError> {
    let ids: BTreeSet<&JobId> = instances.iter().filter_map(|it| it.job.as_ref()).collect();
    let ids: Vec<JobId> = ids.into_iter().cloned().collect();
    match observe::describe(place, &ids).await {
        Ok(jobs) => {
            let jobs = jobs.into_iter();
            Ok(jobs.map(|job| (JobId::from(job.job_id()), job)).collect())
        }
        Err(error @ (DrsError::Denied { .. } | DrsError::Refused { .. })) => {
            tracing::warn!(%error, "recovery instances are told without their jobs");
            Ok(BTreeMap::new())
        }
        Err(error @ (DrsError::Throttled { .. } | DrsError::Failed { .. })) => Err(error),
    }
}
