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
    for (wave, launch, standing) in services.driver.standings(&view) {
        let wave = execution.waves.get_mut(usize::from(wave.0));
        let launch = wave.and_then(|wave| wave.launches.get_mut(usize::from(launch.0)));
        if let Some(launch) = launch {
            launch.detail = [standing, std::mem::take(&mut launch.detail)]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
        }
    }
    Cleanups::of(services, &view).await?.show(&mut execution);
    Ok(v1::GetExecutionResponse {
        execution: Some(execution),
        outstanding: services.driver.outstanding(&view),
    })
}
