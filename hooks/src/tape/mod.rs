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

use crate::{Answer, Context, Digest, Entries, Failure, Limits, LogLine, Probe, Report};

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
    /// Why `exchanges` and the lists of `context` are empty; empty itself on
    /// a whole tape. What is cut is a record and cannot be played.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cut: String,
}

impl Tape {
    /// The version of the format that is written.
    pub const FORMAT: u32 = 1;

    /// What a hook was told and answered left out, which is what has no small
    /// bound; how it decided stays.
    #[must_use]
    pub fn shortened(self, why: String) -> Self {
        Self {
            exchanges: Vec::new(),
            context: Context {
                servers: Vec::new(),
                upstream: Vec::new(),
                parameters: Entries::new(),
                facts: Entries::new(),
                earlier: Vec::new(),
                ..self.context
            },
            cut: why,
            ..self
        }
    }

    /// Whether it can be played again.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.cut.is_empty()
    }
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
