//! `GetExecution`.

use tidegate_proto::v1;
use tonic::Status;

use super::steer;
use crate::grpc::{convert, services::Services};

pub(super) async fn get(
    services: &Services,
    request: &v1::GetExecutionRequest,
) -> Result<v1::GetExecutionResponse, Status> {
    let view = steer::find(services, &request.execution).await?;
    Ok(v1::GetExecutionResponse {
        execution: Some(convert::execution::execution(&view)),
    })
}
