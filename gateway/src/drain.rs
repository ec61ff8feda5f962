//! The end of a gateway, told to everything that must hear of it.
//!
//! Draining has two steps. [`Drain::begin`] asks: streams send a last message
//! with their cursor and end, connections take no further request, and what
//! changes something is finished. [`Drain::abandon`] no longer asks.

use std::{future::Future, time::Duration};

use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFuture},
    task::TaskTracker,
};
use tonic::Status;

use crate::grpc::status;

/// A cheap handle that all parts share.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    begun: CancellationToken,
    abandoned: CancellationToken,
    /// Requests that change something: finished even if their callers leave.
    mutations: TaskTracker,
    streams: TaskTracker,
    connections: TaskTracker,
}

impl Drain {
    /// Asks everything to come to an end.
    pub fn begin(&self) {
        self.begun.cancel();
        for tracker in [&self.mutations, &self.streams, &self.connections] {
            tracker.close();
        }
    }

    /// Whether the end has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Resolves when the end begins.
    pub fn begun(&self) -> WaitForCancellationFuture<'_> {
        self.begun.cancelled()
    }

    /// Cuts every connection that is still open.
    pub fn abandon(&self) {
        self.abandoned.cancel();
    }

    /// Resolves when connections are to be cut.
    pub fn abandoned(&self) -> WaitForCancellationFuture<'_> {
        self.abandoned.cancelled()
    }

    /// Waits until everything has ended by itself, at most this long, and cuts
    /// off what has not. Says whether nothing had to be cut off.
    pub async fn finish(&self, timeout: Duration) -> bool {
        let ended = async {
            self.mutations.wait().await;
            self.streams.wait().await;
            self.connections.wait().await;
        };
        let in_time = tokio::time::timeout(timeout, ended).await.is_ok();
        self.abandon();
        self.connections.wait().await;
        in_time
    }

    /// Runs something that changes state to its end, whether or not the caller
    /// still waits for it.
    ///
    /// # Errors
    /// Its own, and `Internal` if it panicked.
    pub async fn complete<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Status>> + Send + 'static,
    ) -> Result<T, Status> {
        match self.mutations.spawn(work).await {
            Ok(done) => done,
            Err(panicked) => Err(status::bug(format!("the request ended early: {panicked}"))),
        }
    }

    /// Runs the producer of a stream.
    pub fn stream(&self, producer: impl Future<Output = ()> + Send + 'static) {
        self.streams.spawn(producer);
    }

    /// Runs a connection.
    pub fn connection(&self, connection: impl Future<Output = ()> + Send + 'static) {
        self.connections.spawn(connection);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_change_completes_though_its_caller_leaves() {
        let drain = Drain::default();
        let (go, wait) = oneshot::channel::<()>();
        let (done, told) = oneshot::channel();
        let mut request = Box::pin(drain.complete(async move {
            wait.await.expect("the test says when");
            done.send(()).expect("the test listens");
            Ok(())
        }));
        let first_poll = futures::poll!(&mut request);
        assert!(first_poll.is_pending());

        drop(request);
        go.send(()).unwrap();

        told.await.unwrap();
        drain.begin();
        assert!(drain.finish(Duration::from_secs(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_end_in_time_is_cut_off() {
        let drain = Drain::default();
        let handle = drain.clone();
        drain.connection(async move { handle.abandoned().await });
        drain.begin();
        assert!(!drain.finish(Duration::from_secs(10)).await);
    }
}
