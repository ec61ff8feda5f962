//! `[drs]`: which DRS, and how patiently.

use serde::Deserialize;

use super::{HumanDuration, Quotas};

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
    pub external_id: Option<String>,
    /// To make a connection.
    pub connect_timeout: HumanDuration,
    /// One attempt at a read.
    pub read_timeout: HumanDuration,
    /// A call that changes something.
    pub change_timeout: HumanDuration,
    /// How often running jobs are looked at.
    pub poll_interval: HumanDuration,
    /// How often a launch whose answer was lost is looked for.
    pub look_interval: HumanDuration,
    /// Longest wait after a read failed.
    pub read_backoff_max: HumanDuration,
    /// How much it allows at a time.
    pub quotas: Quotas,
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

    /// Replaces what is configured.
    pub fn set_mode(&mut self, mode: DrsMode) {
        (self.mode, self.url) = match mode {
            DrsMode::Aws => (Mode::Aws, None),
            DrsMode::Endpoint { url } => (Mode::Endpoint, Some(url)),
        };
    }
}
