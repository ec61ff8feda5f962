//! One life of a world: what may happen, happens in an order that the seed
//! picks, and every rule is checked after every step.

use std::sync::{Arc, Mutex};

use tidegate_core::{
    ExecutionId, OwnerId, Span, WaveIx,
    engine::{Action, Event, Kind},
};

use crate::{
    chance::Chance,
    errors::Errors,
    ledger::Ledger,
    people::{People, Wish},
    process::{Bug, Process, engine_settings},
    swarm::Swarm,
    watchers::Watchers,
    world::{SharedWorld, World, lock},
};

/// Longest time that a process stands still.
const STALL: u64 = 15_000;

pub(crate) struct Simulation {
    seed: u64,
    bug: Option<Bug>,
    pub(crate) world: SharedWorld,
    pub(crate) chance: Chance,
    swarm: Swarm,
    pub(crate) processes: Vec<Process>,
    started: u32,
    /// What was not over when the newest process was started.
    found: Vec<ExecutionId>,
    pub(crate) ledger: Ledger,
    pub(crate) people: People,
    pub(crate) watchers: Watchers,
    errors: Errors,
    starts: u64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Answer,
    Time,
    Ask,
    Repeat,
    Watch,
    Crash,
    Start,
    Second,
    Stop,
}

impl Simulation {
    pub(crate) fn new(seed: u64, bug: Option<Bug>, errors: Errors) -> Self {
        let mut chance = Chance::of(seed, 0);
        let world = World::new(&mut chance);
        let swarm = Swarm::new(&mut chance);
        Self {
            seed,
            bug,
            world: Arc::new(Mutex::new(world)),
            swarm,
            chance,
            processes: Vec::new(),
            started: 0,
            found: Vec::new(),
            ledger: Ledger::new(engine_settings(bug)),
            people: People::default(),
            watchers: Watchers::default(),
            errors,
            starts: 0,
        }
    }

    /// Until all steps are done, or a rule is broken.
    pub(crate) fn live(&mut self) -> Result<(), String> {
        for _ in 0..self.swarm.steps {
            let step = self.choose();
            self.take(step);
            self.run()?;
        }
        Ok(())
    }

    fn choose(&mut self) -> Step {
        let calls = !lock(&self.world).calls.is_empty();
        let newest = self.processes.iter().any(|process| !process.superseded);
        // Who starts is to find every execution that was begun.
        let stopping = self.processes.iter().any(|process| process.stopping);
        let ready = self.newest().is_some();
        let swarm = &self.swarm;
        let when = |possible: bool, weight: u64| if possible { weight } else { 0 };
        let asks = self.people.count() < 60;
        let steps = [
            (when(calls, 60), Step::Answer),
            (swarm.time, Step::Time),
            (when(ready && asks, swarm.ask), Step::Ask),
            (
                when(ready && self.people.count() > 0, swarm.repeat),
                Step::Repeat,
            ),
            (when(ready && !self.ledger.logs.is_empty(), 2), Step::Watch),
            (when(newest, swarm.crash), Step::Crash),
            (when(!newest && !stopping, 20), Step::Start),
            (when(ready, swarm.stop), Step::Stop),
            (
                when(
                    ready && !self.people.is_starting() && self.owns_all(),
                    swarm.second,
                ),
                Step::Second,
            ),
        ];
        self.chance.weighted(&steps)
    }

    /// Whether the newest process has taken over everything. One process takes
    /// over at a time: who comes last of several is a matter of leases, which
    /// the gateway does not have.
    fn owns_all(&self) -> bool {
        let name = format!("p{}", self.started);
        self.found.iter().all(|id| {
            let execution = self.ledger.logs[id].newest();
            let owner = execution.owner().map(OwnerId::as_str);
            execution.state().is_terminal() || owner == Some(&name)
        })
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Answer => self.answer(),
            Step::Time => self.pass_time(),
            Step::Ask => self.ask(),
            Step::Repeat => {
                let ix = self.chance.index(self.people.count());
                self.send(ix);
            }
            Step::Watch => self.watch(),
            Step::Crash => self.crash(),
            Step::Start => self.start_process(),
            Step::Stop => self.stop(),
            Step::Second => self.start_second(),
        }
    }

    /// Mostly the oldest call: answers overtake each other, but not for ever.
    fn answer(&mut self) {
        let mut world = lock(&self.world);
        let len = world.calls.len();
        let ix = if self.chance.percent(60) {
            0
        } else {
            self.chance.index(len)
        };
        let call = world.calls.remove(ix);
        let fate = self.swarm.fate(&call.what, &mut self.chance);
        world.settle(call, fate, &mut self.chance);
    }

    fn pass_time(&mut self) {
        let mut world = lock(&self.world);
        let now = world.now;
        // What must have met its fate by now does so first.
        if let Some(ix) = world.calls.iter().position(|call| call.deadline <= now) {
            let call = world.calls.remove(ix);
            let fate = self.swarm.fate(&call.what, &mut self.chance);
            world.settle(call, fate, &mut self.chance);
            return;
        }
        let to = match (self.chance.percent(70), world.next_instant()) {
            (true, Some(next)) => next,
            (true, None) | (false, _) => now + Span::from_millis(self.chance.between(1, 20_000)),
        };
        world.advance(to);
    }

    /// The process that people are sent to.
    pub(crate) fn newest(&self) -> Option<&Process> {
        let now = lock(&self.world).now;
        let newest = self.processes.last()?;
        let reachable = !newest.superseded && !newest.is_stalled(now) && newest.driver().is_some();
        reachable.then_some(newest)
    }

    fn ask(&mut self) {
        let wish = match self.ledger.any(&mut self.chance) {
            Some(execution) if self.starts >= self.swarm.starts || self.chance.percent(75) => {
                self.steer(execution)
            }
            Some(_) | None if self.starts < self.swarm.starts => {
                self.starts += 1;
                Wish::Start {
                    plan: self.seed.wrapping_mul(31) + self.chance.below(4),
                    kind: self
                        .chance
                        .pick(&[Kind::Drill, Kind::Drill, Kind::Recovery]),
                    source: None,
                }
            }
            Some(_) | None => return,
        };
        let ix = self.people.wish(wish);
        self.send(ix);
    }

    /// What somebody wants of an execution: mostly what it allows.
    fn steer(&mut self, execution: ExecutionId) -> Wish {
        let newest = self.ledger.logs[&execution].newest();
        let allowed = newest.allowed_actions();
        let waves = newest.plan().waves().len() as u64;
        let wave = WaveIx(u16::try_from(self.chance.below(waves)).expect("few waves"));
        let comment = "".into();
        let event = if self.chance.percent(85) && !allowed.is_empty() {
            match allowed[self.chance.index(allowed.len())] {
                Action::Pause => Event::Pause { comment },
                Action::Resume => Event::Resume,
                // An end is not worth much.
                Action::Cancel if self.chance.percent(70) => Event::Resume,
                Action::Cancel => Event::Cancel { comment },
                Action::RetryWave(wave) => Event::RetryWave(wave),
                Action::SkipWave(wave) if self.chance.percent(40) => Event::SkipWave(wave),
                Action::SkipWave(_) => Event::Pause { comment },
                Action::CleanUp => return self.clean_up(execution),
            }
        } else {
            match self.chance.below(5) {
                0 => Event::Pause { comment },
                1 | 2 => Event::Resume,
                3 => Event::RetryWave(wave),
                _ => Event::SkipWave(wave),
            }
        };
        Wish::Steer { execution, event }
    }

    fn clean_up(&self, execution: ExecutionId) -> Wish {
        match self.people.plan_of(&execution) {
            Some(plan) => Wish::Start {
                plan,
                kind: Kind::Cleanup,
                source: Some(execution),
            },
            None => Wish::Steer {
                execution,
                event: Event::Resume,
            },
        }
    }

    pub(crate) fn send(&mut self, ix: usize) {
        if let Some(newest) = self.newest().map(|process| process.number)
            && let Some(process) = self.processes.iter().find(|p| p.number == newest)
            && let Some(driver) = process.driver()
        {
            self.people
                .send(ix, process, driver, &self.world, &self.ledger);
        }
    }

    fn watch(&mut self) {
        if let Some(id) = self.ledger.any(&mut self.chance) {
            self.watch_one(&id);
        }
    }

    pub(crate) fn watch_one(&mut self, id: &ExecutionId) {
        if let Some(process) = self.processes.last()
            && let Some(driver) = process.driver()
        {
            self.watchers.watch(id, process, driver);
        }
    }

    /// Another one is started although this one lives, and perhaps stands
    /// still for a while.
    fn start_second(&mut self) {
        let stall = self.chance.percent(60);
        let until = lock(&self.world).now + Span::from_millis(self.chance.below(STALL));
        for process in &mut self.processes {
            process.superseded = true;
            process.stalled_until = stall.then_some(until);
        }
        self.start_process();
    }

    /// People who start something ask again when nothing comes back, and a
    /// gateway that stops is slow to answer.
    fn stop(&mut self) {
        if self.chance.percent(60) {
            for ix in self.people.starts() {
                self.send(ix);
                self.send(ix);
            }
        }
        let Some(process) = self.processes.last_mut() else {
            return;
        };
        if let Some(driver) = process.driver() {
            lock(&self.world).say(format_args!("p{} stops", process.number));
            process.superseded = true;
            process.stop(driver);
        }
    }

    fn crash(&mut self) {
        let ix = self.chance.index(self.processes.len());
        self.kill(ix);
    }

    pub(crate) fn kill(&mut self, ix: usize) {
        let process = self.processes.remove(ix);
        lock(&self.world).say(format_args!("p{} dies", process.number));
        self.people.give_up(process.number);
        process.kill(&self.world, &mut self.chance);
    }

    pub(crate) fn start_process(&mut self) {
        self.started += 1;
        let logs = self.ledger.logs.iter();
        let open = logs.filter(|(_, log)| !log.newest().state().is_terminal());
        self.found = open.map(|(id, _)| id.clone()).collect();
        let number = self.started;
        lock(&self.world).say(format_args!("p{number} starts"));
        let process = Process::start(&self.world, number, self.seed, self.bug);
        self.processes.push(process);
    }

    /// Runs every process until it waits, and checks everything.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        let now = lock(&self.world).now;
        for process in &mut self.processes {
            if process.is_stalled(now) {
                continue;
            }
            process.run();
            if process.is_new_driver()
                && let Some(driver) = process.driver()
            {
                Watchers::watch_all(process, &driver, &self.world);
            }
            let lines = self.errors.take();
            let injected = !lock(&self.world).truth.injected.is_empty();
            let mut unexpected = lines
                .iter()
                .filter(|line| !is_expected(line, process, injected));
            if let Some(line) = unexpected.next() {
                return Err(format!("p{} logs: {line}", process.number));
            }
        }
        self.bury()?;
        self.check()
    }

    /// A process whose driver did not start ends, and so does one that has
    /// stopped.
    fn bury(&mut self) -> Result<(), String> {
        while let Some(ix) = self.processes.iter().position(Process::has_stopped) {
            let number = self.processes[ix].number;
            if lock(&self.world).is_changing(number) {
                return Err(format!("p{number} has stopped, and has not heard of DRS"));
            }
            self.kill(ix);
        }
        while let Some(ix) = self.processes.iter().position(|p| p.failure().is_some()) {
            let why = self.processes[ix].failure().unwrap_or_default();
            lock(&self.world).say(format_args!(
                "p{} fails to start: {why}",
                self.processes[ix].number
            ));
            self.kill(ix);
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), String> {
        let mut world = lock(&self.world);
        world.tidy();
        self.ledger.read(&mut world)?;
        let newest = self.started;
        for heard in std::mem::take(&mut world.answers) {
            let mut processes = self.processes.iter();
            let stopping = processes.any(|p| p.number == heard.process && p.stopping);
            self.people
                .hear(heard, newest, stopping, &self.ledger, &mut world)?;
        }
        for (_, order) in std::mem::take(&mut world.arrived) {
            self.people.arrived(&order, &self.ledger)?;
        }
        self.people.keep(&self.ledger)?;
        world.one_job_a_launch()?;
        self.watchers.check(&self.ledger, false)?;
        world.broken.take().map_or(Ok(()), Err)
    }
}

/// An owner that was fenced off says so, and so does one who finds that the
/// world has done something twice.
fn is_expected(line: &str, process: &Process, injected: bool) -> bool {
    let fenced = [
        "this process cannot drive the execution any more",
        "a record could not be written",
    ];
    let is_fenced = process.superseded && fenced.iter().any(|known| line.starts_with(known));
    is_fenced || (injected && line.starts_with("DRS has several jobs for one launch"))
}
