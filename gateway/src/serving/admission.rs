//! How many requests are worked on at a time.
//!
//! Streams are not counted here: they have a bound of their own, and cost
//! nothing while nothing happens.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tonic::body::Body;
use tower::Service;

use super::deadline::is_stream;
use crate::grpc::status;

/// Refuses requests above a number, at once and with RESOURCE_EXHAUSTED: what
/// waits in a queue is answered after its caller gave up.
#[derive(Clone, Debug)]
pub(crate) struct Admission<S> {
    inner: S,
    places: Arc<Semaphore>,
    limit: usize,
}

impl<S> Admission<S> {
    pub(crate) fn new(inner: S, limit: usize) -> Self {
        Self {
            inner,
            places: Arc::new(Semaphore::new(limit)),
            limit,
        }
    }
}

impl<S, B> Service<http::Request<B>> for Admission<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        if is_stream(request.uri().path()) {
            return Box::pin(self.inner.call(request));
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let message = format!("{} requests are worked on; that is the limit", self.limit);
            let status = status::exhausted("TOO_MANY_REQUESTS", "limits.requests", message);
            return Box::pin(async move { Ok(status.into_http()) });
        };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(place);
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::future;
    use tonic::{Code, Status};
    use tower::{ServiceExt, service_fn};

    use super::*;

    fn request(path: &str) -> http::Request<Body> {
        http::Request::builder()
            .uri(path)
            .body(Body::empty())
            .unwrap()
    }

    #[tokio::test]
    async fn what_is_above_the_limit_is_refused_and_streams_are_not_counted() {
        let never = service_fn(|_: http::Request<Body>| {
            future::pending::<Result<http::Response<Body>, Infallible>>()
        });
        let mut admission = Admission::new(never, 1);
        let first = admission.call(request("/tidegate.v1.PlanService/GetPlan"));

        let second = admission
            .clone()
            .oneshot(request("/tidegate.v1.PlanService/GetPlan"));
        let refused = Status::from_header_map(second.await.unwrap().headers()).unwrap();
        assert_eq!(refused.code(), Code::ResourceExhausted);

        let mut stream = admission.call(request("/tidegate.v1.ExecutionService/Watch"));
        assert!(futures::poll!(&mut stream).is_pending());

        drop(first);
        let mut third = admission.call(request("/tidegate.v1.PlanService/GetPlan"));
        assert!(futures::poll!(&mut third).is_pending());
    }
}
