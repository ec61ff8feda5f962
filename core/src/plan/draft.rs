//! A plan as somebody wrote it: shaped like the API's `PlanSpec`, nothing
//! checked.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use super::{FailurePolicy, HookFailure, HookFailureKind, Priority, Scheme, UnknownLaunch};
use crate::Span;

/// A whole plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanDraft {
    /// The plan's name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// One line for people.
    pub description: String,
    /// Recovery time objective.
    pub rto: Option<Span>,
    /// Recovery point objective.
    pub rpo: Option<Span>,
    /// Target of all waves that name none.
    pub target: Option<DraftTarget>,
    /// The waves.
    pub waves: Vec<DraftWave>,
    /// Longest time that an execution may take.
    pub timeout: Option<Span>,
    /// What to do about an unknown launch.
    pub unknown_launch: Option<UnknownLaunch>,
    /// Whose launches go first; normal by default.
    pub priority: Option<Priority>,
    /// What hooks may reach beside the plan's servers.
    pub endpoints: Vec<DraftEndpoint>,
}

/// Something outside the plan's servers that hooks may be let to reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftEndpoint {
    /// What hooks call it.
    pub name: String,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// A DNS name or an address.
    pub host: String,
    /// 1 to 65535.
    pub port: u32,
    /// What the path of a request must lie below, or empty for all.
    pub path_prefix: String,
    /// Networks in which its addresses may lie.
    pub cidrs: Vec<String>,
    /// PEM of the authority that vouches for its certificate; for HTTPS only.
    pub ca_pem: String,
    /// The name in its certificate, or empty for `host`; for HTTPS only.
    pub server_name: String,
}

/// A target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftTarget {
    /// Twelve digits.
    pub account: String,
    /// AWS Region.
    pub region: String,
    /// Role ARN, or empty.
    pub role: String,
}

/// A wave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftWave {
    /// Its name.
    pub name: String,
    /// Names of the waves that it waits for.
    pub after: Vec<String>,
    /// Its servers.
    pub groups: Vec<DraftGroup>,
    /// Target of its groups that name none.
    pub target: Option<DraftTarget>,
    /// Hooks before the launch.
    pub check: Vec<DraftHook>,
    /// Hooks after the launch.
    pub verify: Vec<DraftHook>,
    /// Pause before it starts.
    pub pause_before: bool,
    /// What its failure means; `None` is stop.
    pub on_failure: Option<FailurePolicy>,
    /// How many required servers may fail.
    pub tolerance: u32,
    /// Automatic retries; `None` is none.
    pub retry: Option<DraftRetry>,
    /// Longest time that it may take.
    pub timeout: Option<Span>,
    /// Longest time that all hooks of one phase may take together; `None` is
    /// 15 minutes, or what one of them may take alone.
    pub gate_timeout: Option<Span>,
}

/// Servers in one target: by id, or by tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftGroup {
    /// Its target.
    pub target: Option<DraftTarget>,
    /// Servers by id.
    pub servers: Vec<DraftServer>,
    /// Servers by tags.
    pub tags: BTreeMap<String, String>,
    /// Failures of servers selected by tags do not count.
    pub optional: bool,
}

/// A server by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftServer {
    /// Its id.
    pub id: String,
    /// Its failure does not count.
    pub optional: bool,
    /// Snapshot id, or empty for the latest.
    pub snapshot: String,
}

/// The use of a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftHook {
    /// Registered name.
    pub hook: String,
    /// Pinned digest, or empty.
    pub digest: String,
    /// Parameters.
    pub config: BTreeMap<String, String>,
    /// All attempts together; `None` is 15 minutes.
    pub timeout: Option<Span>,
    /// How often it is asked again; `None` is 30 times.
    pub retries: Option<u32>,
    /// What a failure of the hook itself means; `None` is hold.
    pub on_failure: Option<HookFailure>,
    /// What a failure of one kind means instead.
    pub failure_answers: Vec<(HookFailureKind, HookFailure)>,
    /// Ports of servers that it may probe.
    pub ports: Vec<u32>,
    /// Names of the endpoints that it may probe.
    pub endpoints: Vec<String>,
    /// Whether it may import WASI.
    pub allow_wasi: bool,
    /// One attempt; `None` is 10 seconds.
    pub attempt_timeout: Option<Span>,
    /// Instructions of one attempt; `None` is 5,000,000,000.
    pub fuel: Option<u64>,
    /// Memory of one attempt in MiB; `None` is 64.
    pub memory_mib: Option<u32>,
}

/// Automatic retries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftRetry {
    /// How many times.
    pub limit: u32,
    /// Wait before the first.
    pub backoff: Option<Span>,
    /// Longest wait.
    pub max_backoff: Option<Span>,
}
