//! `WatchAll` over what happens while a stream begins, and over many
//! executions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use tidegate_core::ExecutionId;
use tidegate_proto::v1::watch_all_response::Message;
use tokio::sync::Notify;

use super::*;
use crate::{
    adapters::journal_memory::MemoryJournal,
    ports::journal::{Append, AppendError, Head, Journal, ReadError, StoredRecord},
};

/// The mark of what is over, and of nothing else.
const OVER: u8 = 0;

/// What is held up next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    List,
    Read,
}

/// A journal of which one call can be held up.
#[derive(Default)]
struct Held {
    stored: MemoryJournal,
    next: Mutex<Option<Hold>>,
    reached: Notify,
    go: Notify,
    /// Executions that were read since.
    read: Mutex<BTreeSet<ExecutionId>>,
}

impl Held {
    fn hold(&self, next: Hold) {
        *self.next.lock().unwrap() = Some(next);
        self.read.lock().unwrap().clear();
    }

    async fn pass(&self, call: Hold) {
        let held = self.next.lock().unwrap().take_if(|held| *held == call);
        if held.is_some() {
            self.reached.notify_one();
            self.go.notified().await;
        }
    }
}

impl Journal for Held {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        self.stored.append(append)
    }

    fn read(
        &self,
        execution: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, ReadError>> {
        let execution = execution.clone();
        async move {
            self.read.lock().unwrap().insert(execution.clone());
            self.pass(Hold::Read).await;
            self.stored.read(&execution, after, limit).await
        }
        .boxed()
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
        let before = before.cloned();
        async move {
            if !live_only {
                self.pass(Hold::List).await;
            }
            self.stored.heads(before.as_ref(), live_only, limit).await
        }
        .boxed()
    }

    fn claim(&self, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        self.stored.claim(key)
    }
}

/// A gateway on a journal that can be held up, with frequent bookmarks.
async fn world() -> (World, Arc<Held>) {
    let journal = Arc::new(Held::default());
    let ports = Ports {
        journal: Arc::clone(&journal) as Arc<dyn Journal>,
        plans: Arc::new(journal.stored.clone()),
        ..Ports::in_memory(Arc::new(CalmDrs::default()))
    };
    let world = World::on(ports, |config| {
        config.watch.bookmark_interval = Duration::from_millis(10).into();
    });
    (world.await, journal)
}

async fn watch_all(world: &mut World, cursor: &str) -> Streaming<v1::WatchAllResponse> {
    let request = v1::WatchAllRequest {
        filter: None,
        cursor: cursor.to_owned(),
    };
    let stream = world.executions.watch_all(request).await;
    stream.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<v1::WatchAllResponse>) -> v1::WatchAllResponse {
    stream.next().await.unwrap().unwrap()
}

/// The cursor of the next bookmark.
async fn bookmark(stream: &mut Streaming<v1::WatchAllResponse>) -> String {
    loop {
        let message = next(stream).await;
        if let Some(Message::Bookmark(_)) = message.message {
            return message.cursor;
        }
    }
}

/// Starts an execution of a plan of its own, which pauses at once.
async fn paused(world: &mut World, n: u32) -> String {
    let mut plan = fixtures::shop();
    plan.name = format!("shop-{n}");
    let spec = plan.spec.as_mut().unwrap();
    let mut wave = spec.waves.remove(1);
    wave.after.clear();
    wave.servers[0].servers.truncate(1);
    wave.servers[0].servers[0].id = format!("s-{n:017x}");
    spec.waves = vec![wave];
    let name = plan.name.clone();
    world.store(plan).await;
    let execution = world.start_drill(&name, &name).await.unwrap().id;
    world.until(&execution, v1::ExecutionState::Paused).await;
    execution
}

async fn cancel(world: &mut World, execution: &str) {
    let request = v1::CancelRequest {
        execution: execution.to_owned(),
        ..v1::CancelRequest::default()
    };
    world.executions.cancel(request).await.unwrap();
    world.until(execution, v1::ExecutionState::Cancelled).await;
}

#[tokio::test]
async fn what_ended_while_a_stream_began_does_not_come_back_to_life() {
    let (mut world, journal) = world().await;
    let mut stream = watch_all(&mut world, "").await;
    let cursor = bookmark(&mut stream).await;
    journal.hold(Hold::List);
    let mut stream = watch_all(&mut world, &cursor).await;
    journal.reached.notified().await;
    // The stream has heard all of this, and now finds it in the list.
    let first = paused(&mut world, 1).await;
    cancel(&mut world, &first).await;
    journal.go.notify_one();

    let second = paused(&mut world, 2).await;

    let mut shown = Vec::new();
    while !shown.iter().any(|(id, _)| *id == second) {
        match next(&mut stream).await.message.unwrap() {
            Message::Snapshot(summary) => shown.push((summary.id.clone(), summary.state())),
            Message::Commit(commit) => assert_ne!(commit.execution, first, "it is over"),
            Message::Bookmark(_) | Message::End(_) => {}
        }
    }
    let of_first: Vec<_> = shown.iter().filter(|(id, _)| *id == first).collect();
    assert_eq!(of_first, [&(first.clone(), v1::ExecutionState::Cancelled)]);
}

#[tokio::test]
async fn a_stream_that_catches_up_ends_with_the_gateway() {
    let (mut world, journal) = world().await;
    let mut executions = Vec::new();
    for n in 0..3 {
        executions.push(paused(&mut world, n).await);
    }
    let mut witness = watch_all(&mut world, "").await;
    let cursor = bookmark(&mut witness).await;
    for execution in &executions {
        cancel(&mut world, execution).await;
    }
    journal.hold(Hold::Read);
    let mut stream = watch_all(&mut world, &cursor).await;
    journal.reached.notified().await;

    let ended = tokio::spawn(world.gateway.shut_down());
    while !matches!(next(&mut witness).await.message, Some(Message::End(_))) {}
    journal.go.notify_one();

    let last = next(&mut stream).await;
    assert!(matches!(last.message, Some(Message::End(_))), "{last:?}");
    assert_eq!(last.cursor, cursor, "nothing was sent");
    assert_eq!(journal.read.lock().unwrap().len(), 1);
    ended.await.unwrap();
}

#[tokio::test]
async fn a_cursor_follows_only_what_is_not_over() {
    let (mut world, _) = world().await;
    let first = paused(&mut world, 1).await;
    let mut stream = watch_all(&mut world, "").await;
    let before = next(&mut stream).await;
    assert_ne!(mark_of_the_last(&before.cursor), OVER);

    cancel(&mut world, &first).await;

    let last = loop {
        let message = next(&mut stream).await;
        if let Some(Message::Commit(of)) = message.message {
            let commit = of.commit.unwrap();
            if commit.changes.iter().any(is_cancelled) {
                assert_eq!(mark_of_the_last(&message.cursor), OVER);
                break commit.revision;
            }
        }
    };
    // A cursor that still names it is good, and is soon replaced.
    let mut resumed = watch_all(&mut world, &naming(&first, last)).await;
    let next = next(&mut resumed).await;
    assert!(
        matches!(next.message, Some(Message::Bookmark(_))),
        "{next:?}"
    );
    assert_eq!(mark_of_the_last(&next.cursor), OVER);
}

/// The mark of the last execution that a cursor names, if it is below 64.
fn mark_of_the_last(cursor: &str) -> u8 {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap();
    *bytes.last().unwrap()
}

/// A cursor that has seen one execution up to a revision below 64.
fn naming(execution: &str, revision: u64) -> String {
    let id = ulid::Ulid::from_string(execution).unwrap().to_bytes();
    let mut bytes = vec![1];
    bytes.extend(id);
    bytes.extend(id);
    bytes.push(u8::try_from(revision << 1 | 1).unwrap());
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn many_executions_are_followed_with_few_cursors_and_without_a_gap() {
    let (mut world, _) = world().await;
    let mut executions = Vec::new();
    for n in 0..130 {
        executions.push(paused(&mut world, n).await);
    }
    let mut stream = watch_all(&mut world, "").await;
    let mut seen = Seen::default();
    while seen.revisions.len() < executions.len() {
        seen.take(&next(&mut stream).await);
    }
    for execution in &executions[..5] {
        cancel(&mut world, execution).await;
    }
    while seen.over < 5 {
        seen.take(&next(&mut stream).await);
    }
    assert!(seen.without_cursor > 0, "not every message has a cursor");
    assert!(!bookmark(&mut stream).await.is_empty());

    // Whoever loses the stream now goes on from the last cursor that it got.
    let mut resumed = watch_all(&mut world, &seen.cursor).await;
    let mut after = seen.clone();
    cancel(&mut world, &executions[5]).await;
    while after.over < 6 {
        after.take(&next(&mut resumed).await);
    }
    assert!(after.revisions.keys().eq(seen.revisions.keys()));
}

/// What a client knows that drops what it has seen.
#[derive(Clone, Debug, Default)]
struct Seen {
    revisions: BTreeMap<String, u64>,
    over: usize,
    cursor: String,
    without_cursor: usize,
}

impl Seen {
    fn take(&mut self, message: &v1::WatchAllResponse) {
        if message.cursor.is_empty() {
            self.without_cursor += 1;
        } else {
            self.cursor.clone_from(&message.cursor);
        }
        match message.message.as_ref().unwrap() {
            Message::Snapshot(summary) => {
                self.revisions.insert(summary.id.clone(), summary.revision);
            }
            Message::Commit(of) => {
                let commit = of.commit.as_ref().unwrap();
                let known = self.revisions.get_mut(&of.execution).unwrap();
                if commit.revision > *known {
                    assert_eq!(commit.revision, *known + 1, "a gap");
                    *known = commit.revision;
                    self.over += usize::from(commit.changes.iter().any(is_cancelled));
                }
            }
            Message::Bookmark(_) | Message::End(_) => {
                assert!(!message.cursor.is_empty());
            }
        }
    }
}

fn is_cancelled(change: &v1::Change) -> bool {
    match &change.kind {
        Some(v1::change::Kind::Execution(moved)) => moved.state() == v1::ExecutionState::Cancelled,
        _ => false,
    }
}
