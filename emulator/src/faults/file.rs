//! Faults as they are written, in a scenario file or for the control API. The manual is the
//! module's own; [`check`](super::check) makes [`Faults`](super::Faults) of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::verdict::ErrorCode;
use crate::model::{Effect, OtherQuotas, Unlisted};
use crate::operation::Operation;

/// Faults as they are written. Durations are seconds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultsFile {
    /// Of every chance; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rules: Vec<RuleFile>,
    #[serde(default)]
    pub(super) service: ServiceFile,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RuleFile {
    pub(super) name: String,
    #[serde(default, rename = "match")]
    pub(super) matches: MatchFile,
    #[serde(default)]
    pub(super) when: WhenFile,
    pub(super) then: ThenFile,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct MatchFile {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) operations: Vec<Operation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) accounts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) regions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) servers: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct WhenFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) skip: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) every: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) burst: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ThenFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) work: Option<WorkFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<AnswerFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job: Option<JobFile>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WorkFile {
    Once,
    None,
    Twice,
    Late(f64),
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum AnswerFile {
    Whole,
    Delayed(f64),
    Slow(f64),
    Cut,
    Silence,
    Reset,
    Error(ErrorFile),
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ErrorFile {
    pub(super) code: ErrorCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after_seconds: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct JobFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effect: Option<Effect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) servers: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) forgotten_after: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ServiceFile {
    pub(super) lag: LagFile,
    pub(super) clock_skew: f64,
    pub(super) quotas: OtherQuotas,
    pub(super) unlisted: Unlisted,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) denied: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) external_ids: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct LagFile {
    pub(super) jobs: f64,
    pub(super) tags: f64,
    pub(super) last_launch: f64,
}
