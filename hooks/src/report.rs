//! What a hook answers. The same nouns as in `wit/v1/types.wit`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Entries;

/// A verdict and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Report {
    /// What the execution is to do.
    pub verdict: Verdict,
    /// One line for whoever is on call.
    #[serde(default)]
    pub reason: String,
    /// For people and for evidence.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// What the execution is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Go on.
    Proceed,
    /// Ask again, not before this many milliseconds have passed.
    Retry(u32),
    /// Pause for a person.
    Hold,
    /// Leave the wave out; before its launch only.
    Skip,
    /// The wave has failed.
    Abort,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proceed => f.write_str("proceed"),
            Self::Retry(after_ms) => write!(f, "retry after {after_ms} ms"),
            Self::Hold => f.write_str("hold"),
            Self::Skip => f.write_str("skip"),
            Self::Abort => f.write_str("abort"),
        }
    }
}

/// One thing that a hook has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Finding {
    /// Stable and short, such as `port-closed`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// A server's id, an endpoint's name, or empty for the wave.
    #[serde(default)]
    pub subject: String,
    /// For people.
    #[serde(default)]
    pub message: String,
    /// What was measured.
    #[serde(default)]
    pub evidence: Entries,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// For the record.
    Info,
    /// Worth a look.
    Warning,
    /// Speaks against going on.
    Error,
}

/// How loud a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For the author.
    Debug,
    /// For whoever reads.
    Info,
    /// Worth a look.
    Warning,
    /// Something is wrong.
    Error,
}

/// One line of a hook's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How loud.
    pub level: Level,
    /// One line of text.
    pub message: String,
}
