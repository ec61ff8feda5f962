//! What must come of a vector.

use std::fmt;

use crate::FailureKind;

/// What must come of a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A report.
    Verdict {
        /// With this verdict.
        verdict: ExpectedVerdict,
        /// Whose reason contains this.
        reason: Option<String>,
        /// With exactly these findings, in this order.
        findings: Option<Vec<ExpectedFinding>>,
    },
    /// No verdict.
    Failure {
        /// For this reason.
        kind: FailureKind,
        /// Whose message contains this.
        message: Option<String>,
    },
    /// The parameters are accepted.
    Accepted,
    /// The parameters are refused.
    Refused {
        /// By an error that contains this.
        message: String,
    },
}

/// A verdict; of a retry the time may be left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the contract documents each")]
pub enum ExpectedVerdict {
    Proceed,
    Retry { after_ms: Option<u32> },
    Hold,
    Skip,
    Abort,
}

/// A finding of which only the code matters, or the code and the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedFinding {
    /// Such as `port-closed`.
    pub code: String,
    /// Such as a server's id.
    pub subject: Option<String>,
}

impl fmt::Display for ExpectedVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proceed => f.write_str("proceed"),
            Self::Retry { after_ms: None } => f.write_str("retry"),
            Self::Retry {
                after_ms: Some(after_ms),
            } => write!(f, "retry after {after_ms} ms"),
            Self::Hold => f.write_str("hold"),
            Self::Skip => f.write_str("skip"),
            Self::Abort => f.write_str("abort"),
        }
    }
}

impl fmt::Display for ExpectedFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        match &self.subject {
            Some(subject) => write!(f, " {subject}"),
            None => Ok(()),
        }
    }
}
