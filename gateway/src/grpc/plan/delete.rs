//! `DeletePlan`.

use tidegate_proto::v1;
use tonic::Status;

use super::idempotence;
use crate::{
    grpc::{argument, live, request_id, services::Services, status},
    ports::plan_store::PlanStoreError,
};

pub(super) async fn delete(
    services: &Services,
    request: &v1::DeletePlanRequest,
) -> Result<v1::DeletePlanResponse, Status> {
    let stamp = request_id::optional("DeletePlan", request)?;
    if let Some(answer) = idempotence::earlier(services, stamp.as_ref()).await? {
        return Ok(answer);
    }
    let name = argument::plan_name("name", &request.name)?;
    for view in live::views(services).await? {
        let execution = &view.execution;
        if execution.plan().name() == &name {
            return Err(status::precondition(
                "PLAN_IN_USE",
                name.as_str(),
                format!("execution {} of plan {name} is not over", execution.id()),
                [("execution", execution.id().to_string())],
            ));
        }
    }
    let answer = v1::DeletePlanResponse {};
    let claim = idempotence::claim(stamp.as_ref(), &answer);
    match (services.plans.delete(&name, claim).await, &stamp) {
        (Ok(true), _) => Ok(answer),
        (Ok(false), _) if request.allow_missing => Ok(answer),
        (Ok(false), _) => Err(status::plan_not_found(&name, None)),
        (Err(PlanStoreError::Claimed { value }), Some(stamp)) => {
            idempotence::claimed_answer(stamp, &value)
        }
        (Err(error), _) => Err(status::from_plan_store(&error)),
    }
}
