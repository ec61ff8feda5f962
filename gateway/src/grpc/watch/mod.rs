//! `Watch` and `WatchAll`: cursors over the journal.
//!
//! A stream is a task with a cursor and a queue of a few messages. It reads
//! when there is something to read and its client takes it, so that a slow
//! client costs its queue and loses nothing: what it has not taken yet is in
//! the journal. Whatever ends a stream, its last message has the cursor to go
//! on from.

mod all;
mod bookmark;
mod codec;
mod cursor;
mod feed;
mod frame;
mod one;
mod outlet;
mod server;

pub use feed::Feeds;
pub use server::ExecutionServer;

pub(super) use all::watch_all;
pub(super) use one::watch;
pub(super) use outlet::Frames;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tonic::Status;

use self::outlet::Outlet;
use super::{services::Services, status};

/// When a stream says something by itself. One timer per stream.
#[derive(Clone, Copy, Debug)]
struct Pace {
    interval: Duration,
    next_bookmark: Instant,
    too_old: Instant,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Bookmark,
    End,
}

impl Pace {
    fn new(interval: Duration, max_age: Duration) -> Self {
        let now = Instant::now();
        Self {
            interval,
            next_bookmark: now + interval,
            too_old: now + max_age,
        }
    }

    /// Resolves when something is due; may be dropped at any time.
    async fn due(&mut self) -> Due {
        let next = self.next_bookmark.min(self.too_old);
        tokio::time::sleep_until(next).await;
        if next == self.too_old {
            return Due::End;
        }
        // A stream that could not send in time does not make up for it.
        self.next_bookmark = Instant::now() + self.interval;
        Due::Bookmark
    }
}

/// Opens a stream, unless there are too many or the gateway shuts down.
fn open(services: &Arc<Services>) -> Result<(Outlet, Frames, impl Send + 'static), Status> {
    if services.drain.has_begun() {
        return Err(status::shutting_down());
    }
    let settings = &services.settings.watch;
    let place = services.feeds.admit(settings.streams).ok_or_else(|| {
        let message = format!("{} streams are open; that is the limit", settings.streams);
        status::exhausted("TOO_MANY_STREAMS", "watch.streams", message)
    })?;
    let (outlet, frames) = Outlet::open(
        settings.buffer,
        settings.stall_timeout,
        services.drain.clone(),
    );
    Ok((outlet, frames, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bookmarks_come_at_the_interval_until_the_stream_is_too_old() {
        let began = Instant::now();
        let mut pace = Pace::new(Duration::from_secs(5), Duration::from_secs(12));
        let mut heard = Vec::new();
        loop {
            let due = pace.due().await;
            heard.push((began.elapsed().as_secs(), due));
            if due == Due::End {
                break;
            }
        }
        assert_eq!(
            heard,
            [(5, Due::Bookmark), (10, Due::Bookmark), (12, Due::End)]
        );
    }
}
