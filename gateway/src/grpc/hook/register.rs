//! `RegisterHook`.

use std::sync::Arc;

use futures::Stream;
use tidegate_proto::v1;
use tonic::Status;

use super::{
    upload::{self, Received},
    usage::Usage,
};
use crate::grpc::{convert, services::Services, status};

pub(super) async fn register(
    services: &Arc<Services>,
    messages: impl Stream<Item = Result<v1::RegisterHookRequest, Status>> + Unpin,
) -> Result<v1::RegisterHookResponse, Status> {
    let place = services.hook_access.upload()?;
    let received = tokio::select! {
        biased;
        () = services.drain.begun() => return Err(status::shutting_down()),
        received = upload::receive(messages) => received?,
    };
    let registering = Arc::clone(services);
    let work = async move {
        let answer = store(&registering, received).await;
        drop(place);
        answer
    };
    services.drain.complete(work).await
}

async fn store(
    services: &Services,
    received: Received,
) -> Result<v1::RegisterHookResponse, Status> {
    let Received { digest, bytes } = received;
    let registering = services.hook_access.registering().await;
    let registered = services.hooks.register(digest, bytes).await;
    let (info, created) = registered.map_err(|error| status::from_register(&error))?;
    drop(registering);
    let usage = Usage::read(services).await?;
    Ok(v1::RegisterHookResponse {
        hook: Some(convert::stored_hook::hook(&info, usage.of(&info.digest))),
        created,
    })
}
