//! The record of one attempt at the host's border: what it was told, what it
//! asked and was answered, what it decided. A component is deterministic
//! within its sandbox, so the same component on the same tape decides the
//! same, with the same fuel, for ever.

mod player;
mod replay;
mod sensitivity;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::{
    replay::{Difference, Extent, Replay, replay},
    sensitivity::{Flip, Influence, Sensitivity, Standing, sensitivity},
};

use crate::{Answer, Context, Digest, Failure, Limits, LogLine, Probe, Report};

/// Everything needed to show a decision again, the component aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tape {
    /// Version of this format: 1.
    pub format: u32,
    /// The component.
    pub digest: Digest,
    /// Which engine ran it, such as `wasmtime 48.0.8`. Fuel is only
    /// comparable within one.
    pub engine: String,
    /// What it might use.
    pub limits: Limits,
    /// What it was told.
    pub context: Context,
    /// What it asked, in order, and what it was answered.
    pub exchanges: Vec<Exchange>,
    /// What it decided, or how it failed.
    pub outcome: Outcome,
    /// What it said on the way.
    pub log: Vec<LogLine>,
    /// Lines beyond the budget.
    #[serde(default)]
    pub log_dropped: u32,
    /// What it used.
    pub usage: Usage,
}

impl Tape {
    /// The version of the format that is written.
    pub const FORMAT: u32 = 1;
}

/// One probe and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exchange {
    /// The question.
    pub probe: Probe,
    /// What came back.
    pub answer: Answer,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// With a verdict.
    Report(Report),
    /// Without.
    Failure(Failure),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(report) => fmt::Display::fmt(&report.verdict, f),
            Self::Failure(failure) => fmt::Display::fmt(failure, f),
        }
    }
}

/// What an attempt used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Usage {
    /// Instructions, roughly: wasmtime's fuel.
    pub fuel: u64,
    /// Most bytes of linear memory at once.
    pub peak_memory: u64,
    /// Probes made, denied ones included.
    pub probes: u32,
    /// Real milliseconds; not part of what a replay compares.
    pub elapsed_ms: u32,
}
