//! What one account and Region has room for, what is in use there, and who is
//! next. Pure: it is told the time, and touches nothing.
//!
//! The order is that of start-time fair queueing: an execution that waits has
//! a tag, which grows by the cost of each launch that it is granted; the
//! lowest tag is next, and whoever comes new begins at the tag that was
//! served last. So a plan of one server is served before a plan of thousands
//! takes its next turn, and nobody gathers credit by being idle. Classes are
//! strict, and within one execution it is first come, first served.
//!
//! A launch that is too large for what is free is passed over by those behind
//! it, but not more than [`PATIENCE`] times: then room is gathered for it.

mod line;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
};

use tidegate_core::{ExecutionId, LaunchIx, Timestamp, WaveIx, engine::Quota};

use super::{
    belief::{Belief, Probing},
    limits::{InUse, Limits, Place},
};

/// How often a launch is passed over by others before it holds them up.
const PATIENCE: u32 = 16;

/// A launch within its execution.
pub(super) type Part = (WaveIx, LaunchIx);

/// A launch of any execution.
pub(super) type Ticket = (ExecutionId, Part);

/// Whose launches go first; the greater class does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    pub(super) priority: tidegate_core::plan::Priority,
    pub(super) is_recovery: bool,
}

/// What a launch needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Its turn.
    Turn,
    /// Room: DRS was asked, and may have a job for it.
    Asked,
    /// Room: DRS has a job for it.
    Runs,
}

/// A launch's need, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) need: Need,
    pub(super) servers: u32,
}

/// One account and Region.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    limits: Limits,
    belief: Belief,
    /// Whether turns are given: the limits are known as well as they will be.
    is_open: bool,
    parties: BTreeMap<ExecutionId, Party>,
    /// Tags of executions that need nothing here now, as far as they are ahead
    /// of the others: what such an execution had is not forgotten at once.
    idle: BTreeMap<ExecutionId, u64>,
    /// The tag that was served last.
    served: u64,
    /// Jobs in use, and servers in them; kept beside the parties' own.
    jobs: u32,
    servers: u32,
    waiting: usize,
}

/// One execution at this place.
#[derive(Clone, Debug)]
struct Party {
    class: Class,
    tag: u64,
    room: BTreeMap<Part, Room>,
    /// In the order of their arrival.
    waiting: Vec<Waiter>,
}

/// What a launch has.
#[derive(Clone, Copy, Debug)]
struct Room {
    servers: u32,
    /// Granted, and not yet collected.
    is_reserved: bool,
    is_running: bool,
}

#[derive(Clone, Copy, Debug)]
struct Waiter {
    part: Part,
    servers: u32,
    passed_over: u32,
    /// It had a turn already, which came to nothing.
    is_back: bool,
}

/// Who is next, and who is passed over for it.
struct Choice {
    execution: ExecutionId,
    passed: Vec<ExecutionId>,
    is_probe: bool,
}

impl Ledger {
    pub(super) fn new(limits: Limits, probing: Probing) -> Self {
        Self {
            limits,
            belief: Belief::new(probing),
            is_open: true,
            parties: BTreeMap::new(),
            idle: BTreeMap::new(),
            served: 0,
            jobs: 0,
            servers: 0,
            waiting: 0,
        }
    }

    /// The same, giving no turns until it is opened.
    pub(super) fn closed(self) -> Self {
        Self {
            is_open: false,
            ..self
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) fn open(&mut self) {
        self.is_open = true;
    }

    /// Other limits hold from now on; answers whether they are others. What
    /// DRS was heard to refuse holds below them as before.
    pub(super) fn limit(&mut self, limits: Limits) -> bool {
        std::mem::replace(&mut self.limits, limits) != limits
    }

    /// What an execution needs here from now on; what it does not name is
    /// given back. Room that DRS may have given is never disputed, also above
    /// a limit.
    pub(super) fn declare(
        &mut self,
        execution: &ExecutionId,
        class: Class,
        wanted: &BTreeMap<Part, Wanted>,
        now: Timestamp,
    ) {
        let mut party = self.take(execution, class);
        party.class = class;
        let given_back: Vec<Part> = party
            .room
            .keys()
            .filter(|part| !wanted.contains_key(part))
            .copied()
            .collect();
        for part in given_back {
            self.give_back(&mut party, part, now);
        }
        party.waiting.retain(|waiter| {
            wanted
                .get(&waiter.part)
                .is_some_and(|wanted| wanted.need == Need::Turn)
        });
        for (&part, &wanted) in wanted {
            match wanted.need {
                Need::Turn => self.wait(&mut party, part, wanted.servers, now),
                Need::Asked | Need::Runs => self.occupy(execution, &mut party, part, wanted, now),
            }
        }
        self.put(execution.clone(), party);
    }

    /// The execution is over: nothing of it is remembered.
    pub(super) fn leave(&mut self, execution: &ExecutionId, class: Class, now: Timestamp) {
        if self.parties.contains_key(execution) {
            self.declare(execution, class, &BTreeMap::new(), now);
        }
        self.idle.remove(execution);
    }

    /// Gives turns as long as there is room; answers to whom.
    pub(super) fn give_turns(&mut self, now: Timestamp) -> Vec<Ticket> {
        let mut given = Vec::new();
        while let Some(choice) = self.choose(now) {
            for execution in &choice.passed {
                if let Some(first) = self.first_waiter(execution) {
                    first.passed_over += 1;
                }
            }
            given.extend(self.grant(&choice, now));
        }
        given
    }

    /// Turns of an execution that it has not used yet.
    pub(super) fn turns_of(&self, execution: &ExecutionId) -> Vec<Part> {
        let rooms = self.parties.get(execution).map(|party| &party.room);
        let rooms = rooms.into_iter().flatten();
        rooms
            .filter(|(_, room)| room.is_reserved)
            .map(|(part, _)| *part)
            .collect()
    }

    /// What is in use, and what may be.
    pub(super) fn in_use(&self, place: &Place) -> InUse {
        InUse {
            place: place.clone(),
            jobs: self.jobs,
            most_jobs: self.belief.jobs(self.limits.jobs),
            servers: self.servers,
            most_servers: self.belief.servers(self.limits.servers),
        }
    }

    /// Most servers in one job.
    pub(super) fn most_per_job(&self) -> u32 {
        let configured = self.limits.servers_per_job.min(self.limits.servers);
        self.belief.per_job(configured).max(1)
    }

    /// Launches that wait and must come back in parts, which only a decision
    /// of their executions brings about.
    pub(super) fn too_large(&self) -> Vec<Ticket> {
        let most = self.most_per_job();
        let waiting = self.parties.iter().flat_map(|(execution, party)| {
            let large = party.waiting.iter().filter(|it| it.servers > most);
            large.map(|waiter| (execution.clone(), waiter.part))
        });
        waiting.collect()
    }

    /// DRS said that a quota is full, of a launch that had its turn: it waits
    /// again, as though it had not had it.
    pub(super) fn exceeded(&mut self, ticket: &Ticket, quota: Quota, now: Timestamp) {
        let (execution, part) = ticket;
        let Some(mut party) = self.parties.remove(execution) else {
            return;
        };
        self.waiting -= party.waiting.len();
        if let Some(Room { servers, .. }) = party.room.get(part).copied() {
            self.give_back(&mut party, *part, now);
            party.tag = party.tag.saturating_sub(self.cost(servers));
            party.take_back(*part, servers);
            let used = (self.jobs, self.servers);
            self.belief.exceeded(ticket, quota, used, servers, now);
        }
        self.put(execution.clone(), party);
    }

    /// When more is tried than DRS is believed to allow, if somebody waits
    /// for that.
    pub(super) fn next_probe(&self) -> Option<Timestamp> {
        let at = self.belief.probe_at()?;
        let has_room = self.jobs < self.limits.jobs && self.servers < self.limits.servers;
        (self.waiting > 0 && has_room).then_some(at)
    }

    /// A probe was due, and nobody could use it.
    pub(super) fn postpone_probe(&mut self, now: Timestamp) {
        if self.next_probe().is_some_and(|at| at <= now) {
            self.belief.postpone(now);
        }
    }

    /// A job takes as much as the servers that a job has on average when both
    /// limits are reached.
    fn cost(&self, servers: u32) -> u64 {
        let share = self.limits.servers / self.limits.jobs.max(1);
        u64::from(servers.max(share).max(1))
    }

    fn choose(&self, now: Timestamp) -> Option<Choice> {
        let probes = self.belief.may_probe(now);
        let jobs = if probes {
            self.limits.jobs
        } else {
            self.belief.jobs(self.limits.jobs)
        };
        if !self.is_open || self.waiting == 0 || self.jobs >= jobs {
            return None;
        }
        let mut heads: Vec<(Reverse<Class>, u64, &ExecutionId, Waiter)> = self
            .parties
            .iter()
            .filter_map(|(execution, party)| {
                let first = *party.waiting.first()?;
                Some((Reverse(party.class), party.tag, execution, first))
            })
            .collect();
        heads.sort_by_key(|(class, tag, execution, _)| (*class, *tag, *execution));
        let mut passed = Vec::new();
        for (_, _, execution, first) in heads {
            if first.servers > self.most_per_job() {
                // It is to come back in parts.
                continue;
            }
            let fits = self.fits(first.servers);
            let is_probe = !fits && probes && passed.is_empty() && self.may_fit(first.servers);
            if fits || is_probe {
                let execution = execution.clone();
                return Some(Choice {
                    execution,
                    passed,
                    is_probe,
                });
            }
            if first.passed_over >= PATIENCE {
                return None;
            }
            passed.push(execution.clone());
        }
        None
    }

    /// Whether there is room as far as is known.
    fn fits(&self, servers: u32) -> bool {
        self.jobs < self.belief.jobs(self.limits.jobs)
            && self.servers.saturating_add(servers) <= self.belief.servers(self.limits.servers)
    }

    /// Whether there would be room if DRS had no jobs but ours.
    fn may_fit(&self, servers: u32) -> bool {
        self.jobs < self.limits.jobs && self.servers.saturating_add(servers) <= self.limits.servers
    }

    fn grant(&mut self, choice: &Choice, now: Timestamp) -> Option<Ticket> {
        let party = self.parties.get_mut(&choice.execution)?;
        let waiter = party.waiting.remove(0);
        let room = Room {
            servers: waiter.servers,
            is_reserved: true,
            is_running: false,
        };
        party.room.insert(waiter.part, room);
        if party.tag > self.served {
            self.served = party.tag;
            let served = self.served;
            self.idle.retain(|_, tag| *tag > served);
        }
        let cost = self.cost(waiter.servers);
        self.parties.get_mut(&choice.execution)?.tag += cost;
        self.waiting -= 1;
        self.jobs += 1;
        self.servers += waiter.servers;
        let ticket = (choice.execution.clone(), waiter.part);
        if choice.is_probe {
            self.belief.probe(ticket.clone(), now);
        }
        Some(ticket)
    }

    fn first_waiter(&mut self, execution: &ExecutionId) -> Option<&mut Waiter> {
        self.parties.get_mut(execution)?.waiting.first_mut()
    }

    /// Takes a party out, so that it and the sums can be changed together.
    fn take(&mut self, execution: &ExecutionId, class: Class) -> Party {
        let party = self.parties.remove(execution).unwrap_or_else(|| Party {
            class,
            tag: self.idle.remove(execution).unwrap_or(self.served),
            room: BTreeMap::new(),
            waiting: Vec::new(),
        });
        self.waiting -= party.waiting.len();
        party
    }

    fn put(&mut self, execution: ExecutionId, party: Party) {
        self.waiting += party.waiting.len();
        if !party.room.is_empty() || !party.waiting.is_empty() {
            self.parties.insert(execution, party);
        } else if party.tag > self.served {
            self.idle.insert(execution, party.tag);
        }
    }

    fn wait(&mut self, party: &mut Party, part: Part, servers: u32, now: Timestamp) {
        match party.room.get(&part) {
            Some(room) if room.is_reserved => return,
            Some(_) => self.give_back(party, part, now),
            None => {}
        }
        if party.waiting.iter().any(|waiter| waiter.part == part) {
            return;
        }
        if party.waiting.is_empty() {
            party.tag = party.tag.max(self.served);
        }
        party.waiting.push(Waiter {
            part,
            servers,
            passed_over: 0,
            is_back: false,
        });
    }

    fn occupy(
        &mut self,
        execution: &ExecutionId,
        party: &mut Party,
        part: Part,
        wanted: Wanted,
        now: Timestamp,
    ) {
        let is_running = wanted.need == Need::Runs;
        let news = match party.room.entry(part) {
            Entry::Occupied(mut room) => {
                let room = room.get_mut();
                let news = is_running && !room.is_running;
                room.is_reserved = false;
                room.is_running = is_running;
                news
            }
            Entry::Vacant(room) => {
                room.insert(Room {
                    servers: wanted.servers,
                    is_reserved: false,
                    is_running,
                });
                self.jobs += 1;
                self.servers += wanted.servers;
                false
            }
        };
        if news {
            let ticket = (execution.clone(), part);
            let used = (self.jobs, self.servers);
            self.belief.accepted(&ticket, used, &self.limits, now);
        }
    }

    /// Gives room back; twice is once.
    fn give_back(&mut self, party: &mut Party, part: Part, now: Timestamp) {
        let Some(room) = party.room.remove(&part) else {
            return;
        };
        self.jobs -= 1;
        self.servers -= room.servers;
        if self.jobs == 0 {
            self.belief.idle(now);
        }
    }
}

impl Party {
    /// A launch is to wait before those that never had a turn.
    fn take_back(&mut self, part: Part, servers: u32) {
        let at = self.waiting.partition_point(|waiter| waiter.is_back);
        let waiter = Waiter {
            part,
            servers,
            passed_over: 0,
            is_back: true,
        };
        self.waiting.insert(at, waiter);
    }
}

#[cfg(test)]
mod tests;
