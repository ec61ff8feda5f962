//! Waiting costs nothing: neither polls nor time on hold make a log grow.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures::future::FutureExt as _;
use jiff::SignedDuration;
use tidegate_core::{
    ExecutionId, Span,
    engine::{Event, ExecutionState, HookOutcome, Kind},
};
use tidegate_emulator::model::{Fleet, Model, Quotas, Seed, ServerSpec, SourceServerId, Timings};
use tidegate_gateway::ports::journal::Journal as _;

use crate::{
    calls::{Fate, What},
    chance::Chance,
    ledger::Ledger,
    people::{People, Wish},
    plans,
    process::{Process, engine_settings},
    world::{BEGINNING, SharedWorld, World, lock},
};

/// Of one execution's log.
#[derive(Debug)]
struct Size {
    records: usize,
    bytes: usize,
    observations: u64,
}

#[test]
fn two_days_on_hold_and_ten_thousand_polls_leave_the_log_as_small_as_ten_minutes_do() {
    let short = held_for(SignedDuration::from_mins(10));
    let long = held_for(SignedDuration::from_hours(48));
    println!("held for 10 min: {short:?}\nheld for 48 h: {long:?}");
    assert!(short.observations < 1_000, "{short:?}");
    assert!(long.observations > 10_000, "{long:?}");
    assert_eq!(long.records, short.records);
    assert!(long.bytes <= short.bytes);
}

/// A drill whose hook says *retry* twice, and that a person then holds while
/// a launch takes as long.
fn held_for(time: SignedDuration) -> Size {
    let mut life = Life::new(time);
    let start = Wish::Start {
        plan: plans::CHECKED,
        kind: Kind::Drill,
        source: None,
    };
    life.ask(start);
    life.until(|ledger| hook_runs(ledger) == 3, Fate::Throttled);
    let execution = life.execution();
    let pause = Event::Pause { comment: "".into() };
    life.ask(Wish::Steer {
        execution: execution.clone(),
        event: pause,
    });
    life.until(
        |ledger| state(ledger) == Some(ExecutionState::Paused),
        Fate::Done,
    );
    let held = lock(&life.world).now.since(BEGINNING);
    assert!(held >= Span::from_millis(time.as_millis().unsigned_abs() as u64));
    life.ask(Wish::Steer {
        execution,
        event: Event::Resume,
    });
    life.until(
        |ledger| ledger.logs.len() == 1 && ledger.all_over(),
        Fate::Done,
    );
    assert_eq!(state(&life.ledger), Some(ExecutionState::Succeeded));
    life.size()
}

fn hook_runs(ledger: &Ledger) -> u32 {
    let newest = ledger.logs.values().next().map(|log| log.newest());
    let checked = newest.and_then(|execution| execution.waves().nth(1));
    let hook = checked.and_then(|wave| wave.hooks().first());
    let running = hook.filter(|run| !matches!(run.outcome, Some(HookOutcome::Retry { .. })));
    running.map_or(0, |run| run.attempt)
}

fn state(ledger: &Ledger) -> Option<ExecutionState> {
    let log = ledger.logs.values().next()?;
    Some(log.newest().state())
}

/// A world without faults, and one process.
struct Life {
    world: SharedWorld,
    process: Process,
    people: People,
    ledger: Ledger,
    chance: Chance,
}

impl Life {
    fn new(slow: SignedDuration) -> Self {
        let server = |number: u64, conversion: SignedDuration| {
            let id = SourceServerId::parse(&plans::server_id(number)).expect("an id");
            ServerSpec {
                timings: timings(conversion),
                ..ServerSpec::new(id, format!("host-{number}"))
            }
        };
        let servers = vec![server(0, slow), server(1, SignedDuration::from_secs(20))];
        let fleet = Fleet {
            seed: Seed(1),
            quotas: Quotas::default(),
            names_recovery_instances: true,
            loopback: None,
            servers: BTreeMap::from([(plans::place(0), servers)]),
        };
        let model = Model::new(&fleet, crate::truth::instant(BEGINNING));
        let world = Arc::new(Mutex::new(World::with_model(model)));
        let process = Process::start(&world, 1, 1, None);
        let mut life = Self {
            world,
            process,
            people: People::default(),
            ledger: Ledger::new(engine_settings(None)),
            chance: Chance::of(1, 1),
        };
        life.step(Fate::Done);
        life.step(Fate::Done);
        life
    }

    fn ask(&mut self, wish: Wish) {
        let ix = self.people.wish(wish);
        let driver = self.process.driver().expect("it has started");
        self.people
            .send(ix, &self.process, driver, &self.world, &self.ledger);
    }

    fn execution(&self) -> ExecutionId {
        let mut ids = self.ledger.logs.keys();
        ids.next().expect("it was started").clone()
    }

    /// Answers every call, hooks with this fate, and lets time pass.
    fn until(&mut self, done: impl Fn(&Ledger) -> bool, hooks: Fate) {
        for _ in 0..1_000_000 {
            self.step(hooks);
            if done(&self.ledger) {
                return;
            }
        }
        panic!("this does not come to pass");
    }

    fn step(&mut self, hooks: Fate) {
        self.process.run();
        let mut world = lock(&self.world);
        world.tidy();
        if world.calls.is_empty() {
            if let Some(next) = world.next_instant() {
                world.advance(next);
            }
        } else {
            let call = world.calls.remove(0);
            let is_hook = matches!(call.what, What::Hook(..));
            let fate = if is_hook { hooks } else { Fate::Done };
            world.settle(call, fate, &mut self.chance);
        }
        self.ledger.read(&mut world).expect("no rule is broken");
    }

    fn size(&self) -> Size {
        let world = lock(&self.world);
        let records = world.journal.read(&self.execution(), 0, 1_000);
        let records = records
            .now_or_never()
            .expect("nothing waits")
            .expect("it is there");
        Size {
            records: records.len(),
            bytes: records.iter().map(|stored| stored.record.len()).sum(),
            observations: world.observations,
        }
    }
}

/// Every phase is long enough to be seen by a poll.
fn timings(conversion: SignedDuration) -> Timings {
    let minute = SignedDuration::from_secs(30);
    Timings {
        job_start: SignedDuration::from_secs(1),
        cleanup: minute,
        snapshot_wait: SignedDuration::from_secs(1),
        snapshot: minute,
        conversion_wait: SignedDuration::from_secs(1),
        conversion,
        launch_wait: SignedDuration::from_secs(1),
        launch: minute,
        job_end: minute,
        job_end_log: SignedDuration::from_secs(1),
        jitter: 0.0,
    }
}
