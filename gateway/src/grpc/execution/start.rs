//! `StartExecution`.

use tidegate_proto::v1;
use tonic::{Code, Status};

use crate::{
    driver::{Origin, RequestStamp, StartOrder, View},
    grpc::{
        argument, convert,
        filter::started_kind,
        plan::{arm, stored},
        request_id,
        services::Services,
        status,
    },
};

pub(super) async fn start(
    services: &Services,
    request: &v1::StartExecutionRequest,
) -> Result<v1::StartExecutionResponse, Status> {
    let stamp = request_id::required("StartExecution", request)?;
    let kind = started_kind(request.kind)?;
    let asked = async || {
        let name = argument::plan_name("plan", &request.plan)?;
        stored(services, &name, request.plan_revision).await
    };
    let plan = match asked().await {
        Ok(plan) => plan,
        Err(status) if status.code() == Code::NotFound => {
            return first_answer(services, &stamp, status).await;
        }
        Err(status) => return Err(status),
    };
    let _kept = match arm(services, &plan.checked).await {
        Ok(kept) => kept,
        Err(unarmed) => {
            let refusal =
                status::plan_not_armed(plan.checked.name(), plan.stored.revision, unarmed);
            return first_answer(services, &stamp, refusal).await;
        }
    };
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
    Ok(answer(&view))
}

/// A request that was answered gets its answer again, although its plan or a
/// hook of it was deleted since then.
async fn first_answer(
    services: &Services,
    stamp: &RequestStamp,
    refusal: Status,
) -> Result<v1::StartExecutionResponse, Status> {
    let first = services.driver.started_by(stamp).await;
    let first = first.map_err(|error| status::from_driver(error, None))?;
    first.as_ref().map(answer).ok_or(refusal)
}

fn answer(view: &View) -> v1::StartExecutionResponse {
    v1::StartExecutionResponse {
        execution: Some(convert::execution::execution(view)),
    }
}
