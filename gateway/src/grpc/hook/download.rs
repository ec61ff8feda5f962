//! `DownloadHook`.
//!
//! As with a watch, a reader that takes nothing costs a bounded queue, and is
//! given up after some time.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tidegate_proto::v1;
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::find;
use crate::{
    drain::Drain,
    grpc::{services::Services, status},
};

/// Bytes of one message.
const PART: usize = 256 << 10;
/// Messages that may wait for a reader.
const BUFFER: usize = 2;

/// What goes over the stream, and at most one error at its end.
pub(super) type Parts = ReceiverStream<Part>;

type Part = Result<v1::DownloadHookResponse, Status>;

pub(super) async fn download(
    services: &Arc<Services>,
    request: &v1::DownloadHookRequest,
) -> Result<Parts, Status> {
    if services.drain.has_begun() {
        return Err(status::shutting_down());
    }
    let digest = find::wanted(services, &request.hook)?;
    let place = services.hook_access.download()?;
    let component = services.hooks.component(&digest).await;
    let component = component.map_err(|error| status::from_read(&error))?;
    let component = component.ok_or_else(|| status::hook_not_found(&request.hook))?;
    let (outlet, parts) = Outlet::open(
        services.settings.watch.stall_timeout,
        services.drain.clone(),
    );
    services.drain.stream(async move {
        outlet.send(component).await;
        drop(place);
    });
    Ok(parts)
}

struct Outlet {
    queue: mpsc::Sender<Part>,
    /// Room that only the error may take with which the stream ends.
    last: Option<OwnedPermit<Part>>,
    stall_timeout: Duration,
    drain: Drain,
}

impl Outlet {
    fn open(stall_timeout: Duration, drain: Drain) -> (Self, Parts) {
        let (queue, parts) = mpsc::channel(BUFFER + 1);
        // The queue is empty, so there is room.
        let last = queue.clone().try_reserve_owned().ok();
        let outlet = Self {
            queue,
            last,
            stall_timeout,
            drain,
        };
        (outlet, ReceiverStream::new(parts))
    }

    async fn send(self, mut component: Bytes) {
        while !component.is_empty() {
            let data = component.split_to(PART.min(component.len())).to_vec();
            let part = Ok(v1::DownloadHookResponse { data });
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
                    "nothing was read for too long; download the hook again",
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
    use tokio_stream::StreamExt;
    use tonic_types::StatusExt;

    use super::*;

    const STALL: Duration = Duration::from_secs(30);

    fn component() -> Bytes {
        (0..5 * PART / 2).map(|it| (it % 251) as u8).collect()
    }

    /// The parts up to the end, and the reason of the error there.
    async fn read(mut parts: Parts) -> (Vec<usize>, Option<String>) {
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
        let (outlet, mut parts) = Outlet::open(STALL, Drain::default());
        tokio::spawn(outlet.send(component()));
        let mut read = Vec::new();
        while let Some(part) = parts.next().await {
            let data = part.unwrap().data;
            assert!(data.len() <= PART);
            read.extend(data);
        }
        assert_eq!(read, component());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stalls_is_given_up() {
        let (outlet, parts) = Outlet::open(STALL, Drain::default());
        let began = tokio::time::Instant::now();
        outlet.send(component()).await;
        assert_eq!(began.elapsed(), STALL);
        let slow = Some("SLOW_READER".to_owned());
        assert_eq!(read(parts).await, (vec![PART; BUFFER], slow));
    }

    #[tokio::test(start_paused = true)]
    async fn a_download_ends_with_the_gateway() {
        let drain = Drain::default();
        let (outlet, parts) = Outlet::open(STALL, drain.clone());
        let sending = tokio::spawn(outlet.send(component()));
        tokio::task::yield_now().await;
        drain.begin();
        sending.await.unwrap();
        let end = read(parts).await.1;
        assert_eq!(end.as_deref(), Some("SHUTTING_DOWN"));
    }

    #[tokio::test]
    async fn a_reader_that_leaves_ends_it() {
        let (outlet, parts) = Outlet::open(STALL, Drain::default());
        drop(parts);
        outlet.send(component()).await;
    }
}
