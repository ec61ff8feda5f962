//! `[cluster]`: several gateways on one journal.

use serde::Deserialize;

use super::HumanDuration;
use crate::driver::ClusterSettings;

/// The cluster that gateways on one table make.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// How long a member may be silent before the others take what it drives.
    pub lease: HumanDuration,
    /// How often unfinished executions are listed.
    pub sweep: HumanDuration,
}

impl Cluster {
    /// As the driver takes it.
    #[must_use]
    pub fn settings(&self) -> ClusterSettings {
        ClusterSettings {
            lease: self.lease.get(),
            sweep: self.sweep.get(),
        }
    }
}
