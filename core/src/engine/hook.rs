//! What a hook answers, and what that rests on.
//!
//! The verdict decides. The evidence is a record for people and auditors: no
//! decision reads it.

use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};

use crate::{Span, plan::HookFailureKind};

/// A hook that says *retry* is not asked again before this has passed, so
/// that a hook that always says *retry at once* does not spin.
pub const RETRY_FLOOR: Span = Span::from_secs(1);

/// A hook that failed, and whose plan answers that with *retry*, is not asked
/// again before this has passed.
pub const FAILURE_DELAY: Span = Span::from_secs(15);

/// How many findings of a hook's newest run the state keeps.
pub const FINDINGS_KEPT: usize = 20;

/// What came of one attempt at asking a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookAnswer {
    /// What the execution is to do.
    pub verdict: HookVerdict,
    /// For people: why.
    pub message: Arc<str>,
    /// What it rests on.
    pub evidence: Arc<HookEvidence>,
}

/// What the execution is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookVerdict {
    /// Go on.
    Proceed,
    /// Ask again.
    Retry {
        /// Not before this has passed, and not before [`RETRY_FLOOR`] has.
        after: Span,
    },
    /// A person must look.
    Hold,
    /// Skip the wave; before the launch only.
    Skip,
    /// Fail the wave.
    Abort,
    /// None: the hook itself failed. The plan says what that means.
    Failed {
        /// In which way.
        kind: HookFailureKind,
    },
}

/// What one attempt has found, said and used. Whoever ran it has bounded it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookEvidence {
    /// What it found, as it was told.
    pub findings: Vec<Finding>,
    /// Findings beyond what is kept here.
    pub findings_dropped: u32,
    /// What it logged.
    pub log: Vec<LogLine>,
    /// Lines beyond what is kept here.
    pub log_dropped: u32,
    /// Instructions used, roughly; the same again in a replay.
    pub fuel: u64,
    /// Most bytes of memory at once.
    pub peak_memory: u64,
    /// Probes that it made.
    pub probes: u32,
    /// How long it took.
    pub elapsed: Span,
    /// Whether a tape of it was stored.
    pub taped: bool,
}

/// One thing that a hook has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable and short, such as `port-closed`.
    pub code: Arc<str>,
    /// How bad it is.
    pub severity: Severity,
    /// A server's id, an endpoint's name, or empty for the wave.
    pub subject: Arc<str>,
    /// For people.
    pub message: Arc<str>,
    /// What was measured.
    pub evidence: BTreeMap<String, String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For the record.
    Info,
    /// Worth a look.
    Warning,
    /// Speaks against going on.
    Error,
}

/// One line of a hook's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How loud.
    pub level: LogLevel,
    /// The line.
    pub text: Arc<str>,
}

/// How loud a line of a hook's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// For the hook's author.
    Debug,
    /// For whoever reads.
    Info,
    /// Worth a look.
    Warning,
    /// Something is wrong.
    Error,
}

impl HookAnswer {
    /// A verdict that rests on nothing.
    #[must_use]
    pub fn bare(verdict: HookVerdict, message: impl Into<Arc<str>>) -> Self {
        Self {
            verdict,
            message: message.into(),
            evidence: Arc::default(),
        }
    }
}

impl HookEvidence {
    /// How many findings there were.
    #[must_use]
    pub fn finding_count(&self) -> u32 {
        let kept = u32::try_from(self.findings.len()).unwrap_or(u32::MAX);
        kept.saturating_add(self.findings_dropped)
    }

    /// The most severe findings, at most [`FINDINGS_KEPT`]; among equals the
    /// first ones.
    pub(super) fn worst(&self) -> Arc<[Finding]> {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| core::cmp::Reverse(finding.severity));
        findings.into_iter().take(FINDINGS_KEPT).cloned().collect()
    }
}
