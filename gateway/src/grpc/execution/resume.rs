//! `Resume`.

use tidegate_core::engine::Event;
use tidegate_proto::v1;
use tonic::Status;

use super::steer;
use crate::grpc::{request_id, services::Services};

pub(super) async fn resume(
    services: &Services,
    request: &v1::ResumeRequest,
) -> Result<v1::ResumeResponse, Status> {
    let stamp = request_id::optional("Resume", request)?;
    let execution = steer::steer(services, &request.execution, Event::Resume, stamp).await?;
    Ok(v1::ResumeResponse {
        execution: Some(execution),
    })
}
