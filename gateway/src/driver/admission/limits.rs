//! Quotas of DRS in one account and Region, as they are configured.

use std::collections::BTreeMap;

use tidegate_core::plan::Target;

/// Quotas of DRS in one account and Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Jobs at a time.
    pub jobs: u32,
    /// Servers in all jobs at a time.
    pub servers: u32,
    /// Servers in one job.
    pub servers_per_job: u32,
}

impl Default for Limits {
    /// The quotas of an account that has asked for no others. Source: "AWS
    /// Elastic Disaster Recovery endpoints and quotas".
    fn default() -> Self {
        Self {
            jobs: 20,
            servers: 500,
            servers_per_job: 100,
        }
    }
}

/// An account and a Region: what quotas are counted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    /// For example `us-west-2`.
    pub region: String,
}

impl Place {
    pub(super) fn of(target: &Target) -> Self {
        Self {
            account: target.account.clone(),
            region: target.region.clone(),
        }
    }
}

/// Quotas everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Where nothing else is said.
    pub default: Limits,
    /// Places with quotas of their own.
    pub places: BTreeMap<Place, Limits>,
}

impl Quotas {
    pub(super) fn of(&self, place: &Place) -> Limits {
        self.places.get(place).copied().unwrap_or(self.default)
    }
}
