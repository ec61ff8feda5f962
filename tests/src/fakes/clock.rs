//! A clock that a test drives by hand.

use std::time::Duration;

use futures::future::BoxFuture;
use tidegate_core::{Span, Timestamp};
use tidegate_gateway::ports::clock::Clock;
use tokio::sync::watch;

/// Stands still until it is told.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl Default for ManualClock {
    /// Begins on 2026-01-01.
    fn default() -> Self {
        Self {
            now: watch::Sender::new(Timestamp::from_millis(1_767_225_600_000)),
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
