//! The drill that was recorded on AWS (two waves of two servers), run by a
//! real driver against the emulator's model: what DRS takes is the
//! recording's, what is added to it is the orchestrator's. In the time of the
//! runtime: where that is paused, a run is exact and takes milliseconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tidegate_core::{
    OwnerId, Timestamp,
    engine::{ExecutionState, Kind},
};
use tidegate_emulator::{
    Scenario,
    model::{Fleet, Job, JobPhase, Model, ServerSpec, SourceServerId},
};
use tidegate_gateway::{
    adapters::{journal_memory::MemoryJournal, no_hooks::NoHooks},
    driver::{
        Codec, Driver, DriverPorts, DriverSettings, Origin, PollBounds, RequestStamp, StartOrder,
        View,
    },
    ports::clock::Clock as _,
};

use crate::{
    fakes::{Calls, ModelDrs, TokioClock},
    sketch,
};

/// Waves of the drill.
pub const WAVES: usize = 2;
/// Servers of the drill.
const SERVERS: usize = 4;
/// Between the starts of two executions that run together.
const APART: Duration = Duration::from_secs(37);

/// Some drills that run together, each on servers of its own in one account
/// and Region.
#[derive(Clone, Copy, Debug)]
pub struct Drills {
    /// How many.
    pub count: usize,
    /// How jobs are looked at.
    pub poll: PollBounds,
    /// Who looks.
    pub polling: Polling,
    /// By which part of it each phase may be shorter or longer than recorded.
    pub jitter: f64,
    /// How often the same was done before in the same process, on other
    /// servers.
    pub before: usize,
}

/// Who looks at the jobs of drills that run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polling {
    /// One gateway at all of them.
    Together,
    /// A process for each, which knows nothing of the others.
    Each,
}

/// What some drills that ran together took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Waves of all drills.
    pub waves: usize,
    /// Time inside DRS jobs, over all drills.
    pub inside: Duration,
    /// Time of all drills outside DRS jobs.
    pub added: Duration,
    /// The most that was added after one job.
    pub worst: Duration,
    /// Calls that following the jobs took.
    pub calls: Calls,
}

impl Cost {
    /// What was added per wave, in seconds.
    #[must_use]
    pub fn added_per_wave(&self) -> f64 {
        self.added.as_secs_f64() / self.waves as f64
    }
}

impl Drills {
    /// Runs the drills to their ends.
    ///
    /// # Panics
    /// If one of them does not succeed, or launches anything twice.
    pub async fn run(self) -> Cost {
        let clock = TokioClock::default();
        let model = Model::new(&self.fleet(), instant(clock.now()));
        let drs = Arc::new(ModelDrs::new(model, Arc::new(clock)));
        let mut drivers = Vec::new();
        let processes = match self.polling {
            Polling::Together => 1,
            Polling::Each => self.count,
        };
        for number in 0..processes {
            drivers.push(self.driver(number, &drs, clock).await);
        }
        for round in 0..self.before {
            self.round(round, &drivers).await;
        }
        let before = drs.calls();
        let ended = self.round(self.before, &drivers).await;
        let after = drs.calls();
        for driver in drivers {
            driver.stop().await;
        }
        let mut cost = Cost {
            calls: Calls {
                jobs: after.jobs - before.jobs,
                log_items: after.log_items - before.log_items,
            },
            ..Cost::default()
        };
        drs.with_model(|model| {
            let servers = model.launches().iter().map(|launch| &launch.source_server);
            let launched: BTreeSet<_> = servers.collect();
            assert_eq!(launched.len(), model.launches().len(), "launched twice");
            for view in ended {
                cost.add(&view, model);
            }
        });
        cost
    }

    /// Starts the drills of one round, one after the other, and waits for
    /// their ends.
    async fn round(self, round: usize, drivers: &[Driver]) -> Vec<View> {
        let mut started = Vec::new();
        for number in 0..self.count {
            if number > 0 {
                tokio::time::sleep(APART).await;
            }
            let driver = &drivers[number % drivers.len()];
            let order = order(round * self.count + number);
            let accepted = driver.start_execution(order).await;
            started.push((driver, accepted.expect("the drill is accepted")));
        }
        let mut views = Vec::new();
        for (driver, view) in started {
            views.push(ended(driver, &view).await);
        }
        views
    }

    async fn driver(self, number: usize, drs: &Arc<ModelDrs>, clock: TokioClock) -> Driver {
        let ports = DriverPorts {
            journal: Arc::new(MemoryJournal::default()),
            drs: drs.clone(),
            clock: Arc::new(clock),
            hooks: Arc::new(NoHooks),
            cluster: None,
            codec: Codec {
                plan: sketch::decode,
                summary: |_| Bytes::new(),
            },
        };
        let settings = DriverSettings {
            owner: OwnerId::new(format!("process-{number}")),
            poll: self.poll,
            ..DriverSettings::default()
        };
        let started = Driver::start(ports, settings).await;
        started.expect("an empty journal is read")
    }

    /// The recorded servers, as often as they are needed.
    fn fleet(self) -> Fleet {
        let recorded = Scenario::built_in("recorded-drill").expect("it is built in");
        let (place, specs) = recorded.fleet.servers.into_iter().next().expect("a place");
        let needed = SERVERS * self.count * (self.before + 1);
        let mut servers = Vec::with_capacity(needed);
        for (number, spec) in specs.iter().take(SERVERS).cycle().take(needed).enumerate() {
            let id = SourceServerId::parse(&sketch::server(number + 1));
            let mut server = ServerSpec {
                id: id.expect("an id"),
                first_launch: None,
                ..spec.clone()
            };
            server.timings.jitter = self.jitter;
            servers.push(server);
        }
        Fleet {
            servers: BTreeMap::from([(place, servers)]),
            ..recorded.fleet
        }
    }
}

impl Cost {
    /// Adds an execution whose jobs ran one after the other.
    fn add(&mut self, view: &View, model: &Model) {
        let execution = &view.execution;
        assert_eq!(execution.state(), ExecutionState::Succeeded);
        let jobs: Vec<(jiff::Timestamp, jiff::Timestamp)> = execution
            .waves()
            .flat_map(|wave| wave.launches())
            .filter_map(|launch| launch.state.job())
            .map(|job| course(model, job.as_str()))
            .collect();
        assert_eq!(jobs.len(), WAVES);
        let ended_at = instant(execution.ended_at().expect("it is over"));
        let started_at = instant(execution.started_at().expect("it began"));
        let mut free_since = started_at;
        for (created, ended) in &jobs {
            self.inside += between(*created, *ended);
            self.adds(between(free_since, *created));
            free_since = *ended;
        }
        self.adds(between(free_since, ended_at));
        self.waves += jobs.len();
    }

    fn adds(&mut self, lag: Duration) {
        self.added += lag;
        self.worst = self.worst.max(lag);
    }
}

/// From when until when a job ran.
fn course(model: &Model, job: &str) -> (jiff::Timestamp, jiff::Timestamp) {
    let estates = model.places().filter_map(|at| model.estate(at).ok());
    let mut jobs = estates.flat_map(|estate| estate.jobs());
    let job: &Job = jobs
        .find(|known| known.id.as_str() == job)
        .expect("it was made");
    let JobPhase::Completed { ended_at } = job.phase else {
        panic!("job {} has not ended", job.id);
    };
    (job.created_at, ended_at)
}

/// # Panics
/// If `later` is before `earlier`.
fn between(earlier: jiff::Timestamp, later: jiff::Timestamp) -> Duration {
    let span = later.duration_since(earlier);
    Duration::try_from(span).expect("jobs of one execution run one after the other")
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    let millis = i64::try_from(at.as_millis()).expect("a time of this age");
    jiff::Timestamp::from_millisecond(millis).expect("a time of this age")
}

/// The n-th drill's order, from 0.
fn order(number: usize) -> StartOrder {
    let first = number * SERVERS + 1;
    let line = format!("#{first} database*2 application*2>database");
    StartOrder {
        kind: Kind::Drill,
        plan: sketch::shared(&line),
        origin: Origin {
            plan_revision: 1,
            plan_digest: String::new(),
            plan: Bytes::from(line),
            source: None,
        },
        request: RequestStamp {
            id: format!("drill-{number}"),
            digest: [0; 32],
        },
    }
}

async fn ended(driver: &Driver, started: &View) -> View {
    let id = started.execution.id();
    if let Some(mut view) = driver.subscribe(id).await {
        let over = view.wait_for(|view| view.execution.state().is_terminal());
        if let Ok(view) = over.await {
            return view.clone();
        }
    }
    driver.view(id).await.expect("the execution is recorded")
}
