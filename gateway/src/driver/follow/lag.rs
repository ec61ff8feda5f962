//! How late looks are.

use std::sync::Arc;

use tidegate_core::{Span, Timestamp, plan::Target};

use super::{Poller, job::Followed};

impl Poller {
    /// How late each target's next look is.
    pub(in crate::driver) fn lag(&self, now: Timestamp) -> Vec<(Arc<Target>, Span)> {
        let inner = self.lock();
        let targets = inner.targets.iter();
        let due = targets.filter_map(|(target, jobs)| {
            let next_at = jobs.jobs.values().map(Followed::next_at).min()?;
            Some((Arc::clone(target), now.since(next_at)))
        });
        due.collect()
    }
}
