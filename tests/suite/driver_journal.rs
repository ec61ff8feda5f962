//! The driver over a journal that misbehaves. Where the answer to an append
//! was lost, the log itself tells what became of it.

use std::{
    collections::{BTreeSet, VecDeque},
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use tidegate_core::{
    ExecutionId, Span, Timestamp,
    engine::{Event, ExecutionState},
};
use tidegate_gateway::{
    adapters::journal_memory::MemoryJournal,
    driver::{Codec, Driver, DriverError, DriverPorts, DriverSettings, StartOrder, View},
    journal_format::{self, RecordDraft},
    ports::{
        clock::Clock as _,
        journal::{Append, AppendError, Head, Journal, ReadError, StoredRecord},
    },
};
use tidegate_tests::{
    fakes::{FakeDrs, ManualClock, ScriptedHooks},
    sketch,
};
use tokio::sync::watch;

#[tokio::test]
async fn a_record_that_was_written_is_known_by_its_nonce() {
    let world = World::new([Fault::None, Fault::LostAfter]);
    let driver = world.driver().await;
    let ended = world.run(&driver, "db").await.unwrap();
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!((ended.revision, world.journal.appends()), (2, 2));
}

#[tokio::test]
async fn a_record_that_was_not_written_is_written_again() {
    let world = World::new([Fault::None, Fault::LostBefore, Fault::LostBefore]);
    let driver = world.driver().await;
    let ended = world.run(&driver, "db").await.unwrap();
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!((ended.revision, world.journal.appends()), (2, 4));
}

#[tokio::test]
async fn a_record_that_arrives_late_is_not_written_twice() {
    let world = World::new([Fault::None, Fault::Late]);
    let driver = world.driver().await;
    let ended = world.run(&driver, "db").await.unwrap();
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    // The second try met the first.
    assert_eq!((ended.revision, world.journal.appends()), (2, 3));
}

#[tokio::test]
async fn a_start_whose_answer_was_lost_starts_one_execution() {
    for fault in [Fault::LostAfter, Fault::LostBefore, Fault::Late] {
        let world = World::new([fault]);
        let driver = world.driver().await;
        let ended = world.run(&driver, "db").await.unwrap();
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
        let again = driver.start_execution(order("db")).await.unwrap();
        assert_eq!(again.execution.id(), ended.execution.id(), "{fault:?}");
        assert_eq!(driver.list(None, 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_decision_that_the_journal_does_not_take_is_shown_until_it_is_written() {
    let faults = [Fault::None].into_iter();
    let world = World::new(faults.chain([Fault::LostBefore; 20]));
    let drs = FakeDrs::instant().script([tidegate_tests::fakes::Script::NeverAnswer]);
    let driver = world.driver_with(drs).await;
    let started = driver.start_execution(order("db web>db")).await.unwrap();
    let shown = async || {
        let view = driver.view(started.execution.id()).await.unwrap();
        driver.outstanding(&view).join("\n")
    };
    assert!(!shown().await.contains("journal"));
    let pause = Event::Pause { comment: "".into() };
    let stamp = Some(sketch::stamp("p"));
    let asked = driver.request(started.execution.id(), pause, stamp);
    tokio::pin!(asked);
    let unanswered = async {
        for _ in 0..1_000 {
            let lines = shown().await;
            if lines.contains("waits for the journal") {
                return lines;
            }
            tokio::task::yield_now().await;
        }
        panic!("only this is shown: {}", shown().await);
    };
    let lines = tokio::select! {
        biased;
        answer = &mut asked => panic!("no time has passed, and yet: {answer:?}"),
        lines = unanswered => lines,
    };
    assert!(lines.contains("as scripted"), "{lines}");
    world.pass_time(asked).await.unwrap();
    let lines = shown().await;
    assert!(!lines.contains("journal"), "{lines}");
}

#[tokio::test]
async fn a_position_that_another_writer_has_is_not_ours() {
    let world = World::new([Fault::None, Fault::OvertakenBefore]);
    let refused = world.pause_unanswered().await;
    assert!(matches!(refused, DriverError::NotOwner(_)), "{refused}");
}

#[tokio::test]
async fn behind_a_record_that_another_owner_wrote_nothing_is_acted_upon() {
    let world = World::new([Fault::None, Fault::OvertakenAfter]);
    let refused = world.pause_unanswered().await;
    assert!(matches!(refused, DriverError::NotOwner(_)), "{refused}");
}

#[tokio::test]
async fn what_a_journal_that_failed_has_written_is_not_asked_of_it() {
    let world = World::new([Fault::None, Fault::Failed]);
    let refused = world.pause_unanswered().await;
    assert!(matches!(refused, DriverError::Unknown(_)), "{refused}");
    assert_eq!(world.journal.appends(), 2);
}

#[tokio::test]
async fn a_gateway_that_stops_gives_no_server_to_a_start_that_is_under_way() {
    let world = World::with(Flaky {
        tells_claims: watch::Sender::new(false),
        ..Flaky::default()
    });
    let driver = world.driver_with(FakeDrs::manual()).await;
    let first = driver.start_execution(order("db")).await.unwrap();
    // The server is busy, so the journal is asked whether that is because of
    // this very request; its repetition waits for that answer.
    let starts: Vec<_> = (0..2)
        .map(|_| {
            let (driver, order) = (driver.clone(), sketch::order("db", "s"));
            tokio::spawn(async move { driver.start_execution(order).await })
        })
        .collect();
    world.journal.asked_for_claims(1).await;
    let stopping = tokio::spawn({
        let driver = driver.clone();
        async move { driver.stop().await }
    });
    while driver.subscribe(first.execution.id()).await.is_some() {
        tokio::task::yield_now().await;
    }
    world.journal.tells_claims.send_replace(true);
    for start in starts {
        let refused = start.await.unwrap().unwrap_err();
        assert!(
            matches!(refused, DriverError::ServerBusy { .. }),
            "{refused}"
        );
    }
    stopping.await.unwrap();
    assert_eq!(driver.list(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_journal_that_is_away_is_asked_ever_more_seldom() {
    let away = std::iter::repeat_n(Fault::Away, 30);
    let world = World::new([Fault::None].into_iter().chain(away));
    let driver = world.driver().await;
    let ended = world.run(&driver, "db").await.unwrap();
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    let asked = world.journal.asked_at();
    assert_eq!(asked.len(), 32);
    // Behind the first record: thirty tries in vain, and one that was not.
    let tries = asked.iter().zip(&asked[1..]).skip(1);
    let waits: Vec<_> = tries
        .map(|(one, next)| next.since(*one).as_millis())
        .collect();
    // A quarter is up to chance, and the clock goes in steps of 50.
    let mut full = 200;
    for wait in &waits {
        let range = full * 3 / 4..=full + 50;
        assert!(range.contains(wait), "{wait} of {full}: {waits:?}");
        full = (full * 2).min(5_000);
    }
    let last: BTreeSet<_> = waits[10..].iter().collect();
    assert!(
        last.len() > 5,
        "nobody waits in step with others: {waits:?}"
    );
}

#[tokio::test]
async fn a_journal_that_will_never_take_a_record_is_not_asked_again() {
    let world = World::new([Fault::None, Fault::Refuses]);
    let refused = world.pause_unanswered().await;
    let DriverError::Refused(why) = refused else {
        panic!("{refused}");
    };
    assert_eq!(why, "make room");
    assert_eq!(world.journal.appends(), 2);
}

#[tokio::test]
async fn what_selects_by_tags_is_still_busy_after_a_restart() {
    let world = World::with(Flaky::default());
    let driver = world.driver_with(FakeDrs::manual()).await;
    let first = driver.start_execution(order("db@db!")).await.unwrap();
    driver.stop().await;
    let driver = world.driver_with(FakeDrs::manual()).await;
    let again = sketch::order("db@db!", "again");
    let refused = driver.start_execution(again).await.unwrap_err();
    assert!(
        matches!(&refused, DriverError::SelectionBusy { other, .. } if other == first.execution.id()),
        "{refused}"
    );
}

/// What happens to an append.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Nothing.
    None,
    /// Not written, and the answer is lost.
    LostBefore,
    /// Written, and the answer is lost.
    LostAfter,
    /// The answer is lost, and it is written before the next one.
    Late,
    /// Another writer was there first.
    OvertakenBefore,
    /// Another writer came behind it.
    OvertakenAfter,
    /// The file cannot be relied on any more.
    Failed,
    /// Not written, this time.
    Away,
    /// Not written, and never will be.
    Refuses,
}

/// A journal with faults.
struct Flaky {
    stored: MemoryJournal,
    faults: Mutex<VecDeque<Fault>>,
    late: Mutex<Option<Append>>,
    appends: AtomicUsize,
    clock: ManualClock,
    asked_at: Mutex<Vec<Timestamp>>,
    /// Until then nobody is told of a claim.
    tells_claims: watch::Sender<bool>,
    asked_for_claims: watch::Sender<usize>,
}

impl Default for Flaky {
    fn default() -> Self {
        Self {
            stored: MemoryJournal::new(),
            faults: Mutex::default(),
            late: Mutex::default(),
            appends: AtomicUsize::default(),
            clock: ManualClock::default(),
            asked_at: Mutex::default(),
            tells_claims: watch::Sender::new(true),
            asked_for_claims: watch::Sender::new(0),
        }
    }
}

impl Flaky {
    fn appends(&self) -> usize {
        self.appends.load(Ordering::Relaxed)
    }

    /// When it was asked to append.
    fn asked_at(&self) -> Vec<Timestamp> {
        let asked_at = self.asked_at.lock();
        asked_at.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until claims were asked for so often.
    async fn asked_for_claims(&self, times: usize) {
        let mut asked = self.asked_for_claims.subscribe();
        let waited = asked.wait_for(|asked| *asked >= times).await;
        waited.expect("the journal lives");
    }

    fn next(&self) -> Fault {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.pop_front().unwrap_or(Fault::None)
    }

    fn write(&self, append: Append) -> Result<(), AppendError> {
        let written = self.stored.append(append).now_or_never();
        written.expect("nothing waits in the memory journal")
    }

    fn meet(&self, fault: Fault, append: Append) -> Result<(), AppendError> {
        let (execution, revision) = (append.execution.clone(), append.revision);
        match fault {
            Fault::None => return self.write(append),
            Fault::LostBefore => {}
            Fault::LostAfter => self.write(append)?,
            Fault::Late => {
                *self.late.lock().unwrap_or_else(PoisonError::into_inner) = Some(append);
            }
            Fault::OvertakenBefore => self.write(others(&execution, revision))?,
            Fault::OvertakenAfter => {
                self.write(append)?;
                self.write(others(&execution, revision + 1))?;
            }
            Fault::Failed => return Err(AppendError::Unknown("a failed fsync".to_owned())),
            Fault::Away => return Err(AppendError::Unavailable("as scripted".to_owned())),
            Fault::Refuses => return Err(AppendError::Refused("make room".to_owned())),
        }
        Err(AppendError::AnswerLost("as scripted".to_owned()))
    }
}

impl Journal for Flaky {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        self.appends.fetch_add(1, Ordering::Relaxed);
        let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        asked_at.push(self.clock.now());
        drop(asked_at);
        let late = self
            .late
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(late) = late {
            self.write(late).expect("it is the next one");
        }
        let answer = self.meet(self.next(), append);
        async move { answer }.boxed()
    }

    fn read(
        &self,
        execution: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, ReadError>> {
        self.stored.read(execution, after, limit)
    }

    fn head(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Option<Head>, ReadError>> {
        self.stored.head(execution)
    }

    fn heads(
        &self,
        before: Option<&ExecutionId>,
        live_only: bool,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Head>, ReadError>> {
        self.stored.heads(before, live_only, limit)
    }

    fn claim(&self, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        self.asked_for_claims.send_modify(|asked| *asked += 1);
        let claim = self.stored.claim(key);
        async move {
            // The sender lives as long as this journal.
            let _ = self.tells_claims.subscribe().wait_for(|tells| *tells).await;
            claim.await
        }
        .boxed()
    }
}

/// A record of another writer.
fn others(execution: &ExecutionId, revision: u64) -> Append {
    let record = journal_format::encode(&RecordDraft {
        revision,
        at: Timestamp::from_millis(1),
        previous: None,
        nonce: [7; 16],
        epoch: 1,
        request: None,
        genesis: None,
        first_index: 2,
        changes: &[],
    });
    Append {
        execution: execution.clone(),
        revision,
        record,
        head: None,
        claim: None,
        holds: None,
    }
}

struct World {
    journal: Arc<Flaky>,
    clock: ManualClock,
}

impl World {
    fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self::with(Flaky {
            faults: Mutex::new(faults.into_iter().collect()),
            ..Flaky::default()
        })
    }

    fn with(journal: Flaky) -> Self {
        Self {
            clock: journal.clock.clone(),
            journal: Arc::new(journal),
        }
    }

    async fn driver(&self) -> Driver {
        self.driver_with(FakeDrs::instant()).await
    }

    async fn driver_with(&self, drs: FakeDrs) -> Driver {
        let ports = DriverPorts {
            journal: self.journal.clone(),
            drs: Arc::new(drs),
            clock: Arc::new(self.clock.clone()),
            hooks: Arc::new(ScriptedHooks::default()),
            cluster: None,
            codec: Codec {
                plan: sketch::decode,
                summary: |_| Bytes::new(),
            },
        };
        let driver = Driver::start(ports, DriverSettings::default()).await;
        driver.expect("the driver starts")
    }

    /// Starts an execution and waits for its end.
    async fn run(&self, driver: &Driver, line: &str) -> Result<View, DriverError> {
        let over = async {
            let started = driver.start_execution(order(line)).await?;
            let id = started.execution.id();
            if let Some(mut view) = driver.subscribe(id).await {
                // An error means that it is over.
                let _ = view
                    .wait_for(|view| view.execution.state().is_terminal())
                    .await;
            }
            driver.view(id).await
        };
        self.pass_time(over).await
    }

    /// What a person is told whose pause meets the second fault: DRS gives no
    /// answer meanwhile, so the pause is the second record.
    async fn pause_unanswered(&self) -> DriverError {
        let drs = FakeDrs::instant().script([tidegate_tests::fakes::Script::NeverAnswer]);
        let driver = self.driver_with(drs).await;
        let started = driver.start_execution(order("db web>db")).await;
        let started = started.expect("it starts");
        let pause = Event::Pause { comment: "".into() };
        let asked = driver.request(started.execution.id(), pause, Some(sketch::stamp("p")));
        let answer = self.pass_time(asked).await;
        answer.expect_err("its answer is lost")
    }

    async fn pass_time<T>(&self, until: impl Future<Output = T>) -> T {
        tokio::pin!(until);
        loop {
            tokio::select! {
                biased;
                done = &mut until => return done,
                () = tokio::task::yield_now() => self.clock.advance(Span::from_millis(50)),
            }
        }
    }
}

fn order(line: &str) -> StartOrder {
    sketch::order(line, "r")
}
