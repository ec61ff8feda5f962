//! Quotas of DRS in one account and Region: what an operator says of them,
//! what AWS says, and what holds where neither does.

use std::{collections::BTreeMap, num::NonZeroU32};

use tidegate_core::plan::Target;

use crate::ports::drs::GrantedQuotas;

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

/// What an operator says of the quotas at a place. It holds, whatever AWS says
/// in advance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnLimits {
    /// Jobs at a time.
    pub jobs: Option<u32>,
    /// Servers in all jobs at a time.
    pub servers: Option<u32>,
    /// Servers in one job.
    pub servers_per_job: Option<u32>,
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
    /// That of a target.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        Self {
            account: target.account.clone(),
            region: target.region.clone(),
        }
    }
}

/// What the executions that are driven here have in use at a place, and how much
/// DRS is believed to allow, for jobs and for servers in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InUse {
    /// Where.
    pub place: Place,
    /// Jobs that run, or that DRS was asked for.
    pub jobs: u32,
    /// So many may be.
    pub most_jobs: u32,
    /// Servers in these jobs.
    pub servers: u32,
    /// So many may be.
    pub most_servers: u32,
}

/// Quotas everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Where neither the operator nor AWS says otherwise. What AWS says of the
    /// servers in a job makes that one lower only: plans are split by the
    /// engine's own setting first.
    pub default: Limits,
    /// What the operator says of every place that is not named below.
    pub everywhere: OwnLimits,
    /// What the operator says of single places.
    pub places: BTreeMap<Place, OwnLimits>,
    /// Whether AWS is asked for what the operator does not say.
    pub from_aws: bool,
}

impl Quotas {
    /// What holds at a place of which AWS says this.
    #[must_use]
    pub fn of(&self, place: &Place, granted: &GrantedQuotas) -> Limits {
        let own = self.own(place);
        let Limits {
            jobs,
            servers,
            servers_per_job,
        } = self.default;
        let granted_per_job = granted.servers_per_job.map_or(u32::MAX, NonZeroU32::get);
        Limits {
            jobs: own
                .jobs
                .unwrap_or_else(|| granted.jobs.map_or(jobs, NonZeroU32::get)),
            servers: own
                .servers
                .unwrap_or_else(|| granted.servers.map_or(servers, NonZeroU32::get)),
            servers_per_job: own
                .servers_per_job
                .unwrap_or_else(|| servers_per_job.min(granted_per_job)),
        }
    }

    /// Whether AWS could say anything that counts.
    pub(super) fn asks(&self, place: &Place) -> bool {
        let OwnLimits {
            jobs,
            servers,
            servers_per_job,
        } = self.own(place);
        self.from_aws && (jobs.is_none() || servers.is_none() || servers_per_job.is_none())
    }

    fn own(&self, place: &Place) -> OwnLimits {
        self.places.get(place).copied().unwrap_or(self.everywhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANTED: GrantedQuotas = GrantedQuotas {
        jobs: NonZeroU32::new(40),
        servers: NonZeroU32::new(1_000),
        servers_per_job: NonZeroU32::new(200),
    };

    fn place(region: &str) -> Place {
        Place {
            account: "123456789012".to_owned(),
            region: region.to_owned(),
        }
    }

    fn of(quotas: &Quotas, region: &str, granted: &GrantedQuotas) -> [u32; 3] {
        let limits = quotas.of(&place(region), granted);
        [limits.jobs, limits.servers, limits.servers_per_job]
    }

    #[test]
    fn aws_says_what_the_operator_does_not_and_the_smaller_job_counts() {
        let quotas = Quotas::default();
        assert_eq!(of(&quotas, "a", &GRANTED), [40, 1_000, 100]);
        let lower = GrantedQuotas {
            servers_per_job: NonZeroU32::new(50),
            ..GrantedQuotas::default()
        };
        assert_eq!(of(&quotas, "a", &lower), [20, 500, 50]);
    }

    #[test]
    fn what_the_operator_says_holds_whatever_aws_says() {
        let everywhere = OwnLimits {
            jobs: Some(5),
            ..OwnLimits::default()
        };
        let own = OwnLimits {
            servers: Some(7),
            servers_per_job: Some(3),
            ..OwnLimits::default()
        };
        let quotas = Quotas {
            everywhere,
            places: [(place("b"), own)].into(),
            ..Quotas::default()
        };
        assert_eq!(of(&quotas, "a", &GRANTED), [5, 1_000, 100]);
        assert_eq!(of(&quotas, "b", &GRANTED), [40, 7, 3]);
    }

    #[test]
    fn aws_is_asked_only_where_its_answer_could_count() {
        let all = OwnLimits {
            jobs: Some(5),
            servers: Some(7),
            servers_per_job: Some(3),
        };
        let mut quotas = Quotas {
            places: [(place("b"), all)].into(),
            ..Quotas::default()
        };
        assert!(!quotas.asks(&place("a")));
        quotas.from_aws = true;
        assert!(quotas.asks(&place("a")));
        assert!(!quotas.asks(&place("b")));
    }
}
