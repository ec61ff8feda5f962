//! What a model is made of: the places, their servers and their limits.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::SignedDuration;

use super::chance::Seed;
use super::id::{InstanceId, Place, SourceServerId};
use super::loopback::Loopback;
use super::timing::{Outcome, Timings};
use super::workload::Workload;

/// The tags of a resource, in the order of their keys.
pub type Tags = BTreeMap<String, String>;

/// Everything that distinguishes one model from another, apart from time.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// Seed of every id and every jitter.
    pub seed: Seed,
    /// The limits of each place.
    pub quotas: Quotas,
    /// Whether a job's participating servers name their recovery instance. In the recorded drill
    /// they did not, although launched.
    pub names_recovery_instances: bool,
    /// Where recovery instances have addresses that can really listen; private addresses at which
    /// nothing listens if `None`.
    pub loopback: Option<Loopback>,
    /// The servers of each place. A place without servers is initialised, and empty.
    pub servers: BTreeMap<Place, Vec<ServerSpec>>,
}

/// The limits of one account in one Region.
///
/// Source: "AWS Elastic Disaster Recovery endpoints and quotas". The service model still allows
/// 200 servers in one request; the quota says 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Jobs that may be live at once.
    pub concurrent_jobs: usize,
    /// Servers in one job.
    pub servers_per_job: usize,
    /// Servers in all live jobs together.
    pub servers_in_all_jobs: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            concurrent_jobs: 20,
            servers_per_job: 100,
            servers_in_all_jobs: 500,
        }
    }
}

/// One source server as a scenario describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerSpec {
    /// Its id.
    pub id: SourceServerId,
    /// Its host name.
    pub hostname: String,
    /// Its tags at the start.
    pub tags: Tags,
    /// The state of its replication; the model does not change it.
    pub replication: Replication,
    /// How far its replication lags.
    pub lag: SignedDuration,
    /// How long its launches take.
    pub timings: Timings,
    /// What its launches do other than succeed.
    pub outcome: Option<Outcome>,
    /// The private address of its recovery instances; drawn for each launch if `None`. Instances
    /// that really listen have an address of their loopback network instead.
    pub address: Option<Ipv4Addr>,
    /// What its recovery instances serve.
    pub workload: Option<Workload>,
    /// The ids that its first launch gets; drawn if `None`.
    pub first_launch: Option<RecordedIds>,
}

impl ServerSpec {
    /// A healthy server with default timings and no tags.
    pub fn new(id: SourceServerId, hostname: impl Into<String>) -> Self {
        Self {
            id,
            hostname: hostname.into(),
            tags: Tags::new(),
            replication: Replication::Continuous,
            lag: SignedDuration::ZERO,
            timings: Timings::default(),
            outcome: None,
            address: None,
            workload: None,
            first_launch: None,
        }
    }
}

/// Ids that a recording gives to a launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedIds {
    /// The instance that converted the server.
    pub conversion_server: InstanceId,
    /// The instance that was launched.
    pub instance: InstanceId,
}

/// The state of a source server's replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Replication {
    /// Stopped.
    Stopped,
    /// Being set up: there is nothing yet to launch from.
    Initiating,
    /// First copy under way: there is nothing yet to launch from.
    InitialSync,
    /// Behind, and catching up.
    Backlog,
    /// Taking a snapshot.
    CreatingSnapshot,
    /// Up to date.
    Continuous,
    /// Paused by a person.
    Paused,
    /// Comparing every block after a restart.
    Rescan,
    /// Not advancing.
    Stalled,
    /// The agent is gone.
    Disconnected,
}

impl Replication {
    /// Whether there is a snapshot to launch from at all.
    pub fn has_snapshots(self) -> bool {
        match self {
            Self::Initiating | Self::InitialSync => false,
            Self::Stopped
            | Self::Backlog
            | Self::CreatingSnapshot
            | Self::Continuous
            | Self::Paused
            | Self::Rescan
            | Self::Stalled
            | Self::Disconnected => true,
        }
    }

    /// Whether an on-demand snapshot of the newest data can be taken.
    pub fn can_take_snapshot(self) -> bool {
        match self {
            Self::Backlog | Self::CreatingSnapshot | Self::Continuous | Self::Rescan => true,
            Self::Stopped
            | Self::Initiating
            | Self::InitialSync
            | Self::Paused
            | Self::Stalled
            | Self::Disconnected => false,
        }
    }
}
