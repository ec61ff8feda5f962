//! The shape of a plan file. One set of types reads it, writes it, and
//! describes it to editors; what the values mean is checked elsewhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    duration::PlanDuration,
    hooks::{Endpoint, HookUse},
    servers::{ServerEntry, Servers},
};

/// A Tidegate plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlanFile {
    /// Version of this file format.
    pub(crate) api_version: ApiVersion,
    /// What this file describes.
    pub(crate) kind: Kind,
    /// The plan's name and labels.
    pub(crate) metadata: Metadata,
    /// What to recover, and how.
    pub(crate) spec: Spec,
}

/// Version of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum ApiVersion {
    /// The only one so far.
    #[serde(rename = "tidegate/v1")]
    V1,
}

/// What a file describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Kind {
    /// A recovery plan.
    Plan,
}

/// The plan's name and labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    /// 1 to 63 of a-z, 0-9 and '-', beginning with a letter.
    #[schemars(regex(pattern = "^[a-z][a-z0-9-]{0,62}$"))]
    pub(crate) name: String,
    /// Free labels; they do not influence execution.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
}

/// What to recover, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Spec {
    /// One line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// What the business expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) objectives: Option<Objectives>,
    /// Where servers are recovered unless a wave or a group says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Target>,
    /// Ends the execution as FAILED when it takes longer. Not given: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<PlanDuration>,
    /// What to do when it stays unknown whether DRS accepted a launch. Not
    /// given: askPerson for a recovery, askAgain for a drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unknown_launch: Option<UnknownLaunch>,
    /// Whose launches go first where quotas of DRS make executions wait. Not
    /// given: normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<Priority>,
    /// What hooks may reach beside the plan's servers, where a use grants it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) endpoints: Vec<Endpoint>,
    /// The waves; `after` makes them a graph.
    #[schemars(length(min = 1, max = 200))]
    pub(crate) waves: Vec<Wave>,
}

/// What the business expects of a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Objectives {
    /// Recovery time objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rto: Option<PlanDuration>,
    /// Recovery point objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rpo: Option<PlanDuration>,
}

/// An AWS account and Region in which DRS is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// Twelve digits, in quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9]{12}$"))]
    pub(crate) account: Option<String>,
    /// For example us-west-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// ARN of the role to assume. Not given: the gateway's own credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
}

/// What to do when it stays unknown whether DRS accepted a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum UnknownLaunch {
    /// Ask DRS again after the settle window.
    AskAgain,
    /// Pause until a person resumes.
    AskPerson,
}

/// Whose launches go first where quotas of DRS make executions wait. At equal
/// priority a recovery goes before drills and cleanups; executions that are
/// equal in both take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Priority {
    /// After everything else.
    Low,
    /// Between the two.
    Normal,
    /// Before everything else.
    High,
}

/// Servers that start together, checked before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Wave {
    /// Unique in the plan; same form as a plan's name.
    #[schemars(regex(pattern = "^[a-z][a-z0-9-]{0,62}$"))]
    pub(crate) name: String,
    /// Waves that must have succeeded or been skipped before this one starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) after: Vec<String>,
    /// The servers: one group, or a list of groups.
    pub(crate) servers: Servers,
    /// Where this wave's groups are recovered unless a group says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Target>,
    /// Hooks that run before the launch, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) check: Vec<HookUse>,
    /// Hooks that run after the launch, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) verify: Vec<HookUse>,
    /// Pause the execution when this wave could start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) pause_before: bool,
    /// What a failure of this wave means for the rest. Not given: stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on_failure: Option<OnFailure>,
    /// How many servers that are not optional may fail before the wave fails.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) tolerance: u32,
    /// Automatic retries of the failed servers. Not given: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<Retry>,
    /// Fails the wave when it takes longer. Not given: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<PlanDuration>,
    /// How long all hooks of one phase may take together; time in which a
    /// person is waited for does not count. Not given: 15m, or the longest
    /// timeout of one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gate_timeout: Option<PlanDuration>,
}

/// Servers of one wave in one target: `ids` or `tags`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// Source servers by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ids: Vec<ServerEntry>,
    /// Every source server that carries all these tags when the wave starts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Scalar>")]
    pub(crate) tags: BTreeMap<String, String>,
    /// Overrides the wave's and the plan's target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Target>,
    /// Failures of the servers selected by `tags` never fail the wave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) optional: bool,
}

/// What a wave's failure means for the rest of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum OnFailure {
    /// Start no further wave, let running waves end, end as FAILED.
    Stop,
    /// Go on as though the wave had succeeded; the execution ends as FAILED.
    Continue,
    /// Pause until a person retries or skips the wave, or cancels.
    Pause,
}

/// Automatic retries of a wave's failed servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Retry {
    /// How many times the failed servers are asked for again.
    #[schemars(range(min = 0, max = 10))]
    pub(crate) limit: u32,
    /// Wait before the first retry, doubled each time. Not given: 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) backoff: Option<PlanDuration>,
    /// Longest wait. Not given: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_backoff: Option<PlanDuration>,
}

/// A text, a number or a truth value; all are taken as text.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(
    dead_code,
    reason = "describes a value to editors; values are read as text"
)]
pub(super) enum Scalar {
    Text(String),
    Number(f64),
    Truth(bool),
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}
