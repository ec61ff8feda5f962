//! What the engine is told beside the plan.

use super::Planting;
use crate::Span;

/// Settings of the engine. They influence decisions, never replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Most servers in one DRS job. DRS's quota is 100.
    pub servers_per_job: u16,
    /// How long DRS may take to show a launch whose answer was lost.
    pub settle_window: Span,
    /// First wait after DRS did not take a launch; doubled each time.
    pub defer_backoff: Span,
    /// Longest wait after DRS did not take a launch.
    pub defer_max: Span,
    /// Most servers in one execution.
    pub servers: u32,
    /// A bug for a test to find.
    pub planting: Planting,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers_per_job: 100,
            settle_window: Span::from_secs(120),
            defer_backoff: Span::from_secs(2),
            defer_max: Span::from_secs(60),
            servers: 5_000,
            planting: Planting::default(),
        }
    }
}
