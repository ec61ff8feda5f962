//! `UpdatePlan`.

use tidegate_proto::v1;
use tonic::Status;

use super::{
    arming,
    content::{Accepted, shown, to_store},
    create::ATTEMPTS,
    idempotence,
};
use crate::{
    driver::RequestStamp,
    grpc::{request_id, services::Services, status},
    ports::plan_store::PlanStoreError,
};

pub(super) async fn update(
    services: &Services,
    request: v1::UpdatePlanRequest,
) -> Result<v1::UpdatePlanResponse, Status> {
    let stamp = request_id::optional("UpdatePlan", &request)?;
    if let Some(answer) = idempotence::earlier(services, stamp.as_ref()).await? {
        return Ok(answer);
    }
    let limits = &services.settings.plan_limits;
    let accepted = Accepted::check(request.plan.as_ref(), limits, &*services.hooks).await?;
    let _kept = arming::keep(services, &accepted.checked)
        .await
        .map_err(arming::refusal)?;
    let order = Order {
        services,
        accepted,
        expected: request.plan.map_or(0, |plan| plan.revision),
        allow_missing: request.allow_missing,
        stamp,
    };
    for _ in 0..ATTEMPTS {
        if let Some(answer) = order.attempt().await? {
            return Ok(answer);
        }
    }
    Err(status::unavailable(
        "PLAN_STORE_BUSY",
        "the plan changes too often; try again",
    ))
}

struct Order<'a> {
    services: &'a Services,
    accepted: Accepted,
    /// The newest revision that the caller knows; 0 if it does not matter.
    expected: u64,
    allow_missing: bool,
    stamp: Option<RequestStamp>,
}

impl Order<'_> {
    /// `None` if somebody else changed the plan at the same time and that does
    /// not matter to the caller.
    async fn attempt(&self) -> Result<Option<v1::UpdatePlanResponse>, Status> {
        let name = &self.accepted.name;
        let newest = self.services.plans.get(name, None).await;
        let last = match newest.map_err(|error| status::from_read(&error))? {
            Some(newest) if self.is_expected(newest.revision) => {
                let plan = shown(&newest)?;
                if plan.digest == self.accepted.digest {
                    return self.unchanged(plan).await.map(Some);
                }
                newest.revision
            }
            Some(newest) => return self.moved_on(newest.revision).await.map(Some),
            None if self.allow_missing => {
                let last = self.services.plans.last_revision(name).await;
                let last = last.map_err(|error| status::from_read(&error))?;
                if !self.is_expected(last) {
                    return self.moved_on(last).await.map(Some);
                }
                last
            }
            None => {
                let missing = status::plan_not_found(name, None);
                return self.refuse(missing).await.map(Some);
            }
        };
        self.offer(last + 1).await
    }

    async fn offer(&self, revision: u64) -> Result<Option<v1::UpdatePlanResponse>, Status> {
        let shelf = arming::shelf(self.services, &self.accepted.checked).await?;
        let plan = self.accepted.revision(revision, self.services.clock.now());
        let stored = to_store(&plan);
        let answer = v1::UpdatePlanResponse {
            plan: Some(plan),
            changed: true,
        };
        let claim = idempotence::claim(self.stamp.as_ref(), &answer);
        match self.services.plans.put(stored, claim, shelf).await {
            Ok(()) => Ok(Some(answer)),
            Err(PlanStoreError::Outdated) => Ok(None),
            Err(PlanStoreError::Taken { newest, .. }) if self.is_expected(newest) => Ok(None),
            Err(PlanStoreError::Taken { newest, .. }) => self.moved_on(newest).await.map(Some),
            Err(
                error @ (PlanStoreError::Claimed { .. }
                | PlanStoreError::Unavailable(_)
                | PlanStoreError::Refused(_)
                | PlanStoreError::Unknown(_)),
            ) => idempotence::first_answer(self.stamp.as_ref(), error).map(Some),
        }
    }

    fn is_expected(&self, newest: u64) -> bool {
        self.expected == 0 || self.expected == newest
    }

    async fn unchanged(&self, newest: v1::Plan) -> Result<v1::UpdatePlanResponse, Status> {
        let answer = v1::UpdatePlanResponse {
            plan: Some(newest),
            changed: false,
        };
        idempotence::answer_unchanged(self.services, self.stamp.as_ref(), answer).await
    }

    async fn moved_on(&self, newest: u64) -> Result<v1::UpdatePlanResponse, Status> {
        let moved_on = status::plan_moved_on(&self.accepted.name, newest);
        self.refuse(moved_on).await
    }

    async fn refuse(&self, refusal: Status) -> Result<v1::UpdatePlanResponse, Status> {
        idempotence::refuse(self.services, self.stamp.as_ref(), refusal).await
    }
}
