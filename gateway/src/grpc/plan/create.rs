//! `CreatePlan`.

use tidegate_core::PlanName;
use tidegate_proto::v1;
use tonic::Status;

use super::{
    arming,
    content::{Accepted, to_store},
    idempotence,
};
use crate::{
    driver::RequestStamp,
    grpc::{request_id, services::Services, status},
    ports::plan_store::PlanStoreError,
};

/// How often a revision is offered again after somebody else took it.
pub(super) const ATTEMPTS: u32 = 3;

pub(super) async fn create(
    services: &Services,
    request: v1::CreatePlanRequest,
) -> Result<v1::CreatePlanResponse, Status> {
    let stamp = request_id::optional("CreatePlan", &request)?;
    if let Some(answer) = idempotence::earlier(services, stamp.as_ref()).await? {
        return Ok(answer);
    }
    let limits = &services.settings.plan_limits;
    let accepted = Accepted::check(request.plan.as_ref(), limits, &*services.hooks).await?;
    let _kept = arming::keep(services, &accepted.checked)
        .await
        .map_err(arming::refusal)?;
    for _ in 0..ATTEMPTS {
        if let Some(newest) = existing(services, &accepted.name).await? {
            let exists = status::plan_exists(&accepted.name, newest);
            return idempotence::refuse(services, stamp.as_ref(), exists).await;
        }
        if let Some(answer) = offer(services, &accepted, stamp.as_ref()).await? {
            return Ok(answer);
        }
    }
    Err(status::unavailable(
        "PLAN_STORE_BUSY",
        "the plan changes too often; try again",
    ))
}

/// Stores the first revision since the plan was deleted, if it ever was.
/// `None` if somebody else was faster.
async fn offer(
    services: &Services,
    accepted: &Accepted,
    stamp: Option<&RequestStamp>,
) -> Result<Option<v1::CreatePlanResponse>, Status> {
    let last = services
        .plans
        .last_revision(&accepted.name)
        .await
        .map_err(|error| status::from_read(&error))?;
    let shelf = arming::shelf(services, &accepted.checked).await?;
    let plan = accepted.revision(last + 1, services.clock.now());
    let stored = to_store(&plan);
    let answer = v1::CreatePlanResponse { plan: Some(plan) };
    let claim = idempotence::claim(stamp, &answer);
    match services.plans.put(stored, claim, shelf).await {
        Ok(()) => Ok(Some(answer)),
        Err(PlanStoreError::Taken { .. } | PlanStoreError::Outdated) => Ok(None),
        Err(
            error @ (PlanStoreError::Claimed { .. }
            | PlanStoreError::Unavailable(_)
            | PlanStoreError::Refused(_)
            | PlanStoreError::Unknown(_)),
        ) => idempotence::first_answer(stamp, error).map(Some),
    }
}

/// The newest revision of a plan, if there is one.
async fn existing(services: &Services, name: &PlanName) -> Result<Option<u64>, Status> {
    let existing = services.plans.get(name, None).await;
    let existing = existing.map_err(|error| status::from_read(&error))?;
    Ok(existing.map(|existing| existing.revision))
}
