//! One life of a cluster, in an order that the seed picks.

use std::sync::{Arc, Mutex};

use tidegate_core::{
    ExecutionId, OwnerId, Span,
    engine::{Action, Event, Kind},
};

use crate::{
    calls::What,
    chance::Chance,
    errors::Errors,
    ledger::Ledger,
    people::{People, Wish},
    process::{Bug, LEASE, Process, engine_settings},
    swarm::Swarm,
    watchers::Watchers,
    world::{SharedWorld, World, lock},
};

/// Members at a time.
const MEMBERS: usize = 3;
/// Requests of one life.
const REQUESTS: usize = 40;

pub(super) struct Life {
    seed: u64,
    bug: Option<Bug>,
    pub(super) world: SharedWorld,
    pub(super) chance: Chance,
    swarm: Swarm,
    pub(super) members: Vec<Process>,
    joined: u32,
    pub(super) ledger: Ledger,
    pub(super) people: People,
    pub(super) watchers: Watchers,
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
    Stall,
    Crash,
    Join,
    Leave,
}

impl Life {
    pub(super) fn new(seed: u64, bug: Option<Bug>, errors: Errors) -> Self {
        let mut chance = Chance::of(seed, 7);
        let world = World::new(&mut chance);
        let swarm = Swarm::new(&mut chance);
        Self {
            seed,
            bug,
            world: Arc::new(Mutex::new(world)),
            swarm,
            chance,
            members: Vec::new(),
            joined: 0,
            ledger: Ledger::new(engine_settings(bug)),
            people: People::default(),
            watchers: Watchers::default(),
            errors,
            starts: 0,
        }
    }

    /// Until all steps are done, or a rule is broken.
    pub(super) fn live(&mut self) -> Result<(), String> {
        // Members talk to their table all the time.
        for _ in 0..self.swarm.steps * 4 {
            let step = self.choose();
            self.take(step);
            self.run()?;
        }
        Ok(())
    }

    fn choose(&mut self) -> Step {
        let (calls, intends, tells) = {
            let calls = &lock(&self.world).calls;
            (
                !calls.is_empty(),
                calls.iter().any(|call| call.what.intends()),
                calls.iter().any(|call| call.what.tells()),
            )
        };
        let count = self.members.len();
        let when = |possible: bool, weight: u64| if possible { weight } else { 0 };
        let asks = self.people.count() < REQUESTS;
        let knows = !self.ledger.logs.is_empty();
        let swarm = &self.swarm;
        let steps = [
            (when(calls, 240), Step::Answer),
            (swarm.time * 2, Step::Time),
            (when(count > 0 && asks, swarm.ask), Step::Ask),
            (
                when(count > 0 && self.people.count() > 0, swarm.repeat),
                Step::Repeat,
            ),
            (when(count > 0 && knows, 2), Step::Watch),
            // These seldom meet what they break, unless they are made to.
            (when(count > 0, if intends { 8 } else { 1 }), Step::Stall),
            (
                when(count > 0, swarm.crash * if tells { 6 } else { 1 }),
                Step::Crash,
            ),
            (when(count < MEMBERS, 4), Step::Join),
            (when(count > 1, swarm.stop), Step::Leave),
        ];
        self.chance.weighted(&steps)
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
            Step::Watch => {
                if let Some(id) = self.ledger.any(&mut self.chance) {
                    self.watch(&id);
                }
            }
            Step::Stall => self.stall(),
            Step::Crash => {
                let ix = self.one_that_waits_for(What::tells);
                self.kill(ix);
            }
            Step::Join => self.join(),
            Step::Leave => self.leave(),
        }
    }

    fn answer(&mut self) {
        let len = lock(&self.world).calls.len();
        let ix = match self.chance.percent(60) {
            true => 0,
            false => self.chance.index(len),
        };
        self.settle(ix);
    }

    fn settle(&mut self, ix: usize) {
        let mut world = lock(&self.world);
        let call = world.calls.remove(ix);
        let fate = self.swarm.fate(&call.what, &mut self.chance);
        world.settle(call, fate, &mut self.chance);
    }

    fn pass_time(&mut self) {
        let mut world = lock(&self.world);
        let now = world.now;
        // What must have met its fate by now does so first.
        if let Some(ix) = world.calls.iter().position(|call| call.deadline <= now) {
            drop(world);
            return self.settle(ix);
        }
        let to = match (self.chance.percent(70), world.next_instant()) {
            (true, Some(next)) => next,
            (true, None) | (false, _) => now + Span::from_millis(self.chance.between(1, 20_000)),
        };
        world.advance(to);
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
                    kind: Kind::Drill,
                    source: None,
                }
            }
            Some(_) | None => return,
        };
        let ix = self.people.wish(wish);
        self.send(ix);
    }

    /// What somebody wants of an execution: something that it allows.
    fn steer(&mut self, execution: ExecutionId) -> Wish {
        let allowed = self.ledger.logs[&execution].newest().allowed_actions();
        let comment = "".into();
        let event = match allowed.get(self.chance.index(allowed.len().max(1))) {
            Some(Action::Pause) => Event::Pause { comment },
            Some(Action::Cancel) if self.chance.percent(20) => Event::Cancel { comment },
            Some(Action::RetryWave(wave)) => Event::RetryWave(*wave),
            Some(Action::SkipWave(wave)) => Event::SkipWave(*wave),
            Some(Action::Cancel | Action::Resume | Action::CleanUp) | None => Event::Resume,
        };
        Wish::Steer { execution, event }
    }

    /// Any member that answers.
    pub(super) fn any(&mut self) -> Option<usize> {
        let now = lock(&self.world).now;
        let members = self.members.iter().enumerate();
        let ready: Vec<usize> = members
            .filter(|(_, it)| !it.stopping && !it.is_stalled(now) && it.driver().is_some())
            .map(|(ix, _)| ix)
            .collect();
        (!ready.is_empty()).then(|| ready[self.chance.index(ready.len())])
    }

    pub(super) fn send(&mut self, request: usize) {
        if let Some(ix) = self.any()
            && let Some(driver) = self.members[ix].driver()
        {
            let (world, ledger) = (&self.world, &self.ledger);
            self.people
                .send(request, &self.members[ix], driver, world, ledger);
        }
    }

    pub(super) fn watch(&mut self, id: &ExecutionId) {
        if let Some(ix) = self.any()
            && let Some(driver) = self.members[ix].driver()
        {
            self.watchers.watch(id, &self.members[ix], driver);
        }
    }

    /// A member; mostly one that waits for such an answer, since what happens
    /// then is what breaks things.
    fn one_that_waits_for(&mut self, is_it: impl Fn(&What) -> bool) -> usize {
        let waiting: Vec<usize> = {
            let world = lock(&self.world);
            let members = self.members.iter().enumerate();
            let waiting = members.filter(|(_, member)| {
                let mut calls = world.calls.iter();
                calls.any(|call| call.process == member.number && is_it(&call.what))
            });
            waiting.map(|(ix, _)| ix).collect()
        };
        match waiting.is_empty() || self.chance.percent(30) {
            true => self.chance.index(self.members.len()),
            false => waiting[self.chance.index(waiting.len())],
        }
    }

    /// As a machine that hangs: until its leases are about to end, or are over
    /// long since.
    fn stall(&mut self) {
        let ix = self.one_that_waits_for(What::intends);
        let lease = u64::try_from(LEASE.as_millis()).expect("it is short");
        let lasts = match self.chance.percent(50) {
            true => self.chance.between(lease / 2, lease),
            false => self.chance.below(3 * lease),
        };
        let mut world = lock(&self.world);
        let until = world.now + Span::from_millis(lasts);
        let member = &mut self.members[ix];
        member.stalled_until = Some(until);
        world.say(format_args!("p{} stands still", member.number));
    }

    fn leave(&mut self) {
        if let Some(ix) = self.any()
            && let Some(driver) = self.members[ix].driver()
        {
            let member = &mut self.members[ix];
            lock(&self.world).say(format_args!("p{} stops", member.number));
            member.stop(driver);
        }
    }

    pub(super) fn join(&mut self) {
        self.joined += 1;
        let number = self.joined;
        lock(&self.world).say(format_args!("p{number} joins"));
        let mut member = Process::join(&self.world, number, self.seed, self.bug);
        // Each may be fenced off.
        member.superseded = true;
        self.members.push(member);
    }

    fn kill(&mut self, ix: usize) {
        let member = self.members.remove(ix);
        lock(&self.world).say(format_args!("p{} dies", member.number));
        self.people.give_up(member.number);
        member.kill(&self.world, &mut self.chance);
    }

    pub(super) fn end(&mut self) {
        while !self.members.is_empty() {
            self.kill(0);
        }
    }

    /// Runs every member until it waits, and checks everything.
    pub(super) fn run(&mut self) -> Result<(), String> {
        let now = lock(&self.world).now;
        for member in self.members.iter().filter(|it| !it.is_stalled(now)) {
            member.run();
            let injected = !lock(&self.world).truth.injected.is_empty();
            let lines = self.errors.take();
            let mut lines = lines.iter();
            if let Some(line) = lines.find(|line| !is_expected(line, injected)) {
                return Err(format!("p{} logs: {line}", member.number));
            }
        }
        let is_gone = |it: &Process| it.has_stopped() || it.failure().is_some();
        while let Some(ix) = self.members.iter().position(is_gone) {
            self.kill(ix);
        }
        self.check()
    }

    fn check(&mut self) -> Result<(), String> {
        let mut world = lock(&self.world);
        world.tidy();
        self.ledger.read(&mut world)?;
        for heard in std::mem::take(&mut world.answers) {
            // None of them is the one that people are sent to.
            let (newest, stopping) = (u32::MAX, true);
            self.people
                .hear(heard, newest, stopping, &self.ledger, &mut world)?;
        }
        for (member, order) in std::mem::take(&mut world.arrived) {
            self.people.arrived(&order, &self.ledger)?;
            acts_for_itself(member, order.key(), &self.ledger)?;
        }
        self.people.keep(&self.ledger)?;
        world.one_job_a_launch()?;
        self.watchers.check(&self.ledger, false)?;
        world.broken.take().map_or(Ok(()), Err)
    }
}

/// DRS is asked only by a member that nobody has taken the execution from.
fn acts_for_itself(member: u32, key: &str, ledger: &Ledger) -> Result<(), String> {
    let execution = key.split('/').next().unwrap_or_default();
    let log = ledger.logs.get(execution);
    let owner = log.and_then(|log| log.newest().owner().map(OwnerId::as_str));
    match owner {
        Some(owner) if owner != format!("p{member}") => {
            Err(format!("p{member} asks for {key}, which {owner} drives"))
        }
        Some(_) | None => Ok(()),
    }
}

/// An owner that was fenced off says so, and so does one who finds that the
/// world has done something twice.
fn is_expected(line: &str, injected: bool) -> bool {
    let fenced = [
        "this process cannot drive the execution any more",
        "a record could not be written",
    ];
    fenced.iter().any(|known| line.starts_with(known))
        || (injected && line.starts_with("DRS has several jobs for one launch"))
}
