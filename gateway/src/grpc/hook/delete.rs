//! `DeleteHook`.
//!
//! The answer to a request id is stored after the hook is gone and before it
//! is given: one that was given is given again.

use tidegate_proto::v1;
use tonic::Status;

use super::{find, usage};
use crate::{
    grpc::{plan::idempotence, request_id, services::Services, status},
    ports::hook_store::HookStoreError,
};

/// How often it is looked whether a hook is used.
const ATTEMPTS: u32 = 5;

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
    let deleted = unused(services, digest).await?;
    if !deleted && !request.allow_missing {
        return Err(status::hook_not_found(digest));
    }
    let answer = v1::DeleteHookResponse {};
    idempotence::answer_unchanged(services, stamp, answer).await
}

/// Deletes a hook that nothing uses; says whether there was one. Where another
/// gateway stores a plan or deletes a hook meanwhile, it is looked again.
async fn unused(services: &Services, digest: &str) -> Result<bool, Status> {
    let mut attempts = 0;
    loop {
        let shelf = services.hook_store.shelf().await;
        let shelf = shelf.map_err(|error| status::from_read(&error))?;
        if let Some(users) = usage::users(services, digest).await? {
            return Err(status::hook_in_use(digest, &users));
        }
        attempts += 1;
        match services.hooks.delete(digest, shelf).await {
            Ok(deleted) => return Ok(deleted),
            Err(HookStoreError::Outdated) if attempts < ATTEMPTS => {}
            Err(error) => return Err(status::from_hook_store(&error)),
        }
    }
}
