//! The scenario file as it is written. `scenarios/README.md` is its manual.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::Deserialize;

use super::workload::WorkloadFile;
use crate::faults::FaultsFile;
use crate::model::{Effect, Replication, Tags};

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScenarioFile {
    pub(super) name: String,
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) start: Option<Timestamp>,
    pub(super) default_account: Option<String>,
    #[serde(default)]
    pub(super) names_recovery_instances: bool,
    pub(super) listen: Option<String>,
    #[serde(default)]
    pub(super) unhealthy_until_told: Vec<String>,
    #[serde(default)]
    pub(super) quotas: QuotasFile,
    #[serde(default)]
    pub(super) timings: TimingsFile,
    pub(super) fleet: Vec<PlaceFile>,
    #[serde(default)]
    pub(super) faults: FaultsFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct QuotasFile {
    pub(super) concurrent_jobs: Option<usize>,
    pub(super) servers_per_job: Option<usize>,
    pub(super) servers_in_all_jobs: Option<usize>,
}

/// Phases in seconds; what is absent keeps the value of the level above.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TimingsFile {
    pub(super) job_start: Option<f64>,
    pub(super) cleanup: Option<f64>,
    pub(super) snapshot_wait: Option<f64>,
    pub(super) snapshot: Option<f64>,
    pub(super) conversion_wait: Option<f64>,
    pub(super) conversion: Option<f64>,
    pub(super) launch_wait: Option<f64>,
    pub(super) launch: Option<f64>,
    pub(super) job_end: Option<f64>,
    pub(super) job_end_log: Option<f64>,
    pub(super) jitter: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PlaceFile {
    pub(super) account: String,
    pub(super) region: String,
    #[serde(default)]
    pub(super) servers: Vec<ServerFile>,
    #[serde(default)]
    pub(super) groups: Vec<GroupFile>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ServerFile {
    pub(super) id: String,
    pub(super) hostname: String,
    #[serde(default)]
    pub(super) tags: Tags,
    #[serde(default)]
    pub(super) traits: TraitsFile,
    pub(super) first_launch: Option<RecordedIdsFile>,
}

/// Servers that differ by a number only. Ids are the prefix and the number, padded with zeros to
/// 17 digits; `{n}` in the host name is the number with two digits.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GroupFile {
    pub(super) id_prefix: String,
    pub(super) count: u32,
    pub(super) hostname: String,
    #[serde(default)]
    pub(super) tags: Tags,
    #[serde(default)]
    pub(super) traits: TraitsFile,
}

/// How servers behave.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TraitsFile {
    pub(super) replication: Option<Replication>,
    #[serde(default)]
    pub(super) lag_seconds: f64,
    #[serde(default)]
    pub(super) timings: TimingsFile,
    pub(super) outcome: Option<OutcomeFile>,
    pub(super) address: Option<Ipv4Addr>,
    pub(super) workload: Option<WorkloadFile>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OutcomeFile {
    pub(super) effect: Effect,
    pub(super) launches: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RecordedIdsFile {
    pub(super) conversion_server: String,
    pub(super) instance: String,
}
