//! `PlanService`: plans as immutable revisions.

mod arming;
mod content;
mod create;
mod delete;
mod every;
mod get;
pub(super) mod idempotence;
mod list;
mod page;
mod readiness;
mod revisions;
mod update;
mod validate;

use std::sync::Arc;

use tidegate_proto::v1::{self, plan_service_server::PlanService};
use tonic::{Request, Response, Status};

use super::services::Services;

pub use arming::arm_in_background;

pub(super) use arming::arm;
pub(super) use content::{shown, stored};
pub(super) use every::EveryPlan;

/// The service. RPCs that change something run to their end whoever waits.
#[derive(Clone, Debug)]
pub struct Plans(pub Arc<Services>);

#[tonic::async_trait]
impl PlanService for Plans {
    async fn create_plan(
        &self,
        request: Request<v1::CreatePlanRequest>,
    ) -> Result<Response<v1::CreatePlanResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { create::create(&services, request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn get_plan(
        &self,
        request: Request<v1::GetPlanRequest>,
    ) -> Result<Response<v1::GetPlanResponse>, Status> {
        get::get(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_plans(
        &self,
        request: Request<v1::ListPlansRequest>,
    ) -> Result<Response<v1::ListPlansResponse>, Status> {
        list::list(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn update_plan(
        &self,
        request: Request<v1::UpdatePlanRequest>,
    ) -> Result<Response<v1::UpdatePlanResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { update::update(&services, request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn delete_plan(
        &self,
        request: Request<v1::DeletePlanRequest>,
    ) -> Result<Response<v1::DeletePlanResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { delete::delete(&services, &request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn validate_plan(
        &self,
        request: Request<v1::ValidatePlanRequest>,
    ) -> Result<Response<v1::ValidatePlanResponse>, Status> {
        validate::validate(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_plan_revisions(
        &self,
        request: Request<v1::ListPlanRevisionsRequest>,
    ) -> Result<Response<v1::ListPlanRevisionsResponse>, Status> {
        revisions::list(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn check_readiness(
        &self,
        request: Request<v1::CheckReadinessRequest>,
    ) -> Result<Response<v1::CheckReadinessResponse>, Status> {
        readiness::check(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }
}
