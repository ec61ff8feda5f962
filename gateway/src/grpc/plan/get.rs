//! `GetPlan`.

use tidegate_proto::v1;
use tonic::Status;

use super::content::shown;
use crate::grpc::{argument, services::Services, status};

pub(super) async fn get(
    services: &Services,
    request: &v1::GetPlanRequest,
) -> Result<v1::GetPlanResponse, Status> {
    let name = argument::plan_name("name", &request.name)?;
    let revision = (request.revision > 0).then_some(request.revision);
    let stored = services
        .plans
        .get(&name, revision)
        .await
        .map_err(|error| status::from_read(&error))?
        .ok_or_else(|| status::plan_not_found(&name, revision))?;
    Ok(v1::GetPlanResponse {
        plan: Some(shown(&stored)?),
    })
}
