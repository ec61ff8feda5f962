//! The faults end: calls are answered, time runs on, and people decide
//! whatever waits for them. Then every execution ends as DRS says.

use std::collections::BTreeMap;

use tidegate_core::{
    ExecutionId, LaunchIx, WaveIx,
    engine::{Action, Event, Execution, ExecutionState, ServerState},
};
use tidegate_emulator::model::LaunchStatus;
use tidegate_gateway::driver::Driver;

use crate::{
    ledger::{Ledger, Log},
    people::Wish,
    process::Process,
    simulation::Simulation,
    truth::Truth,
    world::{SharedWorld, lock},
};

/// How often each failed wave was retried.
pub(crate) type Retried = BTreeMap<(ExecutionId, WaveIx), u32>;

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
            if lock(&self.world).answer_oldest(&mut self.chance) {
                continue;
            }
            if self.ledger.all_over() && lock(&self.world).is_settled() {
                return self.finish();
            }
            if !self.decide_a_hold(&mut retried) && !lock(&self.world).pass_to_next() {
                return Err(format!("this waits for nothing: {}", self.ledger.open()));
            }
        }
        Err(format!("this does not end: {}", self.ledger.open()))
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

    fn decide_a_hold(&mut self, retried: &mut Retried) -> bool {
        if self.newest().is_none() || self.people.is_waiting() {
            return false;
        }
        let wish = decision(&self.ledger, retried);
        if let Some(wish) = wish.clone() {
            let ix = self.people.wish(wish);
            self.send(ix);
        }
        wish.is_some()
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
        for process in &self.processes {
            nothing_is_in_use(process)?;
        }
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
            if !lock(&self.world).answer_oldest(&mut self.chance)
                && !lock(&self.world).pass_to_next()
            {
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
        reads_the_same(process, &driver, (&self.world, &self.ledger), ids);
        self.quiesce()
    }
}

/// What a person decides about an execution that waits for one: to go on, to
/// retry a failed wave once, and then to skip it.
pub(crate) fn decision(ledger: &Ledger, retried: &mut Retried) -> Option<Wish> {
    let logs = ledger.logs.values().map(Log::newest);
    let mut paused = logs.filter(|execution| execution.state() == ExecutionState::Paused);
    paused.find_map(|execution| {
        let event = decision_on(execution, retried)?;
        let execution = execution.id().clone();
        Some(Wish::Steer { execution, event })
    })
}

fn decision_on(execution: &Execution, retried: &mut Retried) -> Option<Event> {
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

/// What a process reads is what was folded here; it fails the world if not.
pub(crate) fn reads_the_same(
    process: &Process,
    driver: &Driver,
    (world, ledger): (&SharedWorld, &Ledger),
    ids: &[ExecutionId],
) {
    for id in ids {
        let newest = ledger.logs[id].newest().clone();
        let (driver, world, id) = (driver.clone(), world.clone(), id.clone());
        process.spawn(async move {
            match driver.view(&id).await {
                Ok(view) if *view.execution == newest => {}
                Ok(_) => lock(&world).fail(format!("{id} reads as another state")),
                Err(error) => lock(&world).fail(format!("{id} cannot be read: {error}")),
            }
        });
    }
}

/// When everything is over, no process counts a job that runs.
pub(crate) fn nothing_is_in_use(process: &Process) -> Result<(), String> {
    let in_use = process.driver().map_or_else(Vec::new, |it| it.in_use());
    match in_use.iter().find(|it| it.jobs > 0 || it.servers > 0) {
        Some(it) => Err(format!("p{} keeps room: {it:?}", process.number)),
        None => Ok(()),
    }
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
