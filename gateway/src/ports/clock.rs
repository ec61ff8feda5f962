//! Time, as the driver needs it.

use std::time::Duration;

use futures::future::BoxFuture;
use tidegate_core::Timestamp;

/// A clock. Tests drive one by hand.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Time since some fixed instant, whatever is done to the wall clock: for
    /// how long something has lasted. The instant is this process's own.
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().as_millis())
    }

    /// Resolves when `now` has reached `at`: for deadlines.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;

    /// Resolves when this much time has passed, whatever is done to the wall
    /// clock meanwhile: for waits.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}
