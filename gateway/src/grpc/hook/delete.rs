//! `DeleteHook`.

use tidegate_proto::v1;
use tonic::Status;

use super::{find, usage};
use crate::grpc::{services::Services, status};

pub(super) async fn delete(
    services: &Services,
    request: &v1::DeleteHookRequest,
) -> Result<v1::DeleteHookResponse, Status> {
    let digest = find::digest("digest", &request.digest)?;
    let _alone = services.hook_access.deleting().await;
    if let Some(users) = usage::users(services, digest).await? {
        return Err(status::hook_in_use(digest, &users));
    }
    let deleted = services.hooks.delete(digest).await;
    match deleted.map_err(|error| status::from_hook_store(&error))? {
        true => Ok(v1::DeleteHookResponse {}),
        false if request.allow_missing => Ok(v1::DeleteHookResponse {}),
        false => Err(status::hook_not_found(digest)),
    }
}
