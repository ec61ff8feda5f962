//! `[drs]`: which DRS, and how patiently.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::{NonZeroU16, NonZeroUsize},
};

use serde::Deserialize;

use super::{
    HumanDuration, Quotas,
    sessions::{Account, Sessions, SessionsError},
};
use crate::{
    driver::{PollBounds, Quotas as DriverQuotas},
    ports::drs,
};

/// AWS Elastic Disaster Recovery, or what plays its part.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drs {
    /// Which one.
    mode: Mode,
    /// Of the mode "endpoint".
    #[serde(default)]
    url: Option<String>,
    /// Sent when a role is assumed.
    #[serde(default)]
    external_id: Option<String>,
    /// Name of the sessions of assumed roles.
    session_name: String,
    /// Whether those sessions are tagged with that name.
    tag_sessions: bool,
    /// What is particular about accounts, by their twelve digits.
    #[serde(default)]
    accounts: BTreeMap<String, Account>,
    /// To make a connection.
    pub connect_timeout: HumanDuration,
    /// One attempt at a read.
    pub read_timeout: HumanDuration,
    /// A call that changes something.
    pub change_timeout: HumanDuration,
    /// How often running jobs are looked at around an expected end.
    pub poll_interval_min: HumanDuration,
    /// How often they are looked at far from one.
    pub poll_interval_max: HumanDuration,
    /// How often they are looked at always, instead of the two above.
    #[serde(default)]
    pub poll_interval: Option<HumanDuration>,
    /// How long DRS may not name a job before it counts as forgotten.
    pub forgotten_after: HumanDuration,
    /// The ways in which a launch whose answer was lost is looked for.
    look_by: BTreeSet<LookBy>,
    /// Whether jobs are tagged.
    pub tag_jobs: bool,
    /// How far the clocks of this machine and of AWS may be apart.
    pub clock_skew: HumanDuration,
    /// How often a launch whose answer was lost is looked for.
    pub look_interval: HumanDuration,
    /// Reads of one account and Region at a time.
    pub reads_at_once: NonZeroUsize,
    /// Longest wait after a read failed.
    pub read_backoff_max: HumanDuration,
    /// How much it allows at a time.
    pub quotas: Quotas,
}

/// A trace by which an accepted launch is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LookBy {
    Tag,
    LastLaunch,
    Jobs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Aws,
    Endpoint,
}

/// Which DRS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrsMode {
    /// AWS, with the credentials that AWS tools would find.
    Aws,
    /// One endpoint for every account and Region, with static credentials
    /// whose access key id is the account: the emulator's convention.
    Endpoint {
        /// For example `http://127.0.0.1:8081`.
        url: String,
    },
}

/// Settings of `[drs]` do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrsPollError {
    /// Nothing would ever be due.
    #[error("drs.poll_interval_min is longer than drs.poll_interval_max")]
    Bounds,
    /// A launch whose answer was lost would never be found, and be made again.
    #[error("drs.look_by is empty: name at least one of \"tag\", \"last-launch\" and \"jobs\"")]
    NoWay,
    /// The only trace would not be left.
    #[error("drs.look_by is only \"tag\", and drs.tag_jobs is false: nothing would be found")]
    NoTag,
}

/// Mode and URL do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrsModeError {
    /// An endpoint without its URL.
    #[error("drs.mode = \"endpoint\" needs drs.url")]
    NoUrl,
    /// A URL that would not be used.
    #[error("drs.url is for drs.mode = \"endpoint\"; in mode \"aws\" it would be ignored")]
    UnusedUrl,
    /// Not an address that can be called.
    #[error("drs.url must begin with http:// or https://")]
    NotAUrl,
}

impl Drs {
    /// Which DRS is meant.
    ///
    /// # Errors
    /// The URL is missing, of no use, or out of place.
    pub fn mode(&self) -> Result<DrsMode, DrsModeError> {
        match (self.mode, &self.url) {
            (Mode::Aws, None) => Ok(DrsMode::Aws),
            (Mode::Aws, Some(_)) => Err(DrsModeError::UnusedUrl),
            (Mode::Endpoint, None) => Err(DrsModeError::NoUrl),
            (Mode::Endpoint, Some(url)) => {
                if url.starts_with("http://") || url.starts_with("https://") {
                    Ok(DrsMode::Endpoint { url: url.clone() })
                } else {
                    Err(DrsModeError::NotAUrl)
                }
            }
        }
    }

    /// How often running jobs are looked at.
    ///
    /// # Errors
    /// The bounds contradict each other.
    pub fn poll(&self) -> Result<PollBounds, DrsPollError> {
        if let Some(fixed) = self.poll_interval {
            return Ok(PollBounds::fixed(fixed.get()));
        }
        if self.poll_interval_min > self.poll_interval_max {
            return Err(DrsPollError::Bounds);
        }
        Ok(PollBounds {
            min: self.poll_interval_min.get(),
            max: self.poll_interval_max.get(),
        })
    }

    /// The ways in which a launch whose answer was lost is looked for.
    ///
    /// # Errors
    /// None of them would find it.
    pub fn look_by(&self) -> Result<BTreeSet<drs::LookBy>, DrsPollError> {
        let by: BTreeSet<drs::LookBy> = self.look_by.iter().map(|way| way.meant()).collect();
        if by.is_empty() {
            return Err(DrsPollError::NoWay);
        }
        if !self.tag_jobs && by.iter().all(|way| *way == drs::LookBy::Tag) {
            return Err(DrsPollError::NoTag);
        }
        Ok(by)
    }

    /// How roles are assumed.
    ///
    /// # Errors
    /// STS would refuse it.
    pub fn sessions(&self) -> Result<Sessions, SessionsError> {
        Sessions::read(
            &self.session_name,
            self.external_id.as_ref(),
            &self.accounts,
            self.tag_sessions,
        )
    }

    /// How much is allowed at a time, where a job has at most so many servers.
    /// An endpoint that is not AWS is not asked for quotas.
    #[must_use]
    pub fn quotas(&self, servers_per_job: NonZeroU16) -> DriverQuotas {
        let is_aws = self.mode == Mode::Aws;
        self.quotas.of_driver(servers_per_job, is_aws)
    }

    /// Replaces what is configured.
    pub fn set_mode(&mut self, mode: DrsMode) {
        (self.mode, self.url) = match mode {
            DrsMode::Aws => (Mode::Aws, None),
            DrsMode::Endpoint { url } => (Mode::Endpoint, Some(url)),
        };
    }
}

impl LookBy {
    fn meant(self) -> drs::LookBy {
        match self {
            Self::Tag => drs::LookBy::Tag,
            Self::LastLaunch => drs::LookBy::LastLaunch,
            Self::Jobs => drs::LookBy::Jobs,
        }
    }
}
