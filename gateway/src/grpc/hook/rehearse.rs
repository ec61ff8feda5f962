//! `TestHook`.

use tidegate_proto::v1::{self, test_hook_request::Subject};
use tonic::Status;

use super::find;
use crate::{
    grpc::{convert, services::Services, status},
    ports::hooks::{Rehearsal, RehearsalSubject},
};

pub(super) async fn rehearse(
    services: &Services,
    request: v1::TestHookRequest,
) -> Result<v1::TestHookResponse, Status> {
    let (subject, field) = match request.subject {
        Some(Subject::Vector(text)) => (RehearsalSubject::Vector(text), "vector"),
        Some(Subject::Tape(text)) => (RehearsalSubject::Tape(text), "tape"),
        None => {
            return Err(status::invalid(
                "vector",
                "must be given, or a tape: what to run the hook on",
            ));
        }
    };
    let info = find::info(services, &request.hook).await?;
    let rehearsal = Rehearsal {
        digest: info.digest,
        subject,
    };
    let began = services.clock.now();
    let rehearsed = services.hooks.rehearse(rehearsal).await;
    let rehearsed = rehearsed.map_err(|error| status::from_rehearsal(&error, field))?;
    Ok(convert::stored_hook::rehearsed(
        &info.name, rehearsed, began,
    ))
}
