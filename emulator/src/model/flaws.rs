//! How the service as a whole departs from what it documents. What it does then is as always; what
//! it tells (see [`telling`](super::telling)) and how much it takes is not.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::Model;
use super::fleet::Quotas;

/// The flaws of a service. The default has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flaws {
    /// How long after the fact the service tells of it.
    pub lag: Lag,
    /// How far the service's clock is ahead of the real one. Everything that it tells has its
    /// times, and times in filters are compared with those.
    pub clock_skew: SignedDuration,
    /// Limits other than those of the fleet.
    pub quotas: OtherQuotas,
    /// What is told in values that no SDK lists.
    pub unlisted: Unlisted,
    /// Actions that nobody is permitted, as IAM spells them.
    pub denied: Vec<String>,
    /// Roles, by their ARN, that are assumed with this external id only. All others are assumed by
    /// whoever asks.
    pub external_ids: BTreeMap<String, String>,
}

impl Flaws {
    /// Whether nobody is permitted an action of a service.
    pub fn denies(&self, service: &str, action: &str) -> bool {
        let mut denied = self.denied.iter();
        denied.any(|it| it.split_once(':') == Some((service, action)))
    }
}

/// Eventual consistency: how long after the fact the service tells of it. Each is zero in a service
/// without flaws.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// From the acceptance of a job until it is listed, by DescribeJobs and DescribeJobLogItems.
    pub jobs: SignedDuration,
    /// From any change of tags, also those that a job is made with, until they are told.
    pub tags: SignedDuration,
    /// From the acceptance of a launch until it is its server's `lastLaunch`. The one before is
    /// told meanwhile.
    pub last_launch: SignedDuration,
}

/// Limits that differ from those that are documented; an absent one is as documented.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OtherQuotas {
    /// Jobs that may be live at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_jobs: Option<usize>,
    /// Servers in one job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers_per_job: Option<usize>,
    /// Servers in all live jobs together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers_in_all_jobs: Option<usize>,
}

impl OtherQuotas {
    /// The limits that hold then.
    pub(super) fn over(self, documented: Quotas) -> Quotas {
        Quotas {
            concurrent_jobs: self.concurrent_jobs.unwrap_or(documented.concurrent_jobs),
            servers_per_job: self.servers_per_job.unwrap_or(documented.servers_per_job),
            servers_in_all_jobs: self
                .servers_in_all_jobs
                .unwrap_or(documented.servers_in_all_jobs),
        }
    }
}

/// What is told in values that no SDK lists, spelt `UNLISTED`. Only what passes: a job ends
/// COMPLETED, and a launch as it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Unlisted {
    /// Jobs that are STARTED.
    pub job_status: bool,
    /// Servers that are IN_PROGRESS.
    pub launch_status: bool,
    /// One more event in every log, after JOB_START.
    pub log_events: bool,
}

impl Model {
    /// What is wrong with the service.
    pub fn flaws(&self) -> &Flaws {
        &self.flaws
    }

    /// Gives the service other flaws, from now on.
    pub fn set_flaws(&mut self, flaws: Flaws) {
        self.flaws = flaws;
    }
}
