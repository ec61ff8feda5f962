//! `ValidatePlan`.

use tidegate_proto::v1;

use super::content::Accepted;
use crate::grpc::services::Services;

pub(super) async fn validate(
    services: &Services,
    request: &v1::ValidatePlanRequest,
) -> v1::ValidatePlanResponse {
    let limits = &services.settings.plan_limits;
    match Accepted::check(request.plan.as_ref(), limits, &*services.hooks).await {
        Ok(accepted) => v1::ValidatePlanResponse {
            violations: Vec::new(),
            digest: accepted.digest,
        },
        Err(violations) => v1::ValidatePlanResponse {
            violations,
            digest: String::new(),
        },
    }
}
