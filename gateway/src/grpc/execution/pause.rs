//! `Pause`.

use tidegate_core::engine::Event;
use tidegate_proto::v1;
use tonic::Status;

use super::steer;
use crate::grpc::{request_id, services::Services};

pub(super) async fn pause(
    services: &Services,
    request: &v1::PauseRequest,
) -> Result<v1::PauseResponse, Status> {
    let stamp = request_id::optional("Pause", request)?;
    let comment = steer::comment(&request.comment)?;
    let event = Event::Pause { comment };
    let execution = steer::steer(services, &request.execution, event, stamp).await?;
    Ok(v1::PauseResponse {
        execution: Some(execution),
    })
}
