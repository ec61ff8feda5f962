//! `Cancel`.

use tidegate_core::engine::Event;
use tidegate_proto::v1;
use tonic::Status;

use super::steer;
use crate::grpc::{request_id, services::Services};

pub(super) async fn cancel(
    services: &Services,
    request: &v1::CancelRequest,
) -> Result<v1::CancelResponse, Status> {
    let stamp = request_id::optional("Cancel", request)?;
    let comment = steer::comment(&request.comment)?;
    let event = Event::Cancel { comment };
    let execution = steer::steer(services, &request.execution, event, stamp).await?;
    Ok(v1::CancelResponse {
        execution: Some(execution),
    })
}
