//! The people who use the gateway, and all that they may rely on: what they
//! were answered is recorded, the same request gives the same answer, and a
//! pause holds until somebody resumes.

use std::collections::BTreeMap;

use tidegate_core::{
    ExecutionId,
    engine::{Event, Kind},
};
use tidegate_gateway::driver::{Driver, DriverError, Origin, RequestStamp, StartOrder, View};

use crate::{
    ledger::Ledger,
    plans,
    process::Process,
    truth::Order,
    world::{Heard, SharedWorld, World, lock},
};

/// What somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wish {
    Start {
        plan: u64,
        kind: Kind,
        source: Option<ExecutionId>,
    },
    Steer {
        execution: ExecutionId,
        event: Event,
    },
}

struct Request {
    wish: Wish,
    /// The execution and revision of the first answer.
    answer: Option<(ExecutionId, u64)>,
    /// At which processes an answer is still to come.
    waiting: Vec<u32>,
}

#[derive(Default)]
pub(crate) struct People {
    requests: Vec<Request>,
    /// Executions of which a pause was answered, at which revision, and that
    /// nobody wanted resumed since then.
    paused: BTreeMap<ExecutionId, u64>,
    /// Which plan each execution runs.
    plans: BTreeMap<ExecutionId, u64>,
}

impl People {
    pub(crate) fn wish(&mut self, wish: Wish) -> usize {
        self.requests.push(Request {
            wish,
            answer: None,
            waiting: Vec::new(),
        });
        self.requests.len() - 1
    }

    pub(crate) fn count(&self) -> usize {
        self.requests.len()
    }

    /// Every wish to start something.
    pub(crate) fn starts(&self) -> Vec<usize> {
        let requests = self.requests.iter().enumerate();
        requests
            .filter(|(_, request)| matches!(request.wish, Wish::Start { .. }))
            .map(|(ix, _)| ix)
            .collect()
    }

    pub(crate) fn plan_of(&self, execution: &ExecutionId) -> Option<u64> {
        self.plans.get(execution).copied()
    }

    /// Whether a start is on its way.
    pub(crate) fn is_starting(&self) -> bool {
        let mut requests = self.requests.iter();
        requests.any(|request| {
            matches!(request.wish, Wish::Start { .. }) && !request.waiting.is_empty()
        })
    }

    /// Whether an answer is still to come.
    pub(crate) fn is_waiting(&self) -> bool {
        let mut requests = self.requests.iter();
        requests.any(|request| !request.waiting.is_empty())
    }

    /// Nobody hears of what was under way in a process that is gone.
    pub(crate) fn give_up(&mut self, gone: u32) {
        for request in &mut self.requests {
            request.waiting.retain(|&process| process != gone);
        }
    }

    /// Sends a request, for the first time or again.
    pub(crate) fn send(
        &mut self,
        ix: usize,
        to: &Process,
        driver: Driver,
        world: &SharedWorld,
        ledger: &Ledger,
    ) {
        let request = &mut self.requests[ix];
        request.waiting.push(to.number);
        let wish = request.wish.clone();
        if let Wish::Steer {
            execution,
            event: Event::Resume,
        } = &wish
        {
            self.paused.remove(execution);
        }
        let known = is_recorded(ledger, ix);
        let process = to.number;
        lock(world).say(format_args!("p{process} {} {wish:?}", id(ix)));
        let world = world.clone();
        to.spawn(async move {
            let outcome = ask(&driver, ix, wish).await;
            lock(&world).answers.push(Heard {
                request: ix,
                process,
                known,
                outcome,
            });
        });
    }

    /// Checks an answer. `newest` is the process that should own everything.
    pub(crate) fn hear(
        &mut self,
        heard: Heard,
        newest: u32,
        stopping: bool,
        ledger: &Ledger,
        world: &mut World,
    ) -> Result<(), String> {
        let request = id(heard.request);
        let process = heard.process;
        let waiting = &mut self.requests[heard.request].waiting;
        if let Some(ix) = waiting.iter().position(|&at| at == process) {
            waiting.swap_remove(ix);
        }
        match heard.outcome {
            Ok(view) => {
                world.say(format_args!("{request} done at {}", view.revision));
                self.accepted(heard.request, &view, ledger)
            }
            Err(error) => {
                world.say(format_args!("{request}: {error}"));
                let stale = process != newest;
                match error {
                    DriverError::Unavailable(_)
                    | DriverError::TooManyRequests { .. }
                    | DriverError::TooManyLive { .. } => Ok(()),
                    DriverError::NotOwner(_) | DriverError::NotFound(_) if stale => Ok(()),
                    DriverError::ShuttingDown | DriverError::NotOwner(_) if stopping => Ok(()),
                    DriverError::Rejected(_)
                    | DriverError::ServerBusy { .. }
                    | DriverError::SelectionBusy { .. }
                        if stale || !heard.known =>
                    {
                        Ok(())
                    }
                    DriverError::Rejected(_)
                    | DriverError::ServerBusy { .. }
                    | DriverError::SelectionBusy { .. }
                    | DriverError::NotOwner(_)
                    | DriverError::OtherLease { .. }
                    | DriverError::NotFound(_)
                    | DriverError::FutureRevision { .. }
                    | DriverError::RequestIdReused(_)
                    | DriverError::Refused(_)
                    | DriverError::Unknown(_)
                    | DriverError::Damaged(_)
                    | DriverError::ShuttingDown => Err(format!("{request} is told: {error}")),
                }
            }
        }
    }

    /// An answer is recorded, says what was recorded, and is always the same.
    fn accepted(&mut self, ix: usize, view: &View, ledger: &Ledger) -> Result<(), String> {
        let request = id(ix);
        let execution = view.execution.id().clone();
        let log = ledger.logs.get(&execution);
        let log = log.ok_or_else(|| format!("{request} is answered and not recorded"))?;
        if log.requests.get(&request) != Some(&view.revision) {
            return Err(format!("{request} is answered and not recorded"));
        }
        let at = usize::try_from(view.revision).expect("few records");
        if log.history[at] != *view.execution {
            return Err(format!("{request} is answered with another state"));
        }
        let first = (execution.clone(), view.revision);
        let asked = &mut self.requests[ix];
        if asked.answer.get_or_insert_with(|| first.clone()) != &first {
            return Err(format!(
                "{request} has two answers: {:?}, {first:?}",
                asked.answer
            ));
        }
        match asked.wish.clone() {
            Wish::Start { plan, .. } => {
                self.plans.insert(execution, plan);
            }
            Wish::Steer {
                event: Event::Pause { .. },
                ..
            } if !self.may_be_resumed(&execution) => {
                self.paused.insert(execution, view.revision);
            }
            Wish::Steer { .. } => {}
        }
        Ok(())
    }

    /// Whether anybody ever wanted this execution to go on.
    fn may_be_resumed(&self, execution: &ExecutionId) -> bool {
        self.requests.iter().any(|request| match &request.wish {
            Wish::Steer {
                execution: of,
                event: Event::Resume,
            } => of == execution,
            Wish::Steer { .. } | Wish::Start { .. } => false,
        })
    }

    /// DRS is asked only for what is recorded, and for nothing that was
    /// decided after a pause.
    pub(crate) fn arrived(&self, order: &Order, ledger: &Ledger) -> Result<(), String> {
        let key = order.key();
        let execution = key.split('/').next().unwrap_or_default();
        let log = ledger.logs.get(execution);
        let intended = log.and_then(|log| log.intents.get(key));
        let Some(&intended) = intended else {
            return Err(format!("{key} is asked for and not recorded"));
        };
        match self.paused.get(execution) {
            Some(&paused) if intended > paused => {
                Err(format!("{key} is asked for while {execution} is paused"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What was answered is there.
    pub(crate) fn keep(&self, ledger: &Ledger) -> Result<(), String> {
        for (ix, request) in self.requests.iter().enumerate() {
            let Some((execution, revision)) = &request.answer else {
                continue;
            };
            let log = ledger.logs.get(execution);
            let recorded = log.and_then(|log| log.requests.get(&id(ix)));
            if recorded != Some(revision) {
                return Err(format!("{} was answered and is lost", id(ix)));
            }
        }
        Ok(())
    }
}

async fn ask(driver: &Driver, ix: usize, wish: Wish) -> Result<View, DriverError> {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&(ix as u64).to_be_bytes());
    let stamp = RequestStamp { id: id(ix), digest };
    match wish {
        Wish::Start { plan, kind, source } => {
            let order = StartOrder {
                kind,
                plan: plans::plan(plan),
                origin: Origin {
                    plan_revision: 1,
                    plan_digest: String::new(),
                    plan: plans::encoded(plan).into(),
                    source,
                },
                request: stamp,
            };
            driver.start_execution(order).await
        }
        Wish::Steer { execution, event } => driver.request(&execution, event, Some(stamp)).await,
    }
}

fn id(ix: usize) -> String {
    format!("r{ix}")
}

fn is_recorded(ledger: &Ledger, ix: usize) -> bool {
    let request = id(ix);
    let mut logs = ledger.logs.values();
    logs.any(|log| log.requests.contains_key(&request))
}
