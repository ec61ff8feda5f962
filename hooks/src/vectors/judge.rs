//! What came of a vector against what must come of it.

use std::fmt;

use thiserror::Error;

use super::{Expected, ExpectedFinding, ExpectedVerdict, ScriptedProbes, Vector, script::Question};
use crate::{Failure, FailureKind, Finding, Outcome, Probe, Report, Verdict};

/// A vector that does not hold, with every discrepancy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Mismatch {
    /// At least one.
    pub discrepancies: Vec<Discrepancy>,
}

/// One way in which a vector does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discrepancy {
    /// Another verdict.
    Verdict {
        /// What must come.
        expected: ExpectedVerdict,
        /// What came.
        found: Report,
    },
    /// A reason that does not contain what it must.
    Reason {
        /// What it must contain.
        expected: String,
        /// The reason.
        found: String,
    },
    /// Other findings, or others in between.
    Findings {
        /// What must come.
        expected: Vec<ExpectedFinding>,
        /// What came.
        found: Vec<Finding>,
    },
    /// A failure instead of a verdict.
    NoVerdict {
        /// What must come.
        expected: ExpectedVerdict,
        /// What came.
        found: Failure,
    },
    /// A failure of another kind or with other words.
    Failure {
        /// The kind that must come.
        expected: FailureKind,
        /// What its message must contain.
        message: Option<String>,
        /// What came.
        found: Failure,
    },
    /// A verdict instead of a failure.
    NoFailure {
        /// What must come.
        expected: FailureKind,
        /// What came.
        found: Report,
    },
    /// Parameters are refused that must be accepted.
    Refused(Failure),
    /// Parameters are accepted that must be refused.
    Accepted {
        /// What the error must contain.
        expected: String,
    },
    /// Parameters are refused with other words.
    RefusedOtherwise {
        /// What the error must contain.
        expected: String,
        /// What came.
        found: Failure,
    },
    /// A probe that the vector has no answer for.
    Unscripted(Probe),
}

impl Vector {
    /// Whether the vector holds, given what came of its context in its world.
    /// Of a vector about parameters this says nothing; see
    /// [`Vector::judge_accepts`].
    ///
    /// # Errors
    /// Every discrepancy.
    pub fn judge(&self, outcome: &Outcome, probes: &ScriptedProbes) -> Result<(), Mismatch> {
        let mut discrepancies: Vec<Discrepancy> = probes
            .unscripted()
            .into_iter()
            .map(Discrepancy::Unscripted)
            .collect();
        match (&self.expected, outcome) {
            (Expected::Verdict { verdict, .. }, Outcome::Failure(failure)) => {
                discrepancies.push(Discrepancy::NoVerdict {
                    expected: *verdict,
                    found: failure.clone(),
                });
            }
            (
                Expected::Verdict {
                    verdict,
                    reason,
                    findings,
                },
                Outcome::Report(report),
            ) => {
                discrepancies.extend(verdict_differs(*verdict, report));
                discrepancies.extend(reason_differs(reason.as_deref(), report));
                discrepancies.extend(findings_differ(findings.as_deref(), report));
            }
            (Expected::Failure { kind, .. }, Outcome::Report(report)) => {
                discrepancies.push(Discrepancy::NoFailure {
                    expected: *kind,
                    found: report.clone(),
                });
            }
            (Expected::Failure { kind, message }, Outcome::Failure(failure)) => {
                discrepancies.extend(failure_differs(*kind, message.as_deref(), failure));
            }
            (Expected::Accepted | Expected::Refused { .. }, _) => {}
        }
        mismatch(discrepancies)
    }

    /// Whether the vector holds, given what the hook says about its
    /// parameters. A vector about a verdict holds only if they are accepted.
    ///
    /// # Errors
    /// The discrepancy.
    pub fn judge_accepts(&self, accepts: &Result<(), Failure>) -> Result<(), Mismatch> {
        let discrepancy = match (&self.expected, accepts) {
            (Expected::Refused { message }, Ok(())) => Some(Discrepancy::Accepted {
                expected: message.clone(),
            }),
            (Expected::Refused { message }, Err(failure)) => {
                let as_said = failure.kind == FailureKind::Error
                    && failure.message.contains(message.as_str());
                (!as_said).then(|| Discrepancy::RefusedOtherwise {
                    expected: message.clone(),
                    found: failure.clone(),
                })
            }
            (Expected::Accepted | Expected::Verdict { .. }, Err(failure)) => {
                Some(Discrepancy::Refused(failure.clone()))
            }
            // Parameters that make `check` fail may make `accepts` fail too.
            (Expected::Failure { .. }, _)
            | (Expected::Accepted | Expected::Verdict { .. }, Ok(())) => None,
        };
        mismatch(discrepancy.into_iter().collect())
    }
}

fn mismatch(discrepancies: Vec<Discrepancy>) -> Result<(), Mismatch> {
    if discrepancies.is_empty() {
        Ok(())
    } else {
        Err(Mismatch { discrepancies })
    }
}

fn verdict_differs(expected: ExpectedVerdict, report: &Report) -> Option<Discrepancy> {
    let same = match (expected, report.verdict) {
        (ExpectedVerdict::Retry { after_ms }, Verdict::Retry(found)) => {
            after_ms.is_none_or(|after_ms| after_ms == found)
        }
        (ExpectedVerdict::Proceed, Verdict::Proceed)
        | (ExpectedVerdict::Hold, Verdict::Hold)
        | (ExpectedVerdict::Skip, Verdict::Skip)
        | (ExpectedVerdict::Abort, Verdict::Abort) => true,
        (
            ExpectedVerdict::Proceed
            | ExpectedVerdict::Retry { .. }
            | ExpectedVerdict::Hold
            | ExpectedVerdict::Skip
            | ExpectedVerdict::Abort,
            _,
        ) => false,
    };
    (!same).then(|| Discrepancy::Verdict {
        expected,
        found: report.clone(),
    })
}

fn reason_differs(expected: Option<&str>, report: &Report) -> Option<Discrepancy> {
    let expected = expected?;
    (!report.reason.contains(expected)).then(|| Discrepancy::Reason {
        expected: expected.to_owned(),
        found: report.reason.clone(),
    })
}

fn findings_differ(expected: Option<&[ExpectedFinding]>, report: &Report) -> Option<Discrepancy> {
    let expected = expected?;
    let same = expected.len() == report.findings.len()
        && expected
            .iter()
            .zip(&report.findings)
            .all(|(wanted, found)| {
                let subject = wanted.subject.as_ref();
                wanted.code == found.code && subject.is_none_or(|subject| *subject == found.subject)
            });
    (!same).then(|| Discrepancy::Findings {
        expected: expected.to_vec(),
        found: report.findings.clone(),
    })
}

fn failure_differs(
    expected: FailureKind,
    message: Option<&str>,
    failure: &Failure,
) -> Option<Discrepancy> {
    let same =
        expected == failure.kind && message.is_none_or(|message| failure.message.contains(message));
    (!same).then(|| Discrepancy::Failure {
        expected,
        message: message.map(str::to_owned),
        found: failure.clone(),
    })
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, discrepancy) in self.discrepancies.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            discrepancy.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict { expected, found } => {
                write!(f, "verdict: expected {expected}, found {}", told(found))
            }
            Self::Reason { expected, found } => {
                write!(f, "reason: expected {expected:?} in it, found {found:?}")
            }
            Self::Findings { expected, found } => {
                f.write_str("findings:")?;
                for finding in expected {
                    write!(f, "\n  expected {finding}")?;
                }
                for finding in found {
                    write!(f, "\n  found    {} {}", finding.code, finding.subject)?;
                }
                Ok(())
            }
            Self::NoVerdict { expected, found } => {
                write!(f, "verdict: expected {expected}, found the failure {found}")
            }
            Self::Failure {
                expected,
                message: None,
                found,
            } => write!(f, "failure: expected {expected}, found {found}"),
            Self::Failure {
                expected,
                message: Some(message),
                found,
            } => write!(
                f,
                "failure: expected {expected} with {message:?} in its message, found {found}"
            ),
            Self::NoFailure { expected, found } => {
                write!(f, "failure: expected {expected}, found {}", told(found))
            }
            Self::Refused(found) => write!(f, "parameters: refused: {found}"),
            Self::Accepted { expected } => {
                write!(
                    f,
                    "parameters: accepted; expected an error with {expected:?} in it"
                )
            }
            Self::RefusedOtherwise { expected, found } => write!(
                f,
                "parameters: expected an error with {expected:?} in it, found {found}"
            ),
            Self::Unscripted(probe) => write!(
                f,
                "probe: the vector has no answer to: {}",
                Question::of(probe)
            ),
        }
    }
}

fn told(report: &Report) -> String {
    if report.reason.is_empty() {
        report.verdict.to_string()
    } else {
        format!("{} ({})", report.verdict, report.reason)
    }
}
