//! `[engine]`: numbers that influence decisions.

use std::num::NonZeroU16;

use serde::Deserialize;
use tidegate_core::engine::{Planting, Settings};

use super::HumanDuration;

/// Settings of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Servers in one DRS job.
    pub servers_per_job: NonZeroU16,
    /// How long DRS may take to show a launch whose answer was lost.
    pub settle_window: HumanDuration,
    /// First wait after DRS did not take a launch.
    pub defer_backoff: HumanDuration,
    /// Longest wait after DRS did not take a launch.
    pub defer_max: HumanDuration,
}

impl Engine {
    /// As the engine takes them.
    #[must_use]
    pub fn settings(&self, servers: u32) -> Settings {
        Settings {
            servers_per_job: self.servers_per_job.get(),
            settle_window: self.settle_window.span(),
            defer_backoff: self.defer_backoff.span(),
            defer_max: self.defer_max.span(),
            servers,
            planting: Planting::default(),
        }
    }
}
