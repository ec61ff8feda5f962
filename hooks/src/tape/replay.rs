//! Shows the decision on a tape again.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::player::{End, Player};
use crate::{
    Digest, ENGINE, FailureKind, Finding, Hook, Host, Limits, LogLine, Outcome, Probe, Tape,
    Verdict,
};

/// What came of playing a tape again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Replay {
    /// How much of the tape could be played.
    pub extent: Extent,
    /// Which engine the tape is from, if it is not this one. Fuel and memory
    /// are then not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_engine: Option<String>,
    /// All that is not as on the tape.
    pub differences: Vec<Difference>,
    /// The attempt made again. Not there if the tape was cut when it was
    /// recorded, or ends where the guest waited for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again: Option<Tape>,
}

/// How much of a tape could be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// To the decision.
    Whole,
    /// The attempt was stopped at its deadline. Where that was depends on the
    /// machine, so only questions and log are compared, as far as both go.
    UntilStopped,
    /// Not at all: it was cut when it was recorded.
    Nothing,
}

/// Something that is not as on the tape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are what was and what is")]
pub enum Difference {
    /// It was played to another component.
    Component { recorded: Digest, played: Digest },
    /// The first question that is another.
    Question {
        index: usize,
        recorded: Option<Probe>,
        asked: Option<Probe>,
    },
    /// Failure instead of report, report instead of failure, or another
    /// failure.
    Outcome { recorded: Outcome, played: Outcome },
    /// Another verdict.
    Verdict { recorded: Verdict, played: Verdict },
    /// Another reason.
    Reason { recorded: String, played: String },
    /// Other findings.
    Findings {
        recorded: Vec<Finding>,
        played: Vec<Finding>,
    },
    /// Other lines of log.
    Log {
        recorded: Vec<LogLine>,
        played: Vec<LogLine>,
    },
    /// More or fewer instructions.
    Fuel { recorded: u64, played: u64 },
    /// More or less memory.
    Memory { recorded: u64, played: u64 },
}

impl Replay {
    /// Whether the same was decided on the same grounds.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Makes the attempt on a tape again, with the answers from the tape.
pub async fn replay(host: &Host, hook: &Hook, tape: &Tape) -> Replay {
    let extent = extent(tape);
    let other_engine = (tape.engine != ENGINE).then(|| tape.engine.clone());
    let (end, wall) = match extent {
        // A slower machine must not decide otherwise; fuel bounds it.
        Extent::Whole => (End::Decision, Limits::CEILING.wall),
        Extent::UntilStopped => (End::Cut, tape.limits.wall),
        Extent::Nothing => {
            return Replay {
                extent,
                other_engine,
                differences: component(tape, hook).into_iter().collect(),
                again: None,
            };
        }
    };
    let limits = Limits {
        wall,
        ..tape.limits
    };
    let player = Player::new(&tape.exchanges, end);
    let again = tokio::select! {
        biased;
        again = host.check_again(hook, &limits, &tape.context, &player) => Some(again),
        () = player.over() => None,
    };
    let mut differences = Vec::new();
    differences.extend(component(tape, hook));
    differences.extend(question(tape, &player, extent));
    if let Some(again) = &again {
        match extent {
            Extent::Whole => {
                differences.extend(outcome(&tape.outcome, &again.outcome));
                differences.extend(log(tape, again));
                if other_engine.is_none() {
                    differences.extend(usage(tape, again));
                }
            }
            Extent::UntilStopped | Extent::Nothing => {
                differences.extend(beginning_of_log(tape, again));
            }
        }
    }
    Replay {
        extent,
        other_engine,
        differences,
        again,
    }
}

/// A denied probe outranks that the attempt was stopped, but an attempt that
/// was not stopped ends within its time.
fn extent(tape: &Tape) -> Extent {
    if !tape.is_whole() {
        return Extent::Nothing;
    }
    let took = Duration::from_millis(tape.usage.elapsed_ms.into());
    let stopped = match &tape.outcome {
        Outcome::Failure(failure) => {
            failure.kind == FailureKind::Timeout
                || failure.kind == FailureKind::ProbeDenied && took >= tape.limits.wall
        }
        Outcome::Report(_) => false,
    };
    if stopped {
        Extent::UntilStopped
    } else {
        Extent::Whole
    }
}

fn component(tape: &Tape, hook: &Hook) -> Option<Difference> {
    (tape.digest != *hook.digest()).then(|| Difference::Component {
        recorded: tape.digest,
        played: *hook.digest(),
    })
}

fn question(tape: &Tape, player: &Player<'_>, extent: Extent) -> Option<Difference> {
    if let Some(strayed) = player.strayed() {
        return Some(Difference::Question {
            index: strayed.index,
            recorded: tape.exchanges.get(strayed.index).map(|it| it.probe.clone()),
            asked: Some(strayed.asked),
        });
    }
    let index = player.asked();
    match (tape.exchanges.get(index), extent) {
        (Some(left), Extent::Whole) => Some(Difference::Question {
            index,
            recorded: Some(left.probe.clone()),
            asked: None,
        }),
        (Some(_), Extent::UntilStopped | Extent::Nothing) | (None, _) => None,
    }
}

fn outcome(recorded: &Outcome, played: &Outcome) -> Vec<Difference> {
    let (Outcome::Report(was), Outcome::Report(is)) = (recorded, played) else {
        let other = (recorded != played).then(|| Difference::Outcome {
            recorded: recorded.clone(),
            played: played.clone(),
        });
        return other.into_iter().collect();
    };
    let verdict = (was.verdict != is.verdict).then_some(Difference::Verdict {
        recorded: was.verdict,
        played: is.verdict,
    });
    let reason = (was.reason != is.reason).then(|| Difference::Reason {
        recorded: was.reason.clone(),
        played: is.reason.clone(),
    });
    let findings = (was.findings != is.findings).then(|| Difference::Findings {
        recorded: was.findings.clone(),
        played: is.findings.clone(),
    });
    verdict.into_iter().chain(reason).chain(findings).collect()
}

fn log(tape: &Tape, again: &Tape) -> Option<Difference> {
    let equal = tape.log == again.log && tape.log_dropped == again.log_dropped;
    (!equal).then(|| other_log(tape, again))
}

fn beginning_of_log(tape: &Tape, again: &Tape) -> Option<Difference> {
    let equal = tape.log.iter().zip(&again.log).all(|(was, is)| was == is);
    (!equal).then(|| other_log(tape, again))
}

fn other_log(tape: &Tape, again: &Tape) -> Difference {
    Difference::Log {
        recorded: tape.log.clone(),
        played: again.log.clone(),
    }
}

fn usage(tape: &Tape, again: &Tape) -> impl Iterator<Item = Difference> {
    let (was, is) = (tape.usage, again.usage);
    let fuel = (was.fuel != is.fuel).then_some(Difference::Fuel {
        recorded: was.fuel,
        played: is.fuel,
    });
    let memory = (was.peak_memory != is.peak_memory).then_some(Difference::Memory {
        recorded: was.peak_memory,
        played: is.peak_memory,
    });
    fuel.into_iter().chain(memory)
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { recorded, played } => {
                write!(f, "the tape is of {recorded}, played to {played}")
            }
            Self::Question { index, asked, .. } => match asked {
                Some(_) => write!(f, "question {} is another", index + 1),
                None => write!(f, "question {} was not asked", index + 1),
            },
            Self::Outcome { recorded, played } => {
                write!(f, "it ended with {recorded}, now with {played}")
            }
            Self::Verdict { recorded, played } => {
                write!(f, "the verdict was {recorded}, now it is {played}")
            }
            Self::Reason { recorded, played } => {
                write!(f, "the reason was {recorded:?}, now it is {played:?}")
            }
            Self::Findings { recorded, played } => {
                let (was, is) = (recorded.len(), played.len());
                write!(f, "the findings are others ({was} then, {is} now)")
            }
            Self::Log { recorded, played } => {
                let (was, is) = (recorded.len(), played.len());
                write!(f, "the log is another ({was} lines then, {is} now)")
            }
            Self::Fuel { recorded, played } => {
                write!(f, "it used {recorded} instructions, now {played}")
            }
            Self::Memory { recorded, played } => {
                write!(f, "it used {recorded} bytes of memory, now {played}")
            }
        }
    }
}
