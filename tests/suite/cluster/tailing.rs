//! Following what other members drive, for those who watch everything.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, ready};
use tidegate_core::{
    ExecutionId,
    engine::{Event, ExecutionState},
};
use tidegate_gateway::{
    adapters::journal_memory::MemoryJournal,
    driver::{Planting, Published},
    ports::journal::{Append, AppendError, Head, HoldsSince, Journal, ReadError, StoredRecord},
};
use tidegate_tests::fakes::FakeDrs;
use tokio::{sync::broadcast, time::Instant};

use super::{LEASE, Member, World};

/// Idle logs that are read in a second, at most.
const BUDGET: usize = 200;

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_for_a_while_is_followed_to_its_end() {
    let (world, a, b, journal) = watched_from_aside().await;
    let _everything = b.driver.follow_all();
    let mut published = b.driver.subscribe_all();
    let id = a.start("db", "r1").await.execution.id().clone();
    heard(&mut published, &id, |_| true).await;
    // What follows it gives up, and beginning anew fails once.
    let damaged = ReadError::Damaged("as scripted".to_owned());
    let away = ReadError::Unavailable("as scripted".to_owned());
    journal.fail(&id, [damaged, away]);
    tokio::time::sleep(Duration::from_secs(30)).await;
    world.finish(&a, &id).await;
    heard(&mut published, &id, in_state(ExecutionState::Succeeded)).await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_log_hides_nobody_else_and_is_not_read_again_and_again() {
    let (_world, a, b, journal) = watched_from_aside().await;
    let first = a.start("db", "r1").await.execution.id().clone();
    let second = a.start("db #2", "r2").await.execution.id().clone();
    assert!(first < second, "the damaged one comes first");
    let damaged = (0..10_000).map(|_| ReadError::Damaged("as scripted".to_owned()));
    journal.fail(&first, damaged);
    let before = journal.listings();
    let _everything = b.driver.follow_all();
    let mut published = b.driver.subscribe_all();
    heard(&mut published, &second, |_| true).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(journal.reads_of(&first), 1);
    let lists = journal.listings() - before;
    assert!(lists <= 2, "{lists} pages of what is not over");
}

#[tokio::test(start_paused = true)]
async fn thousands_of_idle_executions_are_followed_with_few_reads() {
    const MANY: usize = 3_000;
    let (_world, a, b, journal) = watched_from_aside().await;
    let mut last = None;
    for number in 1..=MANY {
        let line = format!("db! app!>db #{}", number * 2);
        let started = a.start(&line, &format!("r{number}")).await;
        last = Some(started.execution.id().clone());
    }
    let last = last.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let _everything = b.driver.follow_all();
    let published = b.driver.subscribe_all();
    // All are met, and read on for the first time, and then less and less.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut busiest = 0;
    for _ in 0..180 {
        let before = journal.reads();
        tokio::time::sleep(Duration::from_secs(1)).await;
        busiest = busiest.max(journal.reads() - before);
    }
    assert!(busiest <= BUDGET + 1, "{busiest} reads in a second");
    let before = journal.reads();
    tokio::time::sleep(Duration::from_secs(120)).await;
    let reads = journal.reads() - before;
    assert!(reads <= MANY * 120 / 60 * 11 / 10, "{reads} in two minutes");

    // What changes is told soon again, from its first change on.
    let mut published = published.resubscribe();
    a.driver.request(&last, Event::Resume, None).await.unwrap();
    let began = Instant::now();
    heard(&mut published, &last, in_state(ExecutionState::Running)).await;
    assert!(began.elapsed() < Duration::from_secs(120));
    let pause = Event::Pause { comment: "".into() };
    a.driver.request(&last, pause, None).await.unwrap();
    let began = Instant::now();
    heard(&mut published, &last, in_state(ExecutionState::Pausing)).await;
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(4), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn what_began_and_ended_elsewhere_between_two_looks_is_told() {
    let (_world, a, b, _) = watched_from_aside().await;
    let _everything = b.driver.follow_all();
    let mut published = b.driver.subscribe_all();
    // From then on it is known what there is.
    let first = a.start("db", "r1").await.execution.id().clone();
    heard(&mut published, &first, |_| true).await;
    let second = a.start("db! #2", "r2").await.execution.id().clone();
    a.driver.request(&second, cancel(), None).await.unwrap();
    heard(&mut published, &second, in_state(ExecutionState::Cancelled)).await;
}

/// Whoever drove it is about to leave it to another one, and has not heard.
#[tokio::test(start_paused = true)]
async fn an_end_by_another_member_is_told_though_the_owner_lets_go_unaware_of_it() {
    const COUNT: usize = 16;
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let _everything = a.driver.follow_all();
    let mut begun = Vec::new();
    for number in 1..=COUNT {
        let line = format!("db! #{number}");
        let view = a.start(&line, &format!("r{number}")).await;
        begun.push((view.execution.id().clone(), a.driver.subscribe_all()));
    }
    tokio::time::sleep(LEASE).await;
    // a gives half of its partitions back with its next beat.
    let b = world.member("b").await;
    for (id, _) in &begun {
        b.driver.request(id, cancel(), None).await.unwrap();
    }
    for (id, published) in &mut begun {
        heard(published, id, in_state(ExecutionState::Cancelled)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_not_read_keeps_nobody_else_from_going_on() {
    let (world, a, b, journal) = watched_from_aside().await;
    let first = a.start("db", "r1").await.execution.id().clone();
    let second = a.start("db #2", "r2").await.execution.id().clone();
    let away = || ReadError::Unavailable("as scripted".to_owned());
    journal.fail(&first, (0..100_000).map(|_| away()));
    a.line.cut(true);
    b.line.cut(false);
    world.until_it_has("b", 8).await;
    let ended = tokio::time::timeout(LEASE * 3, world.finish(&b, &second)).await;
    let ended = ended.expect("it goes on").execution.state();
    assert_eq!(ended, ExecutionState::Succeeded);
    journal.answer(&first);
    let ended = world.finish(&b, &first).await.execution.state();
    assert_eq!(ended, ExecutionState::Succeeded);
}

fn cancel() -> Event {
    Event::Cancel { comment: "".into() }
}

fn in_state(state: ExecutionState) -> impl Fn(&Published) -> bool {
    move |told| told.view.execution.state() == state
}

/// Two members, of which one drives everything, and the other one, which its
/// cluster does not hear, reads from this journal.
async fn watched_from_aside() -> (World, Member, Member, Arc<Seen>) {
    let world = World::new(FakeDrs::manual());
    let journal = Arc::new(Seen::of(world.journal.clone()));
    let b = world
        .member_on(journal.clone(), "b", Planting::default())
        .await;
    b.line.cut(true);
    let a = world.member("a").await;
    world.until_it_has("a", 8).await;
    (world, a, b, journal)
}

/// Waits until something of an execution is told that fits.
async fn heard(
    published: &mut broadcast::Receiver<Published>,
    id: &ExecutionId,
    fits: impl Fn(&Published) -> bool,
) {
    let heard = async {
        loop {
            let told = published.recv().await.unwrap();
            if told.view.execution.id() == id && fits(&told) {
                return;
            }
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(600), heard).await;
    heard.expect("it is told within ten minutes");
}

/// A way to the journal that counts, and that fails as it is told.
struct Seen {
    to: MemoryJournal,
    reads: Mutex<BTreeMap<ExecutionId, usize>>,
    listings: AtomicUsize,
    failing: Mutex<BTreeMap<ExecutionId, VecDeque<ReadError>>>,
}

impl Seen {
    fn of(to: MemoryJournal) -> Self {
        Self {
            to,
            reads: Mutex::default(),
            listings: AtomicUsize::default(),
            failing: Mutex::default(),
        }
    }

    /// The next reads of a log fail like this.
    fn fail(&self, id: &ExecutionId, errors: impl IntoIterator<Item = ReadError>) {
        let mut failing = self.failing.lock().unwrap();
        failing.entry(id.clone()).or_default().extend(errors);
    }

    /// They do not any more.
    fn answer(&self, id: &ExecutionId) {
        self.failing.lock().unwrap().remove(id);
    }

    fn reads(&self) -> usize {
        self.reads.lock().unwrap().values().sum()
    }

    fn reads_of(&self, id: &ExecutionId) -> usize {
        let reads = self.reads.lock().unwrap();
        reads.get(id).copied().unwrap_or(0)
    }

    fn listings(&self) -> usize {
        self.listings.load(Ordering::SeqCst)
    }
}

impl Journal for Seen {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        self.to.append(append)
    }

    fn read(
        &self,
        execution: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, ReadError>> {
        let mut reads = self.reads.lock().unwrap();
        *reads.entry(execution.clone()).or_default() += 1;
        let mut failing = self.failing.lock().unwrap();
        let error = failing.get_mut(execution).and_then(VecDeque::pop_front);
        match error {
            Some(error) => ready(Err(error)).boxed(),
            None => self.to.read(execution, after, limit),
        }
    }

    fn head(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Option<Head>, ReadError>> {
        self.to.head(execution)
    }

    fn heads(
        &self,
        before: Option<&ExecutionId>,
        live_only: bool,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Head>, ReadError>> {
        self.listings.fetch_add(1, Ordering::SeqCst);
        self.to.heads(before, live_only, limit)
    }

    fn claim(&self, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        self.to.claim(key)
    }

    fn holds(&self, after: u64) -> BoxFuture<'_, Result<HoldsSince, ReadError>> {
        self.to.holds(after)
    }
}
