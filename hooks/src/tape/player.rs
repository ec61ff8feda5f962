//! Answers probes from a tape.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::Notify;

use crate::{Answer, Exchange, Probe, ProbeFailure, Probes, Problem};

/// Answers in the tape's order, and notices the first question that is
/// another than on the tape.
pub(super) struct Player<'tape> {
    exchanges: &'tape [Exchange],
    progress: Mutex<Progress>,
    end: End,
    over: Notify,
}

/// What comes after the last exchange.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A verdict: another question is one too many.
    Decision,
    /// The attempt was stopped: another question is the one that had no
    /// answer, and there the tape ends.
    Cut,
}

#[derive(Default)]
struct Progress {
    asked: usize,
    strayed: Option<Strayed>,
}

/// Where the questions are others than on the tape.
#[derive(Clone)]
pub(super) struct Strayed {
    pub(super) index: usize,
    pub(super) asked: Probe,
}

impl<'tape> Player<'tape> {
    pub(super) fn new(exchanges: &'tape [Exchange], end: End) -> Self {
        Self {
            exchanges,
            progress: Mutex::default(),
            end,
            over: Notify::new(),
        }
    }

    /// Ends when the guest has asked what a cut tape has no answer to.
    pub(super) async fn over(&self) {
        self.over.notified().await;
    }

    /// Questions asked so far.
    pub(super) fn asked(&self) -> usize {
        self.progress().asked
    }

    pub(super) fn strayed(&self) -> Option<Strayed> {
        self.progress().strayed.clone()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing where a cut tape ends.
    fn answer(&self, probe: &Probe) -> Option<Answer> {
        let mut progress = self.progress();
        let index = progress.asked;
        progress.asked += 1;
        match self.exchanges.get(index) {
            Some(exchange) if exchange.probe == *probe => return Some(exchange.answer.clone()),
            None if self.end == End::Cut && progress.strayed.is_none() => {
                progress.asked = index;
                return None;
            }
            Some(_) | None => {}
        }
        progress.strayed.get_or_insert_with(|| Strayed {
            index,
            asked: probe.clone(),
        });
        let same = |exchange: &&Exchange| exchange.probe == *probe;
        let same = self.exchanges.iter().find(same);
        Some(same.map_or_else(unreachable, |exchange| exchange.answer.clone()))
    }
}

impl Probes for Player<'_> {
    fn probe<'a>(&'a self, probe: &'a Probe) -> BoxFuture<'a, Answer> {
        match self.answer(probe) {
            Some(answer) => Box::pin(std::future::ready(answer)),
            None => {
                self.over.notify_one();
                Box::pin(std::future::pending())
            }
        }
    }
}

/// Answers each question as a tape does that has it, in whatever order they
/// are asked; a question that is asked more often than on the tape gets the
/// last answer again.
pub(super) struct Lookup {
    left: Mutex<Vec<Entry>>,
}

struct Entry {
    exchange: Exchange,
    used: bool,
}

impl Lookup {
    pub(super) fn new(exchanges: impl IntoIterator<Item = Exchange>) -> Self {
        let entry = |exchange| Entry {
            exchange,
            used: false,
        };
        Self {
            left: Mutex::new(exchanges.into_iter().map(entry).collect()),
        }
    }

    fn answer(&self, probe: &Probe) -> Answer {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |entry: &Entry| entry.exchange.probe == *probe;
        let next = left
            .iter()
            .position(|entry| same(entry) && !entry.used)
            .or_else(|| left.iter().rposition(same));
        match next {
            Some(index) => {
                left[index].used = true;
                left[index].exchange.answer.clone()
            }
            None => unreachable(),
        }
    }
}

impl Probes for Lookup {
    fn probe<'a>(&'a self, probe: &'a Probe) -> BoxFuture<'a, Answer> {
        Box::pin(std::future::ready(self.answer(probe)))
    }
}

fn unreachable() -> Answer {
    Answer::Failed(ProbeFailure {
        problem: Problem::Unreachable,
        message: "this question is not on the tape".to_owned(),
    })
}
