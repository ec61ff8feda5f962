//! `DownloadTape`.

use std::sync::Arc;

use tidegate_proto::v1;
use tonic::Status;

use super::parts::{self, Parts};
use crate::grpc::{argument, convert, services::Services, status};

pub(super) async fn download(
    services: &Arc<Services>,
    request: &v1::DownloadTapeRequest,
) -> Result<Parts<v1::DownloadTapeResponse>, Status> {
    if services.drain.has_begun() {
        return Err(status::shutting_down());
    }
    let Some(id) = &request.id else {
        return Err(status::invalid("id", "must be given"));
    };
    let execution = argument::execution_id("id.execution", &id.execution)?;
    let view = services.driver.view(&execution).await;
    let view = view.map_err(|error| status::from_driver(error, None))?;
    let key = convert::stored_hook::tape_key(id, &view.execution)?;
    let place = services.hook_access.download()?;
    let tape = services.hook_store.tape(&key).await;
    let tape = tape.map_err(|error| status::from_read(&error))?;
    let tape =
        tape.ok_or_else(|| status::tape_not_found(&format!("{execution}/{}", key.command)))?;
    let message = |data| v1::DownloadTapeResponse { data };
    Ok(parts::stream(services, place, tape, message))
}
