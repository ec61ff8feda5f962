//! `SkipWave`.

use tidegate_core::engine::Event;
use tidegate_proto::v1;
use tonic::Status;

use super::steer;
use crate::grpc::{request_id, services::Services};

pub(super) async fn skip_wave(
    services: &Services,
    request: &v1::SkipWaveRequest,
) -> Result<v1::SkipWaveResponse, Status> {
    let stamp = request_id::optional("SkipWave", request)?;
    let (execution, wave) = (&request.execution, &request.wave);
    let execution = steer::steer_wave(services, execution, wave, Event::SkipWave, stamp).await?;
    Ok(v1::SkipWaveResponse {
        execution: Some(execution),
    })
}
