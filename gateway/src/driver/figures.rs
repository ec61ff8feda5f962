//! Numbers about the driver, for whoever observes it. Reading them changes
//! nothing and asks nobody.

use std::sync::Arc;

use tidegate_core::{Span, plan::Target};

use super::{Driver, View};

impl Driver {
    /// Every execution that is driven here, as it is now.
    #[must_use]
    pub fn live(&self) -> Vec<View> {
        self.shared.registry.views()
    }

    /// How late the next look at the jobs of each target is; zero if it is
    /// not due yet.
    #[must_use]
    pub fn poll_lag(&self) -> Vec<(Arc<Target>, Span)> {
        let now = self.shared.ports.clock.now();
        self.shared.poller.lag(now)
    }
}
