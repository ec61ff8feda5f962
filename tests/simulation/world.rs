//! The simulated world: time, DRS, the journal, and every call that waits.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::FutureExt as _;
use tidegate_core::{OwnerId, Span, Timestamp};
use tidegate_emulator::model::{Model, Seed};
use tidegate_gateway::{
    adapters::{cluster_memory::MemoryCluster, journal_memory::MemoryJournal},
    driver::{DriverError, View},
    ports::journal::{Append, Journal as _},
};
use tokio::sync::oneshot::Sender;

use crate::{
    calls::{Call, Fate, What},
    chance::Chance,
    plans,
    process::LEASE,
    trace::Trace,
    truth::{Order, Truth, instant},
};

/// When every world begins.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// Longest time that a call waits. Together with [`DELAY`], [`LAG`] and the
/// longest stall of a process it is below the settle window: what DRS was asked
/// can be seen before anybody may ask again.
const PATIENCE: Span = Span::from_secs(20);
/// Longest time after which something is done that nobody hears of.
const DELAY: Span = Span::from_secs(20);
/// Longest time after which a new job is listed.
const LAG: Span = Span::from_secs(20);

/// Partitions of the cluster, where there is one.
pub(crate) const PARTITIONS: u16 = 4;

pub(crate) type SharedWorld = Arc<Mutex<World>>;

pub(crate) fn lock(world: &SharedWorld) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) truth: Truth,
    pub(crate) journal: MemoryJournal,
    pub(crate) cluster: MemoryCluster,
    pub(crate) beats: Beats,
    pub(crate) calls: Vec<Call>,
    /// Calls that change something at DRS, which were made since the last
    /// check, with their process.
    pub(crate) arrived: Vec<(u32, Order)>,
    /// Answers that people got since the last check.
    pub(crate) answers: Vec<Heard>,
    pub(crate) trace: Trace,
    /// The first rule that was broken.
    pub(crate) broken: Option<String>,
    /// How often jobs were observed.
    pub(crate) observations: u64,
    issued: u64,
    timers: Vec<Timer>,
    later: Vec<(Timestamp, Later)>,
}

/// When members beat, and what of it each was told last.
#[derive(Default)]
pub(crate) struct Beats {
    taken: BTreeMap<OwnerId, (u64, Timestamp)>,
    told: BTreeMap<u32, BTreeMap<OwnerId, (u64, Timestamp)>>,
}

impl Beats {
    pub(crate) fn beat(
        &mut self,
        (member, beat): (&OwnerId, u64),
        (by, fate): (u32, Fate),
        now: Timestamp,
    ) {
        let (is_done, is_told) = Self::fared(fate);
        let is_newer = self
            .taken
            .get(member)
            .is_none_or(|(known, _)| beat > *known);
        if is_newer && is_done {
            self.taken.insert(member.clone(), (beat, now));
        }
        if is_told {
            self.told.insert(by, self.taken.clone());
        }
    }

    /// Nobody has to wait for whoever leaves in order.
    pub(crate) fn leave(&mut self, member: &OwnerId, fate: Fate) {
        if let (true, _) = Self::fared(fate) {
            self.taken.remove(member);
        }
    }

    /// Whether the table was changed, and whether that was told.
    fn fared(fate: Fate) -> (bool, bool) {
        let is_told = matches!(fate, Fate::Done | Fate::Twice);
        (is_told || matches!(fate, Fate::DoneAndLost), is_told)
    }

    /// For how long a member has been silent, as a process was told.
    fn silence(&self, member: &OwnerId, process: u32, now: Timestamp) -> Option<Duration> {
        let (_, last) = self.told.get(&process)?.get(member)?;
        Some(Duration::from_millis(now.since(*last).as_millis()))
    }
}

/// What a person was answered.
pub(crate) struct Heard {
    pub(crate) request: usize,
    pub(crate) process: u32,
    /// Whether the request was recorded before it was sent.
    pub(crate) known: bool,
    pub(crate) outcome: Result<View, DriverError>,
}

struct Timer {
    process: u32,
    at: Timestamp,
    due: Sender<()>,
}

/// What happens by itself.
enum Later {
    Order(Order),
    /// The network repeats an order.
    Repeat(Order),
    Append(Box<Append>),
}

impl World {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let fleet = plans::fleet(chance);
        Self::with_model(Model::new(
            &tidegate_emulator::model::Fleet {
                seed: Seed(chance.next()),
                ..fleet
            },
            instant(BEGINNING),
        ))
    }

    pub(crate) fn with_model(model: Model) -> Self {
        Self {
            now: BEGINNING,
            truth: Truth::new(model),
            journal: MemoryJournal::new(),
            cluster: MemoryCluster::new(PARTITIONS),
            beats: Beats::default(),
            calls: Vec::new(),
            arrived: Vec::new(),
            answers: Vec::new(),
            trace: Trace::new(BEGINNING),
            broken: None,
            observations: 0,
            issued: 0,
            timers: Vec::new(),
            later: Vec::new(),
        }
    }

    pub(crate) fn say(&mut self, what: std::fmt::Arguments<'_>) {
        self.trace.say(self.now, what);
    }

    /// A rule is broken; the first one counts.
    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.say(format_args!("BROKEN {what}"));
        self.broken.get_or_insert(what);
    }

    pub(crate) fn issue(&mut self, process: u32, what: What) {
        self.issued += 1;
        if let What::Change(order, _) = &what {
            self.arrived.push((process, order.clone()));
        }
        if let What::Lease(was, Some(taker), _) = &what
            && let Some(owner) = was.owner.as_ref().filter(|&owner| owner != taker)
            && let Some(silent) = self.beats.silence(owner, process, self.now)
            && silent < LEASE * 19 / 20
        {
            self.fail(format!("{taker} takes a lease of {owner} after {silent:?}"));
        }
        self.calls.push(Call {
            number: self.issued,
            process,
            deadline: self.now + PATIENCE,
            what,
        });
    }

    pub(crate) fn set_timer(&mut self, process: u32, at: Timestamp, due: Sender<()>) {
        if at <= self.now {
            let _ = due.send(());
        } else {
            self.timers.push(Timer { process, at, due });
        }
    }

    /// Drops calls and timers that nobody waits for.
    pub(crate) fn tidy(&mut self) {
        self.calls.retain(|call| !call.what.is_idle());
        self.timers.retain(|timer| !timer.due.is_closed());
    }

    /// The next instant at which anything is due.
    pub(crate) fn next_instant(&self) -> Option<Timestamp> {
        let timers = self.timers.iter().map(|timer| timer.at);
        let later = self.later.iter().map(|(at, _)| *at);
        let calls = self.calls.iter().map(|call| call.deadline);
        timers.chain(later).chain(calls).min()
    }

    /// Moves time on, never beyond what is due first.
    pub(crate) fn advance(&mut self, to: Timestamp) {
        let to = self.next_instant().map_or(to, |next| to.min(next));
        self.now = self.now.max(to);
        self.truth.advance(self.now);
        let now = self.now;
        self.say(format_args!("time"));
        let (due, later) = std::mem::take(&mut self.later)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.later = later;
        for (_, what) in due {
            self.happen(what);
        }
        let (due, timers): (Vec<_>, Vec<_>) = std::mem::take(&mut self.timers)
            .into_iter()
            .partition(|timer| timer.at <= now);
        self.timers = timers;
        for timer in due {
            let _ = timer.due.send(());
        }
    }

    /// Answers the oldest call as it should be; says whether there was one.
    pub(crate) fn answer_oldest(&mut self, chance: &mut Chance) -> bool {
        if self.calls.is_empty() {
            return false;
        }
        let call = self.calls.remove(0);
        self.settle(call, Fate::Done, chance);
        true
    }

    /// Moves time on to what is due first; says whether anything is.
    pub(crate) fn pass_to_next(&mut self) -> bool {
        let next = self.next_instant();
        next.inspect(|&next| self.advance(next)).is_some()
    }

    /// # Errors
    /// DRS has more jobs for a launch than it was made to have.
    pub(crate) fn one_job_a_launch(&self) -> Result<(), String> {
        for (key, jobs) in self.truth.jobs_by_key() {
            let injected = self.truth.injected.get(key).copied().unwrap_or_default();
            if jobs > 1 + injected {
                return Err(format!("{key} has {jobs} jobs at DRS"));
            }
        }
        Ok(())
    }

    fn happen(&mut self, what: Later) {
        match what {
            Later::Order(order) => {
                let answer = self.truth.perform(&order, self.now, Span::ZERO);
                self.say(format_args!("late {} {answer:?}", order.key()));
            }
            Later::Repeat(order) => {
                let answer = self.truth.perform(&order, self.now, Span::ZERO);
                self.say(format_args!("repeated {} {answer:?}", order.key()));
                if let tidegate_core::engine::LaunchAnswer::Accepted(_) = answer {
                    let key = order.key().to_owned();
                    *self.truth.injected.entry(key).or_default() += 1;
                }
            }
            Later::Append(append) => {
                let at = (append.execution.clone(), append.revision);
                let done = self.commit(*append);
                self.say(format_args!("late append {}@{} {done}", at.0, at.1));
            }
        }
    }

    /// Stores a record; says whether it could be.
    pub(crate) fn commit(&self, append: Append) -> bool {
        let done = self.journal.append(append).now_or_never();
        done.expect("nothing waits in the memory journal").is_ok()
    }

    pub(crate) fn lag(chance: &mut Chance) -> Span {
        match chance.percent(60) {
            true => Span::ZERO,
            false => Span::from_millis(chance.below(LAG.as_millis())),
        }
    }

    pub(crate) fn order_later(&mut self, order: Order, chance: &mut Chance) {
        let at = self.now + Span::from_millis(chance.below(DELAY.as_millis()));
        self.later.push((at, Later::Order(order)));
    }

    pub(crate) fn repeat_later(&mut self, order: Order, chance: &mut Chance) {
        let at = self.now + Span::from_secs(chance.between(1, 60));
        self.later.push((at, Later::Repeat(order)));
    }

    pub(crate) fn append_later(&mut self, append: Box<Append>, chance: &mut Chance) {
        let at = self.now + Span::from_millis(chance.below(3_000));
        self.later.push((at, Later::Append(append)));
    }

    /// A process is gone. What it had sent may still arrive; a record may have
    /// been written just before.
    pub(crate) fn orphan(&mut self, process: u32, chance: &mut Chance) {
        self.end_beginnings();
        self.timers.retain(|timer| timer.process != process);
        let (orphans, calls): (Vec<_>, Vec<_>) = std::mem::take(&mut self.calls)
            .into_iter()
            .partition(|call| call.process == process);
        self.calls = calls;
        for call in orphans {
            let luck = chance.below(3);
            let name = call.to_string();
            match call.what {
                What::Change(order, _) if luck == 0 => self.order_later(order, chance),
                What::Change(order, _) if luck == 1 => {
                    let answer = self.truth.perform(&order, self.now, Self::lag(chance));
                    self.say(format_args!("orphan {name} {answer:?}"));
                }
                What::Append(append, _) if luck > 0 => {
                    let done = self.commit(*append);
                    self.say(format_args!("orphan {name} {done}"));
                }
                What::Change(..)
                | What::Append(..)
                | What::Look(..)
                | What::Observe(..)
                | What::Sources(..)
                | What::Instances(..)
                | What::Snapshots(..)
                | What::Read(..)
                | What::Head(..)
                | What::Heads(..)
                | What::Claim(..)
                | What::Holds(..)
                | What::Beat(..)
                | What::Lease(..)
                | What::Leave(..)
                | What::Nudge(..)
                | What::Nudges(..)
                | What::Hook(..) => {}
            }
        }
    }

    /// An execution begins before its process is gone, or never: the gateway
    /// that starts next must find it.
    fn end_beginnings(&mut self) {
        let (begin, later) = std::mem::take(&mut self.later)
            .into_iter()
            .partition(|(_, what)| matches!(what, Later::Append(append) if append.revision == 1));
        self.later = later;
        for (_, what) in begin {
            self.happen(what);
        }
    }

    /// Whether DRS has yet to answer this process.
    pub(crate) fn is_changing(&self, process: u32) -> bool {
        let mut calls = self.calls.iter();
        calls.any(|call| call.process == process && matches!(call.what, What::Change(..)))
    }

    /// Whether something will still happen by itself.
    pub(crate) fn is_settled(&self) -> bool {
        self.later.is_empty()
    }
}
