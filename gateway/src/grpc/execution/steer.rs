//! What all requests to a running execution have in common.

use tidegate_core::{WaveIx, engine::Event};
use tidegate_proto::v1;
use tonic::Status;

use crate::{
    driver::{RequestStamp, View},
    grpc::{argument, convert, services::Services, status},
};

/// Longest comment, in characters.
const COMMENT: usize = 1_024;

/// Hands a request to an execution and presents it after that.
pub(super) async fn steer(
    services: &Services,
    execution: &str,
    event: Event,
    stamp: Option<RequestStamp>,
) -> Result<v1::Execution, Status> {
    let view = find(services, execution).await?;
    hand_over(services, &view, event, stamp).await
}

/// Hands a request about a wave to an execution.
pub(super) async fn steer_wave(
    services: &Services,
    execution: &str,
    wave: &str,
    event: fn(WaveIx) -> Event,
    stamp: Option<RequestStamp>,
) -> Result<v1::Execution, Status> {
    let view = find(services, execution).await?;
    if wave.is_empty() {
        return Err(status::invalid("wave", "must be given"));
    }
    let found = view.execution.plan().find(wave);
    let ix = found.ok_or_else(|| status::wave_not_found(&view.execution, wave))?;
    hand_over(services, &view, event(ix), stamp).await
}

/// An execution that a request names.
pub(super) async fn find(services: &Services, execution: &str) -> Result<View, Status> {
    let id = argument::execution_id("execution", execution)?;
    let view = services.driver.view(&id).await;
    view.map_err(|error| status::from_driver(error, None))
}

/// A comment for the record.
pub(super) fn comment(text: &str) -> Result<std::sync::Arc<str>, Status> {
    if text.chars().count() > COMMENT {
        let message = format!("must not be longer than {COMMENT} characters");
        return Err(status::invalid("comment", message));
    }
    Ok(text.into())
}

async fn hand_over(
    services: &Services,
    view: &View,
    event: Event,
    stamp: Option<RequestStamp>,
) -> Result<v1::Execution, Status> {
    let id = view.execution.id();
    match services.driver.request(id, event, stamp).await {
        Ok(after) => Ok(convert::execution::execution(&after)),
        Err(error) => Err(status::from_driver(error, Some(&view.execution))),
    }
}
