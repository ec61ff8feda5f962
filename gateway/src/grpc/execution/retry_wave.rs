//! `RetryWave`.

use tidegate_core::engine::Event;
use tidegate_proto::v1;
use tonic::Status;

use super::steer;
use crate::grpc::{request_id, services::Services};

pub(super) async fn retry_wave(
    services: &Services,
    request: &v1::RetryWaveRequest,
) -> Result<v1::RetryWaveResponse, Status> {
    let stamp = request_id::optional("RetryWave", request)?;
    let (execution, wave) = (&request.execution, &request.wave);
    let execution = steer::steer_wave(services, execution, wave, Event::RetryWave, stamp).await?;
    Ok(v1::RetryWaveResponse {
        execution: Some(execution),
    })
}
