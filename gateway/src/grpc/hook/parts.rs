//! What is downloaded goes in parts, each of which any client reads.
//!
//! As with a watch, a reader that takes nothing costs a bounded queue, and is
//! given up after some time.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{
    OwnedSemaphorePermit,
    mpsc::{self, OwnedPermit},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::{
    drain::Drain,
    grpc::{services::Services, status},
};

/// Bytes of one message.
const PART: usize = 256 << 10;
/// Messages that may wait for a reader.
const BUFFER: usize = 2;

/// What goes over the stream, and at most one error at its end.
pub(super) type Parts<M> = ReceiverStream<Part<M>>;

type Part<M> = Result<M, Status>;

/// Streams the content, and keeps its place until the end.
pub(super) fn stream<M: Send + 'static>(
    services: &Services,
    place: OwnedSemaphorePermit,
    content: Bytes,
    message: fn(Vec<u8>) -> M,
) -> Parts<M> {
    let stall_timeout = services.settings.watch.stall_timeout;
    let (outlet, parts) = Outlet::open(message, stall_timeout, services.drain.clone());
    services.drain.stream(async move {
        outlet.send(content).await;
        drop(place);
    });
    parts
}

struct Outlet<M> {
    queue: mpsc::Sender<Part<M>>,
    /// Room that only the error may take with which the stream ends.
    last: Option<OwnedPermit<Part<M>>>,
    message: fn(Vec<u8>) -> M,
    stall_timeout: Duration,
    drain: Drain,
}

impl<M: Send + 'static> Outlet<M> {
    fn open(message: fn(Vec<u8>) -> M, stall_timeout: Duration, drain: Drain) -> (Self, Parts<M>) {
        let (queue, parts) = mpsc::channel(BUFFER + 1);
        // The queue is empty, so there is room.
        let last = queue.clone().try_reserve_owned().ok();
        let outlet = Self {
            queue,
            last,
            message,
            stall_timeout,
            drain,
        };
        (outlet, ReceiverStream::new(parts))
    }

    async fn send(self, mut content: Bytes) {
        while !content.is_empty() {
            let data = content.split_to(PART.min(content.len())).to_vec();
            let part = Ok((self.message)(data));
            let failed = tokio::select! {
                biased;
                () = self.drain.begun() => status::shutting_down(),
                sent = self.queue.send(part) => match sent {
                    Ok(()) => continue,
                    // Nobody reads any more.
                    Err(_) => return,
                },
                () = tokio::time::sleep(self.stall_timeout) => status::unavailable(
                    "SLOW_READER",
                    "nothing was read for too long; download it again",
                ),
            };
            if let Some(room) = self.last {
                room.send(Err(failed));
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_proto::v1;
    use tokio_stream::StreamExt;
    use tonic_types::StatusExt;

    use super::*;

    type Response = v1::DownloadHookResponse;

    const STALL: Duration = Duration::from_secs(30);

    fn open(drain: Drain) -> (Outlet<Response>, Parts<Response>) {
        Outlet::open(|data| Response { data }, STALL, drain)
    }

    fn content() -> Bytes {
        (0..5 * PART / 2).map(|it| (it % 251) as u8).collect()
    }

    /// The parts up to the end, and the reason of the error there.
    async fn read(mut parts: Parts<Response>) -> (Vec<usize>, Option<String>) {
        let mut sizes = Vec::new();
        while let Some(part) = parts.next().await {
            match part {
                Ok(part) => sizes.push(part.data.len()),
                Err(error) => {
                    let reason = error.get_details_error_info().unwrap().reason;
                    return (sizes, Some(reason));
                }
            }
        }
        (sizes, None)
    }

    #[tokio::test]
    async fn the_bytes_come_whole_and_in_parts() {
        let (outlet, mut parts) = open(Drain::default());
        tokio::spawn(outlet.send(content()));
        let mut read = Vec::new();
        while let Some(part) = parts.next().await {
            let data = part.unwrap().data;
            assert!(data.len() <= PART);
            read.extend(data);
        }
        assert_eq!(read, content());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stalls_is_given_up() {
        let (outlet, parts) = open(Drain::default());
        let began = tokio::time::Instant::now();
        outlet.send(content()).await;
        assert_eq!(began.elapsed(), STALL);
        let slow = Some("SLOW_READER".to_owned());
        assert_eq!(read(parts).await, (vec![PART; BUFFER], slow));
    }

    #[tokio::test(start_paused = true)]
    async fn a_download_ends_with_the_gateway() {
        let drain = Drain::default();
        let (outlet, parts) = open(drain.clone());
        let sending = tokio::spawn(outlet.send(content()));
        tokio::task::yield_now().await;
        drain.begin();
        sending.await.unwrap();
        let end = read(parts).await.1;
        assert_eq!(end.as_deref(), Some("SHUTTING_DOWN"));
    }

    #[tokio::test]
    async fn a_reader_that_leaves_ends_it() {
        let (outlet, parts) = open(Drain::default());
        drop(parts);
        outlet.send(content()).await;
    }
}
