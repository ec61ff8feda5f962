//! Time, as the driver needs it.

use futures::future::BoxFuture;
use tidegate_core::Timestamp;

/// A clock. Tests drive one by hand.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Resolves when `now` has reached `at`.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}
