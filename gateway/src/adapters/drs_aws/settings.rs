//! How DRS is reached.

use std::{collections::BTreeMap, time::Duration};

use tidegate_core::Span;

/// How DRS is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which DRS, and as whom.
    pub mode: Mode,
    /// How long calls may take.
    pub timeouts: Timeouts,
    /// Attempts at a read, the first included. Few: whoever asked tries
    /// again, and knows how long it may wait.
    pub read_attempts: u32,
    /// How far the clocks of this machine and of AWS may be apart: a job that
    /// is older than an intent by no more than this may come from it.
    pub look_skew: Span,
    /// Whether jobs are tagged with the keys of their orders.
    pub tag_jobs: bool,
}

impl Settings {
    /// Settings with default timeouts.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            timeouts: Timeouts::default(),
            read_attempts: 2,
            look_skew: Span::from_secs(30),
            tag_jobs: true,
        }
    }
}

/// Which DRS, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// AWS, with the credentials that AWS tools would find. Everything that
    /// they read from the environment and from profiles is honoured, also
    /// `AWS_ENDPOINT_URL_DRS`; with that, quotas are asked for only if
    /// `AWS_ENDPOINT_URL_SERVICE_QUOTAS` is there as well. A target's role is assumed through STS in the
    /// target's own Region, so that no other Region has to be up.
    Aws {
        /// How roles are assumed.
        sessions: Sessions,
    },
    /// One endpoint for every account and Region. The access key id is the
    /// target's account, as the emulator wants it.
    Endpoint {
        /// For example `http://127.0.0.1:8081`.
        url: String,
    },
}

/// How roles of targets are assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// Name of every session, which CloudTrail shows.
    pub name: String,
    /// Sent where the account has no external id of its own.
    pub external_id: Option<String>,
    /// External ids by account. They are the gateway's and not the plan's:
    /// whoever writes plans must not be able to use a trust that was given
    /// for another purpose.
    pub external_ids: BTreeMap<String, String>,
    /// Whether sessions carry the tag `tidegate:gateway` with `name`. A trust
    /// policy that does not allow `sts:TagSession` then refuses them.
    pub tagged: bool,
}

impl Sessions {
    /// What is sent when a role of this account is assumed.
    pub(super) fn external_id(&self, account: &str) -> Option<&str> {
        let own = self.external_ids.get(account);
        own.or(self.external_id.as_ref()).map(String::as_str)
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            name: "tidegate".to_owned(),
            external_id: None,
            external_ids: BTreeMap::new(),
            tagged: false,
        }
    }
}

/// How long calls may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To make a connection, TLS included. A call that fails here was surely
    /// not sent, so this is shorter than the others.
    pub connect: Duration,
    /// One attempt at a read.
    pub read: Duration,
    /// A call that changes something, which is tried once. After it, nobody
    /// knows whether DRS accepted the call.
    pub change: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(4),
            read: Duration::from_secs(20),
            change: Duration::from_secs(60),
        }
    }
}
