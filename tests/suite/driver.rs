//! The driver over the memory journal and a DRS without time.

mod damaged;
mod granted;
mod quotas;
mod reading;

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use tidegate_core::{
    OwnerId, SourceServerId, Span,
    engine::{
        Change, Event, ExecutionState, HoldCause, HookAnswer, HookVerdict, Kind, LaunchState,
        WaveState,
    },
};
use tidegate_gateway::ports::journal::Journal as _;
use tidegate_gateway::{
    adapters::journal_memory::MemoryJournal,
    driver::{Codec, Driver, DriverError, DriverPorts, DriverSettings, View},
};
use tidegate_tests::{
    fakes::{FakeDrs, ManualClock, Script, ScriptedHooks},
    sketch::{self, order, stamp},
};

#[tokio::test]
async fn a_plan_runs_to_its_end_wave_by_wave() {
    let world = World::new(FakeDrs::instant());
    let driver = world.driver().await;
    let started = driver
        .start_execution(order("db app>db web>app", "r1"))
        .await
        .unwrap();
    assert_eq!(started.revision, 1);
    let ended = ended(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!(world.drs.launches().len(), 3);
    // One record to start, one for each wave's answer.
    assert_eq!(ended.revision, 4);
}

#[tokio::test]
async fn the_same_request_gives_the_first_answer_and_launches_nothing() {
    let world = World::new(FakeDrs::instant());
    let driver = world.driver().await;
    let first = driver.start_execution(order("db", "r1")).await.unwrap();
    ended(&driver, &first).await;
    let again = driver.start_execution(order("db", "r1")).await.unwrap();
    assert_eq!(again.execution, first.execution);
    assert_eq!(again.revision, 1);
    assert_eq!(world.drs.launches().values().sum::<usize>(), 1);
    let mut other = order("db", "r1");
    other.request.digest = [9; 32];
    let refused = driver.start_execution(other).await.unwrap_err();
    assert!(
        matches!(refused, DriverError::RequestIdReused(_)),
        "{refused}"
    );
}

#[tokio::test]
async fn the_same_request_at_the_same_time_starts_one_execution() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver().await;
    let (one, two) = tokio::join!(
        driver.start_execution(order("db", "r1")),
        driver.start_execution(order("db", "r1"))
    );
    assert_eq!(one.unwrap().execution.id(), two.unwrap().execution.id());
}

#[tokio::test]
async fn a_server_is_in_one_live_execution() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver().await;
    let first = driver.start_execution(order("db", "r1")).await.unwrap();
    let refused = driver.start_execution(order("db", "r2")).await.unwrap_err();
    let DriverError::ServerBusy { server, other } = refused else {
        panic!("{refused}");
    };
    assert_eq!(server, SourceServerId::from(&*sketch::server(1)));
    assert_eq!(&other, first.execution.id());
    world.settle(&driver, &first).await;
    driver.start_execution(order("db", "r3")).await.unwrap();
}

#[tokio::test]
async fn whoever_hears_of_the_end_can_start_the_next_at_once() {
    let world = World::new(FakeDrs::instant());
    let driver = world.driver().await;
    let first = driver.start_execution(order("db!", "r1")).await.unwrap();
    world.until(&driver, &first, ExecutionState::Paused).await;
    let cancel = Event::Cancel { comment: "".into() };
    let ended = driver.request(first.execution.id(), cancel, None).await;
    assert_eq!(
        ended.unwrap().execution.state(),
        ExecutionState::Cancelled,
        "nothing was in flight"
    );
    driver.start_execution(order("db!", "r2")).await.unwrap();
}

#[tokio::test]
async fn a_repeated_pause_answers_as_it_did_the_first_time() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver().await;
    let started = driver
        .start_execution(order("db web>db", "r1"))
        .await
        .unwrap();
    let id = started.execution.id().clone();
    world.drs.called(1).await;
    let paused = driver
        .request(&id, pause(), Some(stamp("p1")))
        .await
        .unwrap();
    assert_eq!(paused.execution.state(), ExecutionState::Pausing);
    world.drs.finish();
    let paused_now = world.until(&driver, &started, ExecutionState::Paused).await;
    assert!(paused_now.revision > paused.revision);
    let again = driver
        .request(&id, pause(), Some(stamp("p1")))
        .await
        .unwrap();
    assert_eq!(again.execution, paused.execution);
    let refused = driver
        .request(&id, pause(), Some(stamp("p2")))
        .await
        .unwrap_err();
    assert!(matches!(refused, DriverError::Rejected(_)), "{refused}");
    // Nothing of the second wave was asked for while it was paused.
    assert_eq!(world.drs.launches().len(), 1);
    driver
        .request(&id, Event::Resume, Some(stamp("p3")))
        .await
        .unwrap();
    let ended = world.settle(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    // An execution that is over still knows its requests.
    let late = driver
        .request(&id, pause(), Some(stamp("p1")))
        .await
        .unwrap();
    assert_eq!(late.execution, paused.execution);
}

#[tokio::test]
async fn a_planned_pause_waits_for_a_person() {
    let world = World::new(FakeDrs::instant());
    let driver = world.driver().await;
    let started = driver
        .start_execution(order("db web!>db", "r1"))
        .await
        .unwrap();
    let paused = world.until(&driver, &started, ExecutionState::Paused).await;
    assert!(matches!(
        paused.execution.holds()[0].cause,
        HoldCause::Planned(_)
    ));
    driver
        .request(started.execution.id(), Event::Resume, None)
        .await
        .unwrap();
    let ended = ended(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
}

#[test]
fn a_launch_whose_answer_died_with_the_process_is_found_and_not_repeated() {
    let world = World::new(FakeDrs::manual().script([Script::NeverAnswer]));
    let id = crash(async {
        let driver = world.driver().await;
        let started = driver.start_execution(order("db", "r1")).await.unwrap();
        world.drs.called(1).await;
        started.execution.id().clone()
    });
    run(async {
        let driver = world.driver().await;
        let view = driver.view(&id).await.unwrap();
        let ended = world.settle(&driver, &view).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
        assert_eq!(ended.execution.epoch(), 1);
        assert_eq!(world.drs.launches().values().sum::<usize>(), 1);
    });
}

#[test]
fn a_launch_that_was_never_sent_is_asked_for_again_after_the_settle_window() {
    let world = World::new(FakeDrs::instant().script([Script::LoseRequest]));
    run(async {
        let driver = world.driver().await;
        let started = driver.start_execution(order("db", "r1")).await.unwrap();
        let mut view = driver.subscribe(started.execution.id()).await.unwrap();
        view.wait_for(|view| {
            let wave = view.execution.waves().next().unwrap();
            matches!(wave.launches()[0].state, LaunchState::Reconciling { .. })
        })
        .await
        .unwrap();
        assert!(world.drs.launches().is_empty());
        let ended = world.settle(&driver, &started).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
        assert_eq!(world.drs.launches().values().sum::<usize>(), 1);
    });
}

#[tokio::test]
async fn what_drs_does_not_take_now_is_asked_for_later() {
    let world = World::new(FakeDrs::instant().script([Script::Defer, Script::Defer]));
    let driver = world.driver().await;
    let started = driver.start_execution(order("db", "r1")).await.unwrap();
    let ended = world.settle(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!(world.drs.launches().values().sum::<usize>(), 1);
}

#[tokio::test]
async fn a_hook_that_holds_is_run_again_on_resume() {
    let hooks = ScriptedHooks::default().with(
        "smoke",
        [HookAnswer::bare(
            HookVerdict::Hold,
            "look at the load balancer",
        )],
    );
    let world = World {
        hooks: Arc::new(hooks),
        ..World::new(FakeDrs::instant())
    };
    let driver = world.driver().await;
    let started = driver
        .start_execution(order("web?smoke", "r1"))
        .await
        .unwrap();
    let held = world.until(&driver, &started, ExecutionState::Paused).await;
    assert_eq!(
        &*held.execution.holds()[0].detail,
        "look at the load balancer"
    );
    driver
        .request(started.execution.id(), Event::Resume, None)
        .await
        .unwrap();
    let ended = ended(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!(
        ended.execution.waves().next().unwrap().hooks()[0].attempt,
        2
    );
}

#[tokio::test]
async fn a_cleanup_terminates_what_the_drill_launched() {
    let world = World::new(FakeDrs::instant());
    let driver = world.driver().await;
    let drill = driver.start_execution(order("web*3", "r1")).await.unwrap();
    let drill = ended(&driver, &drill).await;
    let mut cleanup = order("web*3", "r2");
    cleanup.kind = Kind::Cleanup;
    cleanup.origin.source = Some(drill.execution.id().clone());
    let cleanup = driver.start_execution(cleanup).await.unwrap();
    let cleanup = ended(&driver, &cleanup).await;
    assert_eq!(cleanup.execution.state(), ExecutionState::Succeeded);
    assert_eq!(cleanup.execution.launched().count(), 0);
}

#[tokio::test]
async fn an_ended_execution_reads_the_same_from_the_journal() {
    let world = World::new(FakeDrs::instant());
    let driver = world.driver().await;
    let started = driver
        .start_execution(order("a b>a c>a d>b>c", "r1"))
        .await
        .unwrap();
    let live = ended(&driver, &started).await;
    driver.stop().await;
    let driver = world.driver().await;
    let read = driver.view(started.execution.id()).await.unwrap();
    assert_eq!(read.execution, live.execution);
    let records = driver
        .records(started.execution.id(), 0, 100)
        .await
        .unwrap();
    assert_eq!(records.len() as u64, live.revision);
    let mut index = 2;
    for record in records {
        assert_eq!(record.first_index, index);
        index += record.changes.len() as u64;
    }
}

#[tokio::test]
async fn a_stop_waits_for_what_drs_was_asked_and_starts_nothing() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver().await;
    let started = driver
        .start_execution(order("db web>db", "r1"))
        .await
        .unwrap();
    world.drs.called(1).await;
    driver.stop().await;
    let refused = driver.start_execution(order("db", "r2")).await.unwrap_err();
    assert!(matches!(refused, DriverError::ShuttingDown), "{refused}");
    let driver = world.driver().await;
    let view = driver.view(started.execution.id()).await.unwrap();
    let wave = view.execution.waves().next().unwrap();
    assert_eq!(wave.state(), WaveState::Recovering);
    world.settle(&driver, &view).await;
    assert_eq!(world.drs.launches().values().max(), Some(&1));
}

#[tokio::test]
async fn a_stop_leaves_what_was_not_sent_in_the_queue_so_that_nobody_has_to_look_for_it() {
    let world = World::new(FakeDrs::instant().script([Script::AnswerLater]));
    let driver = world.driver().await;
    let started = driver
        .start_execution(order("db web>db", "r1"))
        .await
        .unwrap();
    world.drs.called(1).await;
    let stopped = tokio::spawn({
        let driver = driver.clone();
        async move { driver.stop().await }
    });
    // The stop is under way: nothing is accepted any more.
    while driver.start_execution(order("x", "r2")).await.is_ok() {}
    world.drs.release();
    stopped.await.unwrap();
    let records = world
        .journal
        .read(started.execution.id(), 0, 100)
        .await
        .unwrap();
    assert_eq!(records.len(), 2);
    let driver = world.driver().await;
    let id = started.execution.id();
    let last = driver.records(id, 1, 1).await.unwrap();
    let changes = &last[0].changes;
    let queued = |change: &Change| matches!(change, Change::LaunchQueued { .. });
    assert!(changes.iter().any(queued), "{changes:?}");
    let asking = |change: &Change| {
        matches!(
            change,
            Change::LaunchMoved {
                to: LaunchState::Asking { .. },
                ..
            }
        )
    };
    assert!(!changes.iter().any(asking), "{changes:?}");
    let view = driver.view(id).await.unwrap();
    let ended = world.settle(&driver, &view).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!(world.drs.launches().values().max(), Some(&1));
}

#[tokio::test]
async fn a_panic_is_told_so_that_the_process_can_end() {
    let world = World::new(FakeDrs::instant().script([Script::Panic]));
    let driver = world.driver().await;
    let failed = driver.failed();
    driver.start_execution(order("db", "r1")).await.unwrap();
    failed.await;
}

#[tokio::test]
async fn ids_are_in_the_order_of_their_creation() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver().await;
    let mut ids = Vec::new();
    for request in ["r1", "r2", "r3"] {
        let started = driver.start_execution(order("db", request)).await.unwrap();
        world.settle(&driver, &started).await;
        ids.push(started.execution.id().clone());
    }
    assert!(ids.is_sorted(), "{ids:?}");
}

struct World {
    journal: Arc<MemoryJournal>,
    drs: Arc<FakeDrs>,
    clock: ManualClock,
    hooks: Arc<ScriptedHooks>,
}

impl World {
    fn new(drs: FakeDrs) -> Self {
        Self {
            journal: Arc::new(MemoryJournal::default()),
            drs: Arc::new(drs),
            clock: ManualClock::default(),
            hooks: Arc::default(),
        }
    }

    async fn driver(&self) -> Driver {
        let owner = OwnerId::from("test");
        let settings = DriverSettings {
            owner,
            ..DriverSettings::default()
        };
        self.driver_with(settings).await
    }

    async fn driver_with(&self, settings: DriverSettings) -> Driver {
        let ports = DriverPorts {
            journal: self.journal.clone(),
            drs: self.drs.clone(),
            clock: Arc::new(self.clock.clone()),
            hooks: self.hooks.clone(),
            cluster: None,
            codec: Codec {
                plan: sketch::decode,
                summary: |view| Bytes::copy_from_slice(view.execution.id().as_str().as_bytes()),
            },
        };
        Driver::start(ports, settings)
            .await
            .expect("the driver starts")
    }

    /// Lets jobs end and time pass until the execution is over.
    async fn settle(&self, driver: &Driver, started: &View) -> View {
        self.pass_time(ended(driver, started)).await
    }

    async fn until(&self, driver: &Driver, started: &View, state: ExecutionState) -> View {
        let reached = async {
            let mut view = driver
                .subscribe(started.execution.id())
                .await
                .expect("the execution is live");
            let reached = view.wait_for(|view| view.execution.state() == state).await;
            reached.expect("the execution lives").clone()
        };
        self.pass_time(reached).await
    }

    async fn pass_time<T>(&self, until: impl Future<Output = T>) -> T {
        tokio::pin!(until);
        loop {
            tokio::select! {
                biased;
                done = &mut until => return done,
                () = tokio::task::yield_now() => {
                    self.drs.finish();
                    self.clock.advance(Span::from_millis(500));
                }
            }
        }
    }
}

async fn ended(driver: &Driver, started: &View) -> View {
    let id = started.execution.id();
    if let Some(mut view) = driver.subscribe(id).await {
        let over = view
            .wait_for(|view| view.execution.state().is_terminal())
            .await;
        if let Ok(view) = over {
            return view.clone();
        }
    }
    driver.view(id).await.expect("the execution is recorded")
}

fn pause() -> Event {
    Event::Pause { comment: "".into() }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    runtime().block_on(work)
}

/// Runs something in a process of its own, as far as the driver can tell, and
/// ends it without warning.
fn crash<T>(work: impl Future<Output = T>) -> T {
    let runtime = runtime();
    let value = runtime.block_on(work);
    runtime.shutdown_background();
    value
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
}
