//! Finds out whether the world could have moved a decision. A hook whose
//! probes may come out either way and that always says the same is no gate.

use serde::Serialize;

use super::player::Lookup;
use crate::{
    Answer, Exchange, Hook, Host, Outcome, Probe, ProbeFailure, Problem, Request, Response, Tape,
    Verdict,
};

/// What moves the decision on a tape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sensitivity {
    /// What is decided with the answers of the tape.
    pub unflipped: Outcome,
    /// Each probe, its answer turned around alone.
    pub probes: Vec<Influence>,
    /// All answers turned around at once: moves a hook that one failure of
    /// several does not.
    pub together: Option<Flip>,
}

/// What one probe means for the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Influence {
    /// The question.
    pub probe: Probe,
    /// The decisions if it were answered otherwise.
    pub flips: Vec<Flip>,
}

/// A decision with other answers than on the tape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Flip {
    /// In words, what was changed.
    pub change: &'static str,
    /// What is decided then.
    pub outcome: Outcome,
    /// Whether that is another verdict or another kind of failure.
    pub moved: bool,
}

/// Whether anything moves a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// At least one probe does.
    Moved,
    /// No single probe does, all of them together do.
    MovedTogether,
    /// It asks, and whatever it is answered, it decides the same.
    Unmoved,
    /// It asks nothing: it decides by its context alone.
    AsksNothing,
}

impl Influence {
    /// Whether any other answer to it moves the decision.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.flips.iter().any(|flip| flip.moved)
    }
}

impl Sensitivity {
    /// Whether anything moves the decision.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if self.probes.is_empty() {
            Standing::AsksNothing
        } else if self.probes.iter().any(Influence::moves) {
            Standing::Moved
        } else if self.together.as_ref().is_some_and(|flip| flip.moved) {
            Standing::MovedTogether
        } else {
            Standing::Unmoved
        }
    }
}

/// Makes the attempt on a tape again, each time with another answer turned
/// around. A question that only then arises is answered as a like one on the
/// tape, or as unreachable.
pub async fn sensitivity(host: &Host, hook: &Hook, tape: &Tape) -> Sensitivity {
    let decide = async |exchanges: Vec<Exchange>| {
        let probes = Lookup::new(exchanges);
        let again = host.check_again(hook, &tape.limits, &tape.context, &probes);
        again.await.outcome
    };
    let unflipped = decide(tape.exchanges.clone()).await;
    let flip = async |change, exchanges| {
        let outcome = decide(exchanges).await;
        let moved = moved(&unflipped, &outcome);
        Flip {
            change,
            outcome,
            moved,
        }
    };
    let mut probes = Vec::new();
    for (index, exchange) in tape.exchanges.iter().enumerate() {
        let mut flips = Vec::new();
        for (change, answer) in flipped(exchange) {
            let mut exchanges = tape.exchanges.clone();
            exchanges[index].answer = answer;
            flips.push(flip(change, exchanges).await);
        }
        probes.push(Influence {
            probe: exchange.probe.clone(),
            flips,
        });
    }
    let together = match tape.exchanges.len() {
        0 | 1 => None,
        _ => Some(flip("all at once", all_flipped(&tape.exchanges)).await),
    };
    Sensitivity {
        unflipped,
        probes,
        together,
    }
}

/// Each answer replaced by the first that it can be turned into.
fn all_flipped(exchanges: &[Exchange]) -> Vec<Exchange> {
    let flip = |exchange: &Exchange| {
        let [(_, answer), ..] = flipped(exchange);
        let probe = exchange.probe.clone();
        Exchange { probe, answer }
    };
    exchanges.iter().map(flip).collect()
}

/// What an answer can be turned into: success into two failures, failure into
/// two successes.
fn flipped(exchange: &Exchange) -> [(&'static str, Answer); 2] {
    let ok = ("a success", response(200));
    match (&exchange.answer, &exchange.probe.request) {
        (Answer::Response(given), _) if (200..300).contains(&given.status) => [
            ("status 503", response(503)),
            ("an empty body", emptied(given)),
        ],
        (Answer::Connected { .. }, _) => [
            ("refused", failed(Problem::Refused)),
            ("timed out", failed(Problem::TimedOut)),
        ],
        (Answer::Response(_), _) => [ok, ("refused", failed(Problem::Refused))],
        (Answer::Failed(_), Request::Tcp) => [
            ("connected", Answer::Connected { elapsed_ms: 1 }),
            ("connected slowly", Answer::Connected { elapsed_ms: 10_000 }),
        ],
        (Answer::Failed(_), Request::Http { .. }) => [ok, ("status 503", response(503))],
    }
}

fn failed(problem: Problem) -> Answer {
    Answer::Failed(ProbeFailure {
        problem,
        message: "turned around".to_owned(),
    })
}

fn response(status: u16) -> Answer {
    Answer::Response(Response {
        status,
        headers: Vec::new(),
        body: Vec::new(),
        truncated: false,
        elapsed_ms: 1,
    })
}

fn emptied(given: &Response) -> Answer {
    Answer::Response(Response {
        body: Vec::new(),
        truncated: false,
        ..given.clone()
    })
}

/// Two retries are the same decision, however long they wait.
fn moved(was: &Outcome, is: &Outcome) -> bool {
    match (was, is) {
        (Outcome::Report(was), Outcome::Report(is)) => match (was.verdict, is.verdict) {
            (Verdict::Retry(_), Verdict::Retry(_)) => false,
            (was, is) => was != is,
        },
        (Outcome::Failure(was), Outcome::Failure(is)) => was.kind != is.kind,
        (Outcome::Report(_), Outcome::Failure(_)) | (Outcome::Failure(_), Outcome::Report(_)) => {
            true
        }
    }
}
