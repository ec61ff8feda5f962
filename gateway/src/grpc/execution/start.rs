//! `StartExecution`.

use tidegate_proto::v1;
use tonic::Status;

use crate::{
    driver::{Origin, StartOrder},
    grpc::{
        argument, convert, filter::started_kind, plan::stored, request_id, services::Services,
        status,
    },
};

pub(super) async fn start(
    services: &Services,
    request: &v1::StartExecutionRequest,
) -> Result<v1::StartExecutionResponse, Status> {
    let stamp = request_id::required("StartExecution", request)?;
    let kind = started_kind(request.kind)?;
    let name = argument::plan_name("plan", &request.plan)?;
    let plan = stored(services, &name, request.plan_revision).await?;
    let order = StartOrder {
        kind,
        plan: plan.checked,
        origin: Origin {
            plan_revision: plan.stored.revision,
            plan_digest: plan.shown.digest,
            plan: plan.stored.plan,
            source: None,
        },
        request: stamp,
    };
    let view = services.driver.start_execution(order).await;
    let view = view.map_err(|error| status::from_driver(error, None))?;
    Ok(v1::StartExecutionResponse {
        execution: Some(convert::execution::execution(&view)),
    })
}
