//! `[cluster]`: several gateways on one journal.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

use super::HumanDuration;
use crate::driver::ClusterSettings;

/// A shorter lease ends while a heartbeat is still on its way.
const SHORTEST: Duration = Duration::from_secs(1);

/// The cluster that gateways on one table make.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// How long a member may be silent before the others take what it drives.
    #[serde(deserialize_with = "lease")]
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

fn lease<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HumanDuration, D::Error> {
    let lease = HumanDuration::deserialize(deserializer)?;
    if lease.get() < SHORTEST {
        return Err(D::Error::custom("a lease lasts at least 1s"));
    }
    Ok(lease)
}
