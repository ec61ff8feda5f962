//! `DownloadHook`.

use std::sync::Arc;

use tidegate_proto::v1;
use tonic::Status;

use super::{
    find,
    parts::{self, Parts},
};
use crate::grpc::{services::Services, status};

pub(super) async fn download(
    services: &Arc<Services>,
    request: &v1::DownloadHookRequest,
) -> Result<Parts<v1::DownloadHookResponse>, Status> {
    if services.drain.has_begun() {
        return Err(status::shutting_down());
    }
    let digest = find::wanted(services, &request.hook).await?;
    let place = services.hook_access.download()?;
    let component = services.hooks.component(&digest).await;
    let component = component.map_err(|error| status::from_read(&error))?;
    let component = component.ok_or_else(|| status::hook_not_found(&request.hook))?;
    let message = |data| v1::DownloadHookResponse { data };
    Ok(parts::stream(services, place, component, message))
}
