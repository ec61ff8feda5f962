//! The body of a stream that ends at its deadline, or with the gateway.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tokio::time::{Instant, sleep_until};
use tonic::{Status, body::Body};

use crate::drain::Drain;
use crate::grpc::status;

/// Passes a body on until something ends it.
pub(super) struct StreamBody {
    inner: Body,
    deadline: Option<BoxFuture<'static, ()>>,
    drain: Option<BoxFuture<'static, ()>>,
    over: bool,
}

impl StreamBody {
    /// A body that ends with DEADLINE_EXCEEDED, or with UNAVAILABLE once the
    /// gateway shuts down and nothing more is ready.
    pub(super) fn new(inner: Body, deadline: Option<Instant>, drain: Option<Drain>) -> Self {
        Self {
            inner,
            deadline: deadline.map(|at| Box::pin(sleep_until(at)) as _),
            drain: drain.map(|drain| Box::pin(async move { drain.begun().await }) as _),
            over: false,
        }
    }

    fn end(&mut self, status: &Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.over = true;
        self.inner = Body::empty();
        let mut trailers = HeaderMap::new();
        match status.add_header(&mut trailers) {
            Ok(()) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }
}

impl HttpBody for StreamBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if is_due(&mut self.deadline, cx) {
            return self.end(&status::deadline_exceeded());
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.over = frame.is_none();
            return Poll::Ready(frame);
        }
        if is_due(&mut self.drain, cx) {
            return self.end(&status::shutting_down());
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.inner.is_end_stream()
    }
}

/// Whether it has come; afterwards it is asked no more.
fn is_due(event: &mut Option<BoxFuture<'static, ()>>, cx: &mut Context<'_>) -> bool {
    let due = event
        .as_mut()
        .is_some_and(|event| event.as_mut().poll(cx).is_ready());
    if due {
        *event = None;
    }
    due
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use tonic::Code;

    use super::*;

    /// A body that is open for ever.
    struct Silent;

    impl HttpBody for Silent {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Pending
        }
    }

    async fn end_of(mut body: StreamBody) -> Code {
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let trailers = frame.unwrap().unwrap().into_trailers().unwrap();
        assert!(
            poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))
                .await
                .is_none()
        );
        Status::from_header_map(&trailers).unwrap().code()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_at_its_deadline() {
        let began = Instant::now();
        let deadline = began + Duration::from_secs(7);
        let body = StreamBody::new(Body::new(Silent), Some(deadline), None);
        assert_eq!(end_of(body).await, Code::DeadlineExceeded);
        assert_eq!(began.elapsed(), Duration::from_secs(7));
    }

    #[tokio::test]
    async fn a_stream_that_is_not_ours_ends_with_the_gateway() {
        let drain = Drain::default();
        drain.begin();
        let body = StreamBody::new(Body::new(Silent), None, Some(drain));
        assert_eq!(end_of(body).await, Code::Unavailable);
    }
}
