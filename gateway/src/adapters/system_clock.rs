//! The machine's clock.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures::future::BoxFuture;
use tidegate_core::Timestamp;

use crate::ports::clock::Clock;

/// Longest sleep at once. The wall clock may be set while one sleeps; looking
/// again bounds how late that is noticed.
const LONGEST: Duration = Duration::from_secs(30);

/// What `elapsed` counts from.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Wall-clock time from the operating system, sleeping on tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// Goes on while the process is stopped by a signal.
    fn elapsed(&self) -> Duration {
        BEGAN.elapsed()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let left = at.since(Self.now());
                if left.as_millis() == 0 {
                    return;
                }
                let left = Duration::from_millis(left.as_millis());
                tokio::time::sleep(left.min(LONGEST)).await;
            }
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
