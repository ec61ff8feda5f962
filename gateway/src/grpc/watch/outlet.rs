//! A stream's way out: a small bounded queue, and room for a last message.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{self, OwnedPermit, error::TrySendError};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::{drain::Drain, driver::DriverError, grpc::status::from_driver};

/// What goes over a stream: encoded messages, and at most one error at its
/// end.
pub(crate) type Frames = ReceiverStream<Result<Bytes, Status>>;

/// The sending half. A reader that takes nothing costs its queue and no more.
#[derive(Debug)]
pub(super) struct Outlet {
    queue: mpsc::Sender<Result<Bytes, Status>>,
    /// Room that only the last message may take, so that a stalled reader
    /// finds its cursor when it reads on.
    last: Option<OwnedPermit<Result<Bytes, Status>>>,
    stall_timeout: Duration,
    drain: Drain,
}

/// Why a stream ends.
#[derive(Debug)]
pub(super) enum Stop {
    /// Everything was sent.
    Ended,
    /// The gateway shuts down, or no longer drives the execution.
    Shutdown(&'static str),
    /// The reader took nothing for too long.
    SlowReader,
    /// The stream is old enough.
    MaxAge,
    /// Nobody reads any more.
    Gone,
    /// It cannot go on.
    Failed(Status),
}

impl From<DriverError> for Stop {
    fn from(error: DriverError) -> Self {
        match error {
            DriverError::ShuttingDown => Self::Shutdown("the gateway shuts down"),
            DriverError::NotOwner(_) => {
                Self::Shutdown("this gateway no longer drives the execution")
            }
            DriverError::NotFound(_)
            | DriverError::FutureRevision { .. }
            | DriverError::Rejected(_)
            | DriverError::ServerBusy { .. }
            | DriverError::SelectionBusy { .. }
            | DriverError::OtherLease { .. }
            | DriverError::RequestIdReused(_)
            | DriverError::TooManyRequests { .. }
            | DriverError::TooManyLive { .. }
            | DriverError::Unavailable(_)
            | DriverError::Refused(_)
            | DriverError::Unknown(_)
            | DriverError::Damaged(_) => Self::Failed(from_driver(error, None)),
        }
    }
}

impl Outlet {
    /// Both halves, with room for `buffer` messages.
    pub(super) fn open(buffer: usize, stall_timeout: Duration, drain: Drain) -> (Self, Frames) {
        let (queue, frames) = mpsc::channel(buffer.max(1) + 1);
        // The queue is empty, so there is room.
        let last = queue.clone().try_reserve_owned().ok();
        let outlet = Self {
            queue,
            last,
            stall_timeout,
            drain,
        };
        (outlet, ReceiverStream::new(frames))
    }

    /// Queues a message, waiting for a slow reader for some time.
    pub(super) async fn send(&self, message: Bytes) -> Result<(), Stop> {
        match self.queue.try_send(Ok(message)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(Stop::Gone),
            Err(TrySendError::Full(message)) => self.wait(message).await,
        }
    }

    async fn wait(&self, message: Result<Bytes, Status>) -> Result<(), Stop> {
        tokio::select! {
            biased;
            sent = self.queue.send(message) => sent.map_err(|_| Stop::Gone),
            () = self.drain.begun() => Err(Stop::Shutdown("the gateway shuts down")),
            () = tokio::time::sleep(self.stall_timeout) => Err(Stop::SlowReader),
        }
    }

    /// Whether nobody reads any more.
    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Resolves when nobody reads any more.
    pub(super) async fn closed(&self) {
        self.queue.closed().await;
    }

    /// Sends the last message.
    pub(super) fn end(mut self, last: Result<Bytes, Status>) {
        if let Some(room) = self.last.take() {
            room.send(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt;

    use super::*;

    #[test]
    fn a_gateway_that_no_longer_drives_ends_a_stream_and_fails_none() {
        let id = tidegate_core::ExecutionId::from("01j");
        for error in [DriverError::ShuttingDown, DriverError::NotOwner(id)] {
            assert!(matches!(Stop::from(error), Stop::Shutdown(_)));
        }
        let damaged = DriverError::Damaged("x".to_owned());
        assert!(matches!(Stop::from(damaged), Stop::Failed(_)));
    }

    const STALL: Duration = Duration::from_secs(30);

    fn message(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stalls_is_given_up_and_still_finds_the_last_message() {
        let (outlet, mut frames) = Outlet::open(2, STALL, Drain::default());
        outlet.send(message("1")).await.unwrap();
        outlet.send(message("2")).await.unwrap();

        let began = tokio::time::Instant::now();
        assert!(matches!(
            outlet.send(message("3")).await,
            Err(Stop::SlowReader)
        ));
        assert_eq!(began.elapsed(), STALL);
        outlet.end(Ok(message("end")));

        let mut read = Vec::new();
        while let Some(frame) = frames.next().await {
            read.push(frame.unwrap());
        }
        assert_eq!(read, ["1", "2", "end"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_ends_the_wait_for_a_slow_reader() {
        let drain = Drain::default();
        let (outlet, _frames) = Outlet::open(1, STALL, drain.clone());
        outlet.send(message("1")).await.unwrap();
        drain.begin();
        assert!(matches!(
            outlet.send(message("2")).await,
            Err(Stop::Shutdown(_))
        ));
    }

    #[tokio::test]
    async fn a_reader_that_leaves_is_noticed() {
        let (outlet, frames) = Outlet::open(1, STALL, Drain::default());
        drop(frames);
        outlet.closed().await;
        assert!(outlet.is_closed());
        assert!(matches!(outlet.send(message("1")).await, Err(Stop::Gone)));
    }
}
