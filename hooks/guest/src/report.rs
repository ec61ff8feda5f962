//! What a hook answers.

use crate::{Entries, bindings::generated::tidegate::hooks::types as contract};

pub use contract::{Severity, Verdict};

/// A verdict and what it rests on.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    /// What the execution is to do.
    pub verdict: Verdict,
    /// One line that says why, for whoever is on call.
    pub reason: String,
    /// For people and for evidence.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Go on.
    pub fn proceed() -> Self {
        Self::new(Verdict::Proceed, String::new())
    }

    /// Ask again, not before this many milliseconds have passed. This is how a
    /// hook waits.
    pub fn retry_after_ms(after_ms: u32, reason: impl Into<String>) -> Self {
        Self::new(Verdict::Retry(after_ms), reason.into())
    }

    /// Pause: a person must look. A resume asks again.
    pub fn hold(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Hold, reason.into())
    }

    /// Leave the wave out. Only before its launch.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Skip, reason.into())
    }

    /// The wave has failed.
    pub fn abort(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Abort, reason.into())
    }

    fn new(verdict: Verdict, reason: String) -> Self {
        Self {
            verdict,
            reason,
            findings: Vec::new(),
        }
    }

    /// Says why.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    /// Adds a finding.
    pub fn finding(mut self, finding: Finding) -> Self {
        self.findings.push(finding);
        self
    }

    /// Adds findings.
    pub fn findings(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.findings.extend(findings);
        self
    }

    pub(crate) fn into_contract(self) -> contract::Report {
        contract::Report {
            verdict: self.verdict,
            reason: self.reason,
            findings: self
                .findings
                .into_iter()
                .map(Finding::into_contract)
                .collect(),
        }
    }
}

/// One thing that a hook has found.
#[derive(Clone, Debug)]
#[must_use]
pub struct Finding {
    /// Stable and short, such as `port-closed`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// A server's id, an endpoint's name, or empty for the wave.
    pub subject: String,
    /// For people.
    pub message: String,
    /// What was measured.
    pub evidence: Entries,
}

impl Finding {
    /// For the record.
    pub fn info(code: impl Into<String>) -> Self {
        Self::new(Severity::Info, code.into())
    }

    /// Worth a look.
    pub fn warning(code: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code.into())
    }

    /// Speaks against going on.
    pub fn error(code: impl Into<String>) -> Self {
        Self::new(Severity::Error, code.into())
    }

    fn new(severity: Severity, code: String) -> Self {
        Self {
            code,
            severity,
            subject: String::new(),
            message: String::new(),
            evidence: Entries::default(),
        }
    }

    /// What it is about: a server's id or an endpoint's name.
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Says it to people.
    pub fn message(mut self, message: impl ToString) -> Self {
        self.message = message.to_string();
        self
    }

    /// Adds something measured.
    pub fn evidence(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.evidence.set(name, value);
        self
    }

    fn into_contract(self) -> contract::Finding {
        contract::Finding {
            code: self.code,
            severity: self.severity,
            subject: self.subject,
            message: self.message,
            evidence: self.evidence.into_contract(),
        }
    }
}
