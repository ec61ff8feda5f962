//! `DeletePlan`.

use tidegate_core::PlanName;
use tidegate_proto::v1;
use tonic::{Code, Status};

use super::idempotence;
use crate::grpc::{argument, live, request_id, services::Services, status};

pub(super) async fn delete(
    services: &Services,
    request: &v1::DeletePlanRequest,
) -> Result<v1::DeletePlanResponse, Status> {
    let stamp = request_id::optional("DeletePlan", request)?;
    let stamp = stamp.as_ref();
    if let Some(answer) = idempotence::earlier(services, stamp).await? {
        return Ok(answer);
    }
    let answer = v1::DeletePlanResponse {};
    let name = match argument::plan_name("name", &request.name) {
        Ok(name) => name,
        Err(missing) if missing.code() == Code::NotFound && request.allow_missing => {
            return idempotence::answer_unchanged(services, stamp, answer).await;
        }
        Err(refused) => return idempotence::refuse(services, stamp, refused).await,
    };
    if let Some(in_use) = in_use(services, &name).await? {
        return idempotence::refuse(services, stamp, in_use).await;
    }
    let claim = idempotence::claim(stamp, &answer);
    match services.plans.delete(&name, claim).await {
        Ok(true) => Ok(answer),
        Ok(false) if request.allow_missing => {
            idempotence::answer_unchanged(services, stamp, answer).await
        }
        Ok(false) => {
            let missing = status::plan_not_found(&name, None);
            idempotence::refuse(services, stamp, missing).await
        }
        Err(error) => idempotence::first_answer(stamp, error),
    }
}

/// Why a plan is kept, if an execution of it is not over.
async fn in_use(services: &Services, name: &PlanName) -> Result<Option<Status>, Status> {
    let views = live::views(services).await?;
    let mut executions = views.iter().map(|view| &view.execution);
    let using = executions.find(|execution| execution.plan().name() == name);
    Ok(using.map(|execution| {
        status::precondition(
            "PLAN_IN_USE",
            name.as_str(),
            format!("execution {} of plan {name} is not over", execution.id()),
            [("execution", execution.id().to_string())],
        )
    }))
}
