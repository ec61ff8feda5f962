//! What the driver is given: ports, and numbers.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use tidegate_core::{OwnerId, engine, plan::Plan};

use super::{ClusterSettings, Planting, PollBounds, Probing, Quotas, Random, View};
use crate::ports::{
    clock::Clock,
    cluster::Cluster,
    drs::{Drs, LookBy},
    hooks::Hooks,
    journal::Journal,
};

/// The world, as the driver reaches it.
#[derive(Clone)]
pub struct DriverPorts {
    /// Where executions are recorded.
    pub journal: Arc<dyn Journal>,
    /// AWS Elastic Disaster Recovery.
    pub drs: Arc<dyn Drs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hooks.
    pub hooks: Arc<dyn Hooks>,
    /// The other gateways on the same journal, if it may have any.
    pub cluster: Option<Arc<dyn Cluster>>,
    /// How plans and summaries are written; the driver knows neither.
    pub codec: Codec,
}

/// How plans and summaries are written.
#[derive(Clone, Copy)]
pub struct Codec {
    /// Reads a pinned plan. It was checked when it was stored, so limits that
    /// were lowered since then do not apply.
    pub plan: fn(&[u8]) -> Result<Plan, String>,
    /// Writes the head's summary.
    pub summary: fn(&View) -> Bytes,
}

/// Numbers.
#[derive(Clone, Debug)]
pub struct DriverSettings {
    /// How this process is called in the log, and in its cluster. No two
    /// processes have the same.
    pub owner: OwnerId,
    /// Numbers of the cluster.
    pub cluster: ClusterSettings,
    /// Settings of the engine.
    pub engine: engine::Settings,
    /// Quotas of DRS.
    pub quotas: Quotas,
    /// When to ask for more than DRS was heard to allow.
    pub probing: Probing,
    /// How often running jobs are looked at.
    pub poll: PollBounds,
    /// How long DRS may not name a job before it counts as forgotten, and is
    /// judged by what its servers became.
    pub forgotten_after: Duration,
    /// How long to wait between two looks for a launch whose answer was lost.
    pub look_interval: Duration,
    /// The ways in which such a launch is looked for.
    pub look_by: BTreeSet<LookBy>,
    /// Reads of one account and Region at a time.
    pub reads_at_once: usize,
    /// Longest wait after a read of DRS failed.
    pub read_backoff_max: Duration,
    /// Makes waits differ from each other, and from those of other processes.
    pub jitter_seed: u64,
    /// Executions that may be unfinished at a time.
    pub live_limit: usize,
    /// Newest records of an execution that are kept in memory for watchers.
    pub tail: usize,
    /// Requests that an execution remembers, and so the most that it accepts.
    pub request_limit: usize,
    /// Where random bits come from.
    pub random: Random,
    /// A bug for a test to find.
    pub planting: Planting,
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            owner: OwnerId::from("gateway"),
            cluster: ClusterSettings::default(),
            engine: engine::Settings::default(),
            quotas: Quotas::default(),
            probing: Probing::default(),
            poll: PollBounds {
                min: Duration::from_secs(1),
                max: Duration::from_secs(30),
            },
            forgotten_after: Duration::from_secs(120),
            look_interval: Duration::from_secs(5),
            look_by: BTreeSet::from(LookBy::ALL),
            reads_at_once: 4,
            read_backoff_max: Duration::from_secs(60),
            jitter_seed: 0,
            live_limit: 10_000,
            tail: 256,
            request_limit: 10_000,
            random: Random::default(),
            planting: Planting::default(),
        }
    }
}
