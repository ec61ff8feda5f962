//! `[drs.quotas]`: how much DRS allows at a time.

use std::num::{NonZeroU16, NonZeroU32};

use serde::Deserialize;

use crate::driver::{Limits, Place, Quotas as DriverQuotas};

/// Quotas of DRS in every account and Region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Jobs at a time.
    pub jobs: NonZeroU32,
    /// Servers in all jobs at a time.
    pub servers: NonZeroU32,
    /// Accounts and Regions with quotas of their own.
    #[serde(default)]
    pub places: Vec<PlaceQuotas>,
}

/// Quotas in one account and Region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceQuotas {
    /// Twelve digits.
    pub account: String,
    /// For example `us-west-2`.
    pub region: String,
    /// Jobs at a time, if other than elsewhere.
    #[serde(default)]
    pub jobs: Option<NonZeroU32>,
    /// Servers in all jobs at a time, if other than elsewhere.
    #[serde(default)]
    pub servers: Option<NonZeroU32>,
    /// Servers in one job, if other than elsewhere.
    #[serde(default)]
    pub servers_per_job: Option<NonZeroU16>,
}

impl Quotas {
    /// As the driver takes them; how many servers a job may have elsewhere is
    /// a setting of the engine.
    #[must_use]
    pub fn of_driver(&self, servers_per_job: NonZeroU16) -> DriverQuotas {
        let default = Limits {
            jobs: self.jobs.get(),
            servers: self.servers.get(),
            servers_per_job: servers_per_job.get().into(),
        };
        let places = self.places.iter().map(|own| {
            let place = Place {
                account: own.account.clone(),
                region: own.region.clone(),
            };
            let limits = Limits {
                jobs: own.jobs.map_or(default.jobs, NonZeroU32::get),
                servers: own.servers.map_or(default.servers, NonZeroU32::get),
                servers_per_job: own
                    .servers_per_job
                    .map_or(default.servers_per_job, |most| most.get().into()),
            };
            (place, limits)
        });
        DriverQuotas {
            default,
            places: places.collect(),
        }
    }
}
