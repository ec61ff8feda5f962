//! `ExecutionService` as it is mounted: the streams bypass the generated
//! server, which would encode every message anew for every watcher.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body::Body as HttpBody;
use prost::Message;
use tidegate_proto::v1::{self, execution_service_server::ExecutionServiceServer};
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService, ServerStreamingService},
};
use tower::Service;

use super::{Frames, codec::Encoded};
use crate::grpc::{execution::Executions, services::Services};

/// Path of `Watch`.
const WATCH: &str = "/tidegate.v1.ExecutionService/Watch";
/// Path of `WatchAll`.
const WATCH_ALL: &str = "/tidegate.v1.ExecutionService/WatchAll";

/// The execution service, ready to be mounted.
#[derive(Clone, Debug)]
pub struct ExecutionServer {
    unary: ExecutionServiceServer<Executions>,
    services: Arc<Services>,
    request_bytes: usize,
}

impl ExecutionServer {
    /// The service, with a bound on the size of requests.
    #[must_use]
    pub fn new(services: Arc<Services>, request_bytes: usize) -> Self {
        let unary = ExecutionServiceServer::new(Executions(Arc::clone(&services)))
            .max_decoding_message_size(request_bytes);
        Self {
            unary,
            services,
            request_bytes,
        }
    }

    async fn stream<M, B>(self, method: M, request: http::Request<B>) -> http::Response<Body>
    where
        M: ServerStreamingService<M::Wanted, Response = Bytes, ResponseStream = Frames> + Method,
        B: HttpBody + Send + 'static,
        B::Error: Into<tonic::codegen::StdError> + Send,
    {
        Grpc::new(Encoded::<M::Wanted>::default())
            .apply_max_message_size_config(Some(self.request_bytes), None)
            .server_streaming(method, request)
            .await
    }
}

impl NamedService for ExecutionServer {
    const NAME: &'static str = "tidegate.v1.ExecutionService";
}

impl<B> Service<http::Request<B>> for ExecutionServer
where
    B: HttpBody + Send + 'static,
    B::Error: Into<tonic::codegen::StdError> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let this = self.clone();
        match request.uri().path() {
            WATCH => {
                let method = Watch(Arc::clone(&self.services));
                Box::pin(async move { Ok(this.stream(method, request).await) })
            }
            WATCH_ALL => {
                let method = WatchAll(Arc::clone(&self.services));
                Box::pin(async move { Ok(this.stream(method, request).await) })
            }
            _ => self.unary.call(request),
        }
    }
}

/// A method and the request that it reads.
trait Method {
    type Wanted: Message + Default + Send + 'static;
}

struct Watch(Arc<Services>);

impl Method for Watch {
    type Wanted = v1::WatchRequest;
}

impl ServerStreamingService<v1::WatchRequest> for Watch {
    type Response = Bytes;
    type ResponseStream = Frames;
    type Future = BoxFuture<'static, Result<Response<Frames>, Status>>;

    fn call(&mut self, request: Request<v1::WatchRequest>) -> Self::Future {
        let services = Arc::clone(&self.0);
        Box::pin(async move {
            let frames = super::watch(&services, &request.into_inner()).await?;
            Ok(Response::new(frames))
        })
    }
}

struct WatchAll(Arc<Services>);

impl Method for WatchAll {
    type Wanted = v1::WatchAllRequest;
}

impl ServerStreamingService<v1::WatchAllRequest> for WatchAll {
    type Response = Bytes;
    type ResponseStream = Frames;
    type Future = BoxFuture<'static, Result<Response<Frames>, Status>>;

    fn call(&mut self, request: Request<v1::WatchAllRequest>) -> Self::Future {
        let services = Arc::clone(&self.0);
        let opened = super::watch_all(&services, &request.into_inner());
        Box::pin(async move { opened.map(Response::new) })
    }
}
