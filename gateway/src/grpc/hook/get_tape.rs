//! `GetTape`.

use tidegate_proto::v1;
use tonic::Status;

use crate::{
    grpc::{argument, convert, services::Services, status},
    ports::journal::ReadError,
};

pub(super) async fn get(
    services: &Services,
    request: &v1::GetTapeRequest,
) -> Result<v1::GetTapeResponse, Status> {
    let Some(id) = &request.id else {
        return Err(status::invalid("id", "must be given"));
    };
    let execution = argument::execution_id("id.execution", &id.execution)?;
    let view = services.driver.view(&execution).await;
    let view = view.map_err(|error| status::from_driver(error, None))?;
    let key = convert::stored_hook::tape_key(id, &view.execution)?;
    let name = format!("{execution}/{}", key.command);
    let tape = services.hook_store.tape(&key).await;
    let tape = tape.map_err(|error| status::from_read(&error))?;
    let tape = tape.ok_or_else(|| status::tape_not_found(&name))?;
    let tape = String::from_utf8(tape.into()).map_err(|_| {
        let what = format!("tape {name} is no text");
        status::from_read(&ReadError::Damaged(what))
    })?;
    Ok(v1::GetTapeResponse { tape })
}
