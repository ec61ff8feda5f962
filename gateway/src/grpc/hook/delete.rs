//! `DeleteHook`.
//!
//! The answer to a request id is stored after the hook is gone and before it
//! is given: one that was given is given again.

use tidegate_proto::v1;
use tonic::Status;

use super::{find, usage};
use crate::grpc::{plan::idempotence, request_id, services::Services, status};

pub(super) async fn delete(
    services: &Services,
    request: &v1::DeleteHookRequest,
) -> Result<v1::DeleteHookResponse, Status> {
    let stamp = request_id::optional("DeleteHook", request)?;
    let stamp = stamp.as_ref();
    let digest = find::digest("digest", &request.digest)?;
    let _alone = services.hook_access.deleting().await;
    // Deletions come one after the other, so a first asking has ended.
    if let Some(answer) = idempotence::earlier(services, stamp).await? {
        return Ok(answer);
    }
    if let Some(users) = usage::users(services, digest).await? {
        return Err(status::hook_in_use(digest, &users));
    }
    let deleted = services.hooks.delete(digest).await;
    let deleted = deleted.map_err(|error| status::from_hook_store(&error))?;
    if !deleted && !request.allow_missing {
        return Err(status::hook_not_found(digest));
    }
    let answer = v1::DeleteHookResponse {};
    idempotence::answer_unchanged(services, stamp, answer).await
}
