//! `HookService`: stores hooks, and shows what they decided.

mod access;
mod delete;
mod download;
mod download_tape;
mod find;
mod get;
mod list;
mod list_tapes;
mod parts;
mod register;
mod rehearse;
mod upload;
mod usage;

use std::sync::Arc;

use tidegate_proto::v1::{self, hook_service_server::HookService};
use tonic::{Request, Response, Status, Streaming};

use super::services::Services;

pub use access::HookAccess;

pub(super) use access::Kept;

/// The service. RPCs that change something run to their end whoever waits.
#[derive(Clone, Debug)]
pub struct Hooks(pub Arc<Services>);

#[tonic::async_trait]
impl HookService for Hooks {
    type DownloadHookStream = parts::Parts<v1::DownloadHookResponse>;
    type DownloadTapeStream = parts::Parts<v1::DownloadTapeResponse>;

    async fn register_hook(
        &self,
        request: Request<Streaming<v1::RegisterHookRequest>>,
    ) -> Result<Response<v1::RegisterHookResponse>, Status> {
        register::register(&self.0, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn get_hook(
        &self,
        request: Request<v1::GetHookRequest>,
    ) -> Result<Response<v1::GetHookResponse>, Status> {
        get::get(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_hooks(
        &self,
        request: Request<v1::ListHooksRequest>,
    ) -> Result<Response<v1::ListHooksResponse>, Status> {
        list::list(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn download_hook(
        &self,
        request: Request<v1::DownloadHookRequest>,
    ) -> Result<Response<Self::DownloadHookStream>, Status> {
        download::download(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn test_hook(
        &self,
        request: Request<v1::TestHookRequest>,
    ) -> Result<Response<v1::TestHookResponse>, Status> {
        rehearse::rehearse(&self.0, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn delete_hook(
        &self,
        request: Request<v1::DeleteHookRequest>,
    ) -> Result<Response<v1::DeleteHookResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { delete::delete(&services, &request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn list_tapes(
        &self,
        request: Request<v1::ListTapesRequest>,
    ) -> Result<Response<v1::ListTapesResponse>, Status> {
        list_tapes::list(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn download_tape(
        &self,
        request: Request<v1::DownloadTapeRequest>,
    ) -> Result<Response<Self::DownloadTapeStream>, Status> {
        download_tape::download(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }
}
