//! `[drain]`: how long an orderly end may take.

use serde::Deserialize;

use super::HumanDuration;

/// The end of the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// For requests and streams.
    pub timeout: HumanDuration,
    /// For calls to DRS that are under way, after that.
    pub calls_timeout: HumanDuration,
}
