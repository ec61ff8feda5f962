//! Clocks of tests: one that a test drives by hand, and one that goes with
//! the runtime.

use std::time::Duration;

use futures::future::BoxFuture;
use tidegate_core::{Span, Timestamp};
use tidegate_gateway::ports::clock::Clock;
use tokio::{sync::watch, time::Instant};

/// 2026-01-01.
const BEGINNING: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Stands still until it is told.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl Default for ManualClock {
    /// Begins on 2026-01-01.
    fn default() -> Self {
        Self {
            now: watch::Sender::new(BEGINNING),
        }
    }
}

impl ManualClock {
    /// Moves time forward and wakes whoever waited for it.
    pub fn advance(&self, span: Span) {
        self.now.send_modify(|now| *now = *now + span);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // An error means that the clock is gone, and with it the test.
            let _ = now.wait_for(|now| *now >= at).await;
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.sleep_until(self.now() + Span::from_millis(millis))
    }
}

/// The time of the tokio runtime that it is made on. Where that is paused,
/// time passes only while everything waits, and at once.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    began: Instant,
}

impl Default for TokioClock {
    /// Begins on 2026-01-01.
    fn default() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let passed = self.began.elapsed().as_millis();
        BEGINNING + Span::from_millis(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let wait = Duration::from_millis(at.since(BEGINNING).as_millis());
        Box::pin(tokio::time::sleep_until(self.began + wait))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
