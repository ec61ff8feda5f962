//! TerminateRecoveryInstances.

use serde::Deserialize;

use super::answer::{Call, Reply};
use super::check::Fields;
use super::error::ServiceError;
use super::shape::job::{JobAnswer, JobShape};
use crate::model::InstanceId;

const INSTANCES: usize = 200;

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "recoveryInstanceIDs")]
    recovery_instance_ids: Option<Vec<String>>,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let request: Request = call.request()?;
    let mut fields = Fields::default();
    let name = "recoveryInstanceIDs";
    let texts = request.recovery_instance_ids.unwrap_or_default();
    if texts.is_empty() {
        fields.problem(name, "Member must have length greater than or equal to 1");
    }
    let ids = fields.list(name, &texts, INSTANCES, InstanceId::parse);
    fields.finish()?;
    let job = call
        .model
        .terminate_recovery_instances(&call.place, &ids, call.now)
        .map_err(|refusal| call.refused(&refusal))?;
    let shape = JobShape::of(
        &call.model.answered_job(job),
        &call.place,
        call.model.names_recovery_instances(),
    );
    Ok(Reply::ok(&JobAnswer { job: shape }))
}
