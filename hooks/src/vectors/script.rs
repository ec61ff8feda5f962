//! A world that answers by the book.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use futures::future::BoxFuture;

use crate::{Answer, Method, Probe, ProbeFailure, Probes, Problem, Request, Target};

/// All that a vector's world can be asked, and its answers, at least one each.
pub(super) type Script = BTreeMap<Question, Vec<Answer>>;

/// What two probes have in common that get the same answer: all but the
/// timeout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    pub(super) target: Target,
    pub(super) asked: Asked,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    Tcp,
    Get(String),
    Head(String),
}

/// Answers the probes of one attempt as a vector says.
#[derive(Debug)]
pub struct ScriptedProbes {
    script: Script,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    given: BTreeMap<Question, usize>,
    unscripted: Vec<Probe>,
}

impl ScriptedProbes {
    pub(super) fn new(script: Script) -> Self {
        Self {
            script,
            state: Mutex::default(),
        }
    }

    /// Probes that were asked although the script has no answer to them.
    #[must_use]
    pub fn unscripted(&self) -> Vec<Probe> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unscripted.clone()
    }

    pub(super) fn answer(&self, probe: &Probe) -> Answer {
        let question = Question::of(probe);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match self.script.get(&question) {
            Some(answers) => {
                let given = state.given.entry(question).or_default();
                let answer = answers[(*given).min(answers.len() - 1)].clone();
                *given += 1;
                answer
            }
            None => {
                state.unscripted.push(probe.clone());
                Answer::Failed(ProbeFailure {
                    problem: Problem::Unresolved,
                    message: format!("the vector has no answer to: {question}"),
                })
            }
        }
    }
}

impl Probes for ScriptedProbes {
    fn probe<'a>(&'a self, probe: &'a Probe) -> BoxFuture<'a, Answer> {
        Box::pin(std::future::ready(self.answer(probe)))
    }
}

impl Question {
    pub(super) fn of(probe: &Probe) -> Self {
        Self {
            target: probe.target.clone(),
            asked: match &probe.request {
                Request::Tcp => Asked::Tcp,
                Request::Http {
                    method: Method::Get,
                    path,
                } => Asked::Get(path.clone()),
                Request::Http {
                    method: Method::Head,
                    path,
                } => Asked::Head(path.clone()),
            },
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Server { server, port } => write!(f, "server {server}, port {port}")?,
            Target::Endpoint(name) => write!(f, "endpoint {name}")?,
        }
        match &self.asked {
            Asked::Tcp => Ok(()),
            Asked::Get(path) => write!(f, ", get {path}"),
            Asked::Head(path) => write!(f, ", head {path}"),
        }
    }
}
