//! The faults end: calls are answered, time runs on, and people decide
//! whatever waits for them. Then every execution ends as DRS says.

use std::collections::BTreeMap;

use tidegate_core::{
    ExecutionId, LaunchIx, WaveIx,
    engine::{Action, Event, Execution, ExecutionState, ServerState},
};
use tidegate_emulator::model::LaunchStatus;

use crate::{calls::Fate, people::Wish, simulation::Simulation, truth::Truth, world::lock};

/// Rounds after which an execution counts as stuck.
const ROUNDS: u32 = 10_000;
/// Instants at which something may still be due when everything is over.
const LEFTOVERS: u32 = 300;

impl Simulation {
    /// # Errors
    /// A broken rule, or something that does not end.
    pub(crate) fn heal(&mut self) -> Result<(), String> {
        lock(&self.world).say(format_args!("the faults end"));
        self.let_one_process_live();
        let mut retried = BTreeMap::new();
        for _ in 0..ROUNDS {
            self.run()?;
            if self.answer_one() {
                continue;
            }
            if self.ledger.all_over() && lock(&self.world).is_settled() {
                return self.finish();
            }
            if !self.decide_a_hold(&mut retried) && !self.pass_to_next() {
                return Err(format!("this waits for nothing: {}", self.open()));
            }
        }
        Err(format!("this does not end: {}", self.open()))
    }

    /// Half of the time the newest process goes on; else another one takes
    /// over.
    fn let_one_process_live(&mut self) {
        let keeps = self.chance.percent(50);
        while let Some(ix) = self.processes.iter().position(|p| p.superseded || !keeps) {
            self.kill(ix);
        }
        if self.processes.is_empty() {
            self.start_process();
        }
    }

    fn answer_one(&mut self) -> bool {
        let mut world = lock(&self.world);
        if world.calls.is_empty() {
            return false;
        }
        let call = world.calls.remove(0);
        world.settle(call, Fate::Done, &mut self.chance);
        true
    }

    fn pass_to_next(&mut self) -> bool {
        let mut world = lock(&self.world);
        let next = world.next_instant();
        next.inspect(|&next| world.advance(next)).is_some()
    }

    fn open(&self) -> String {
        let logs = self.ledger.logs.values().map(|log| log.newest());
        let open = logs.filter(|execution| !execution.state().is_terminal());
        let lines: Vec<String> = open
            .map(|execution| {
                let (id, state) = (execution.id(), execution.state());
                let (wanted, next) = (execution.outstanding(), execution.next_deadline());
                format!("{id} {state:?} {wanted:?} {next:?}")
            })
            .collect();
        lines.join("; ")
    }

    /// A person goes on, retries a failed wave once, and then skips it.
    fn decide_a_hold(&mut self, retried: &mut BTreeMap<(ExecutionId, WaveIx), u32>) -> bool {
        if self.newest().is_none() || self.people.is_waiting() {
            return false;
        }
        let logs = self.ledger.logs.values().map(|log| log.newest());
        let mut paused = logs.filter(|execution| execution.state() == ExecutionState::Paused);
        let Some((execution, event)) = paused.find_map(|execution| {
            let event = decision(execution, retried)?;
            Some((execution.id().clone(), event))
        }) else {
            return false;
        };
        let ix = self.people.wish(Wish::Steer { execution, event });
        self.send(ix);
        true
    }

    /// Everything is over: every watcher heard all of it, another process
    /// reads the same, DRS agrees, and nothing is left to do.
    fn finish(&mut self) -> Result<(), String> {
        self.quiesce()?;
        let ids: Vec<ExecutionId> = self.ledger.logs.keys().cloned().collect();
        for id in &ids {
            self.watch_one(id);
        }
        self.quiesce()?;
        self.watchers.check(&self.ledger, true)?;
        self.kill(0);
        self.start_process();
        self.quiesce()?;
        self.reads_the_same(&ids)?;
        let world = lock(&self.world);
        for log in self.ledger.logs.values() {
            agrees(log.newest(), &world.truth)?;
        }
        Ok(())
    }

    /// Until nothing is waited for any more.
    fn quiesce(&mut self) -> Result<(), String> {
        for _ in 0..LEFTOVERS {
            self.run()?;
            if !self.answer_one() && !self.pass_to_next() {
                return Ok(());
            }
        }
        let world = lock(&self.world);
        let calls: Vec<String> = world.calls.iter().map(ToString::to_string).collect();
        Err(format!("all is over, and something goes on: {calls:?}"))
    }

    /// What a fresh process reads from the journal is what was folded here.
    fn reads_the_same(&mut self, ids: &[ExecutionId]) -> Result<(), String> {
        let process = self.processes.last();
        let Some((process, driver)) = process.and_then(|p| Some((p, p.driver()?))) else {
            return Err("a fresh process does not start".to_owned());
        };
        for id in ids {
            let newest = self.ledger.logs[id].newest().clone();
            let (driver, world, id) = (driver.clone(), self.world.clone(), id.clone());
            process.spawn(async move {
                match driver.view(&id).await {
                    Ok(view) if *view.execution == newest => {}
                    Ok(_) => lock(&world).fail(format!("{id} reads as another state")),
                    Err(error) => lock(&world).fail(format!("{id} cannot be read: {error}")),
                }
            });
        }
        self.quiesce()
    }
}

pub(crate) fn decision(
    execution: &Execution,
    retried: &mut BTreeMap<(ExecutionId, WaveIx), u32>,
) -> Option<Event> {
    if execution.allows(Action::Resume) {
        return Some(Event::Resume);
    }
    let holds = execution.holds().iter();
    let wave = holds.filter_map(|hold| hold.cause.wave()).next()?;
    let times = retried.entry((execution.id().clone(), wave)).or_default();
    *times += 1;
    if *times == 1 && execution.allows(Action::RetryWave(wave)) {
        return Some(Event::RetryWave(wave));
    }
    execution
        .allows(Action::SkipWave(wave))
        .then_some(Event::SkipWave(wave))
}

/// What an execution ended with is what DRS says of its jobs.
pub(crate) fn agrees(execution: &Execution, truth: &Truth) -> Result<(), String> {
    for (wave_ix, wave) in (0..).map(WaveIx).zip(execution.waves()) {
        for (ix, launch) in (0..).map(LaunchIx).zip(wave.launches()) {
            let key = execution.launch_key(wave_ix, ix);
            let Some(id) = launch.state.job() else {
                if let Some(job) = truth.jobs_of(&key).next() {
                    return Err(format!(
                        "{key} is {:?}, and DRS has {:?}",
                        launch.state, job.id
                    ));
                }
                continue;
            };
            let Some(job) = truth.job(&launch.target, id) else {
                return Err(format!("{key} has an unknown job"));
            };
            for server in wave.servers().iter().filter(|s| s.launch == Some(ix)) {
                let server_id = server.selected.id.as_str();
                let parts = job.participants.iter();
                let part = parts
                    .into_iter()
                    .find(|part| part.source_server.as_str() == server_id);
                let really = part.map(|part| match part.status {
                    LaunchStatus::Launched => ServerState::Launched,
                    LaunchStatus::Terminated => ServerState::Terminated,
                    LaunchStatus::Failed
                    | LaunchStatus::Pending
                    | LaunchStatus::InProgress
                    | LaunchStatus::Unlisted => ServerState::Failed,
                });
                if really != Some(server.state) {
                    let state = server.state;
                    return Err(format!(
                        "{key}: {server_id} is {state:?}, really {really:?}"
                    ));
                }
            }
        }
    }
    Ok(())
}
