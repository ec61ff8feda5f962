//! `GetHook`.

use tidegate_proto::v1;
use tonic::Status;

use super::{find, usage::Usage};
use crate::grpc::{convert, services::Services};

pub(super) async fn get(
    services: &Services,
    request: &v1::GetHookRequest,
) -> Result<v1::GetHookResponse, Status> {
    let info = find::info(services, &request.hook).await?;
    let usage = Usage::read(services).await?;
    Ok(v1::GetHookResponse {
        hook: Some(convert::stored_hook::hook(&info, usage.of(&info.digest))),
    })
}
