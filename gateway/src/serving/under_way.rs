//! Which requests of a connection are under way: from their heads until the
//! last of their answers is handed over.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

/// The requests of one connection.
#[derive(Debug)]
pub(super) struct UnderWay(TaskTracker);

impl UnderWay {
    /// None yet.
    pub(super) fn new() -> Self {
        let requests = TaskTracker::new();
        // It takes on requests all the same, and can be waited for.
        requests.close();
        Self(requests)
    }

    /// A request begins.
    pub(super) fn begin(&self) -> Request {
        Request {
            _counted: self.0.token(),
        }
    }

    /// Resolves when there is none, and so much later again there is none.
    pub(super) async fn none_for(&self, time: Duration) {
        loop {
            self.0.wait().await;
            tokio::time::sleep(time).await;
            if self.0.is_empty() {
                return;
            }
        }
    }
}

/// A request that is under way as long as this lives.
#[derive(Debug)]
pub(super) struct Request {
    _counted: TaskTrackerToken,
}

impl Request {
    /// The request's answer, which ends with its body.
    pub(super) fn answered<B>(self, answer: http::Response<B>) -> http::Response<Answer<B>> {
        answer.map(|body| Answer {
            body,
            _request: self,
        })
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Answer<B> {
    body: B,
    _request: Request,
}

impl<B: HttpBody + Unpin> HttpBody for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::Instant;
    use tonic::body::Body;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_request_is_under_way_until_its_answer_is_dropped() {
        let requests = UnderWay::new();
        let mut none = pin!(requests.none_for(PATIENCE));
        let answer = requests
            .begin()
            .answered(http::Response::new(Body::empty()));
        assert!(futures::poll!(&mut none).is_pending());
        tokio::time::advance(10 * PATIENCE).await;
        assert!(futures::poll!(&mut none).is_pending());

        let ended = Instant::now();
        drop(answer);
        none.await;
        assert_eq!(ended.elapsed(), PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_begins_meanwhile_counts() {
        let requests = UnderWay::new();
        let mut none = pin!(requests.none_for(PATIENCE));
        assert!(futures::poll!(&mut none).is_pending());
        let request = requests.begin();
        tokio::time::advance(10 * PATIENCE).await;
        assert!(futures::poll!(&mut none).is_pending());
        drop(request);
        none.await;
    }
}
