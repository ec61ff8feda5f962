//! `ExecutionService`: starts, steers and shows executions.

mod cancel;
mod chosen;
mod clean_up;
mod cleanups;
mod events;
mod get;
mod instances;
mod list;
mod pause;
mod resume;
mod retry_wave;
mod skip_wave;
mod start;
mod steer;

use std::{pin::Pin, sync::Arc};

use futures::Stream;
use prost::Message;
use tidegate_proto::v1::{self, execution_service_server::ExecutionService};
use tokio_stream::StreamExt;
use tonic::{Request, Response, Status};

use super::{services::Services, status, watch};

/// The service. RPCs that change something run to their end whoever waits.
#[derive(Clone, Debug)]
pub struct Executions(pub Arc<Services>);

/// A stream of decoded messages.
type Decoded<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

#[tonic::async_trait]
impl ExecutionService for Executions {
    type WatchStream = Decoded<v1::WatchResponse>;
    type WatchAllStream = Decoded<v1::WatchAllResponse>;

    async fn start_execution(
        &self,
        request: Request<v1::StartExecutionRequest>,
    ) -> Result<Response<v1::StartExecutionResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { start::start(&services, &request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn pause(
        &self,
        request: Request<v1::PauseRequest>,
    ) -> Result<Response<v1::PauseResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { pause::pause(&services, &request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn resume(
        &self,
        request: Request<v1::ResumeRequest>,
    ) -> Result<Response<v1::ResumeResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { resume::resume(&services, &request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn cancel(
        &self,
        request: Request<v1::CancelRequest>,
    ) -> Result<Response<v1::CancelResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { cancel::cancel(&services, &request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn retry_wave(
        &self,
        request: Request<v1::RetryWaveRequest>,
    ) -> Result<Response<v1::RetryWaveResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { retry_wave::retry_wave(&services, &request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn skip_wave(
        &self,
        request: Request<v1::SkipWaveRequest>,
    ) -> Result<Response<v1::SkipWaveResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { skip_wave::skip_wave(&services, &request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn clean_up(
        &self,
        request: Request<v1::CleanUpRequest>,
    ) -> Result<Response<v1::CleanUpResponse>, Status> {
        let services = Arc::clone(&self.0);
        let work = async move { clean_up::clean_up(&services, &request.into_inner()).await };
        self.0.drain.complete(work).await.map(Response::new)
    }

    async fn get_execution(
        &self,
        request: Request<v1::GetExecutionRequest>,
    ) -> Result<Response<v1::GetExecutionResponse>, Status> {
        get::get(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_executions(
        &self,
        request: Request<v1::ListExecutionsRequest>,
    ) -> Result<Response<v1::ListExecutionsResponse>, Status> {
        list::list(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_recovery_instances(
        &self,
        request: Request<v1::ListRecoveryInstancesRequest>,
    ) -> Result<Response<v1::ListRecoveryInstancesResponse>, Status> {
        instances::list(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Result<Response<v1::ListEventsResponse>, Status> {
        events::list(&self.0, &request.into_inner())
            .await
            .map(Response::new)
    }

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let frames = watch::watch(&self.0, &request.into_inner()).await?;
        Ok(Response::new(decoded(frames)))
    }

    async fn watch_all(
        &self,
        request: Request<v1::WatchAllRequest>,
    ) -> Result<Response<Self::WatchAllStream>, Status> {
        let frames = watch::watch_all(&self.0, &request.into_inner())?;
        Ok(Response::new(decoded(frames)))
    }
}

/// For callers inside the process; over the network, `ExecutionServer` sends
/// the encoded messages as they are.
fn decoded<M: Message + Default + 'static>(frames: watch::Frames) -> Decoded<M> {
    Box::pin(frames.map(|frame| {
        M::decode(frame?)
            .map_err(|error| status::bug(format!("a message that cannot be read: {error}")))
    }))
}
