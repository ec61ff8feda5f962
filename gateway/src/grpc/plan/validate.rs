//! `ValidatePlan`.

use tidegate_proto::v1;
use tonic::Status;

use super::content::{Accepted, Unaccepted};
use crate::grpc::services::Services;

pub(super) async fn validate(
    services: &Services,
    request: &v1::ValidatePlanRequest,
) -> Result<v1::ValidatePlanResponse, Status> {
    let limits = &services.settings.plan_limits;
    match Accepted::check(request.plan.as_ref(), limits, &*services.hooks).await {
        Ok(accepted) => Ok(v1::ValidatePlanResponse {
            violations: Vec::new(),
            digest: accepted.digest,
        }),
        Err(Unaccepted::Mistakes(violations)) => Ok(v1::ValidatePlanResponse {
            violations,
            digest: String::new(),
        }),
        Err(Unaccepted::Unready(status)) => Err(status),
    }
}
