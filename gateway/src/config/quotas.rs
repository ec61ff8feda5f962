//! `[drs.quotas]`: how much DRS allows at a time.

use std::num::{NonZeroU16, NonZeroU32};

use serde::Deserialize;

use crate::driver::{Limits, OwnLimits, Place, Quotas as DriverQuotas};

/// Quotas of DRS in every account and Region. A number that is written here
/// is the operator's own, also if it is the one that AWS starts with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Whether what is not said here is read from AWS Service Quotas.
    pub from_aws: bool,
    /// Jobs at a time.
    #[serde(default)]
    pub jobs: Option<NonZeroU32>,
    /// Servers in all jobs at a time.
    #[serde(default)]
    pub servers: Option<NonZeroU32>,
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
    /// a setting of the engine, and whether there is an AWS to be asked is one
    /// of the mode.
    pub(super) fn of_driver(&self, servers_per_job: NonZeroU16, is_aws: bool) -> DriverQuotas {
        let everywhere = OwnLimits {
            jobs: self.jobs.map(NonZeroU32::get),
            servers: self.servers.map(NonZeroU32::get),
            servers_per_job: None,
        };
        let places = self.places.iter().map(|own| {
            let place = Place {
                account: own.account.clone(),
                region: own.region.clone(),
            };
            let limits = OwnLimits {
                jobs: own.jobs.map(NonZeroU32::get).or(everywhere.jobs),
                servers: own.servers.map(NonZeroU32::get).or(everywhere.servers),
                servers_per_job: own.servers_per_job.map(|most| most.get().into()),
            };
            (place, limits)
        });
        DriverQuotas {
            default: Limits {
                servers_per_job: servers_per_job.get().into(),
                ..Limits::default()
            },
            everywhere,
            places: places.collect(),
            from_aws: self.from_aws && is_aws,
        }
    }
}
