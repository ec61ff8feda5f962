//! Numbers about the driver, for whoever observes it. Reading them changes
//! nothing and asks nobody.

use std::sync::Arc;

use tidegate_core::{Span, plan::Target};

use super::{Driver, InUse, View};

impl Driver {
    /// Every execution that is driven here, as it is now.
    #[must_use]
    pub fn live(&self) -> Vec<View> {
        self.shared.registry.views()
    }

    /// What is in use under the quotas of DRS, at every place where something
    /// was. Only what is driven here counts.
    #[must_use]
    pub fn in_use(&self) -> Vec<InUse> {
        self.shared.admission.in_use()
    }

    /// How late the next look at the jobs of each target is; zero if it is
    /// not due yet.
    #[must_use]
    pub fn poll_lag(&self) -> Vec<(Arc<Target>, Span)> {
        let now = self.shared.ports.clock.now();
        self.shared.poller.lag(now)
    }
}
