//! `GetExecution`.

use tidegate_proto::v1;
use tonic::Status;

use super::{cleanups::Cleanups, steer};
use crate::grpc::{convert, services::Services};

pub(super) async fn get(
    services: &Services,
    request: &v1::GetExecutionRequest,
) -> Result<v1::GetExecutionResponse, Status> {
    let view = steer::find(services, &request.execution).await?;
    let mut execution = convert::execution::execution(&view);
    Cleanups::of(services, &view).await?.show(&mut execution);
    Ok(v1::GetExecutionResponse {
        execution: Some(execution),
    })
}
