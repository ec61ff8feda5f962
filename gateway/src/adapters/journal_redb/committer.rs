//! Writing: a batch of changes, one transaction, one fsync, then every
//! answer.
//!
//! A caller that finds the journal idle commits its change by itself. All
//! others queue, and a thread of the journal's own commits what is queued.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use redb::{Database, Durability};
use tokio::sync::{mpsc, oneshot};

use super::{
    Store,
    batch::{Batch, Change, LiveLogs, Refusal, Verdict},
    failure::{Alarm, JournalFailure},
    tables,
};

/// Changes in one transaction. More would make the first of them wait longer
/// and save little: at this size the fsync is no longer what costs.
const BATCH_LIMIT: usize = 512;

/// After a commit that took longer, nobody but the thread waits for the disk,
/// until the disk is quick again.
const QUICK: Duration = Duration::from_millis(5);

/// After a batch of so many changes the next one is let grow for a moment: what
/// a commit costs beside its fsync is paid once for all of them.
const CROWD: usize = 8;

/// How long a batch is let grow.
const MOMENT: Duration = Duration::from_micros(400);

/// A change, and whoever waits for its verdict. A dropped `reply` means that
/// the fate of the change is unknown.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) change: Change,
    pub(super) reply: oneshot::Sender<Verdict>,
    pub(super) place: Place,
}

/// A place among the requests that the thread has not answered. Counted as
/// long as it lives, wherever it is dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Place(Arc<()>);

/// Why a change was not acknowledged.
#[derive(Debug)]
pub(super) enum WriteError {
    /// Nothing was written.
    Refused(Refusal),
    /// It may or may not be durable.
    Failed(JournalFailure),
}

/// The one way to write, taken in turns by callers and the thread.
#[derive(Debug)]
pub(super) struct Committer {
    store: Arc<Store>,
    writer: Mutex<Writer>,
    places: Place,
}

/// What one commit leaves for the next.
#[derive(Debug)]
struct Writer {
    logs: LiveLogs,
    alarm: Alarm,
    /// The last commit was quick, and of one change: to wait for the next one
    /// like it is cheap, and nobody else wants to share it.
    calm: bool,
}

/// The journal failed, now or before; the alarm has told.
#[derive(Debug)]
pub(super) struct Failed;

impl Committer {
    pub(super) fn new(store: Arc<Store>, alarm: Alarm) -> Self {
        Self {
            store,
            writer: Mutex::new(Writer {
                logs: LiveLogs::default(),
                alarm,
                calm: true,
            }),
            places: Place::default(),
        }
    }

    /// Starts the thread that commits what is queued.
    pub(super) fn start(
        self: &Arc<Self>,
        requests: mpsc::Receiver<Request>,
    ) -> io::Result<JoinHandle<()>> {
        let committer = Arc::clone(self);
        let queue = Queue(requests);
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || committer.run(queue))
    }

    /// The last commit, when nobody is left who could ask for another one.
    pub(super) fn close(&self) {
        let Ok(writer) = self.writer.lock() else {
            return;
        };
        if !writer.alarm.is_raised()
            && let Err(error) = tables::mark_closed(&self.store.database)
        {
            tracing::warn!(%error, "the journal could not be marked as closed: it is opened as after a crash");
        }
    }

    /// For a request that is about to be queued.
    pub(super) fn place(&self) -> Place {
        self.places.clone()
    }

    /// Commits a change on this thread if that makes nobody wait; `None` if
    /// it is to be queued. Who queued goes first: a change that is handed
    /// over while this looks at the queue may still be overtaken, by one.
    pub(super) fn commit_alone(&self, change: &Change) -> Option<Result<Verdict, Failed>> {
        if Arc::strong_count(&self.places.0) > 1 {
            return None;
        }
        let mut writer = self.writer.try_lock().ok()?;
        if !writer.calm {
            return None;
        }
        let verdicts = writer.commit(&self.store.database, &[change]);
        Some(verdicts.map(|mut all| all.pop().expect("one for each change")))
    }

    /// Runs until the journal is dropped or has failed. After a failure the
    /// batch and the queue are dropped with every reply in them, which tells
    /// those callers.
    fn run(&self, mut queue: Queue) {
        let mut waiting = Vec::with_capacity(BATCH_LIMIT);
        let mut crowded = false;
        while queue.0.blocking_recv_many(&mut waiting, BATCH_LIMIT) > 0 {
            if crowded {
                thread::sleep(MOMENT);
            }
            // Only a bug could poison it; the queue is then dropped as well.
            let Ok(mut writer) = self.writer.lock() else {
                return;
            };
            // Others may have queued while a caller's commit was under way.
            while waiting.len() < BATCH_LIMIT
                && let Ok(request) = queue.0.try_recv()
            {
                waiting.push(request);
            }
            crowded = waiting.len() >= CROWD;
            let changes: Vec<&Change> = waiting.iter().map(|request| &request.change).collect();
            let verdicts = writer.commit(&self.store.database, &changes);
            drop(writer);
            match verdicts {
                Ok(verdicts) => answer(&mut waiting, verdicts),
                Err(Failed) => return,
            }
        }
    }
}

impl Writer {
    /// After an error or a panic nothing is tried again.
    fn commit(&mut self, database: &Database, changes: &[&Change]) -> Result<Vec<Verdict>, Failed> {
        if self.alarm.is_raised() {
            return Err(Failed);
        }
        let began = Instant::now();
        let logs = &mut self.logs;
        let committed = panic::catch_unwind(AssertUnwindSafe(|| commit(database, changes, logs)));
        self.calm = changes.len() == 1 && began.elapsed() < QUICK;
        match committed {
            Ok(Ok(verdicts)) => return Ok(verdicts),
            Ok(Err(error)) => self.alarm.raise(&error),
            Err(_panic) => self.alarm.raise_panic(),
        }
        Err(Failed)
    }
}

/// The thread's end of the queue. Dropping it drops every request in it,
/// with its reply, and waits for those that are on their way in: a sender who
/// has been given room may still put a request into a queue whose receiver is
/// gone, where its reply would never be dropped.
struct Queue(mpsc::Receiver<Request>);

impl Drop for Queue {
    fn drop(&mut self) {
        self.0.close();
        while self.0.blocking_recv().is_some() {}
    }
}

fn answer(waiting: &mut Vec<Request>, verdicts: Vec<Verdict>) {
    for (request, verdict) in waiting.drain(..).zip(verdicts) {
        // Whoever hears its answer may find the journal idle.
        drop(request.place);
        // A caller who left is no reason to stop.
        let _ = request.reply.send(verdict);
    }
}

/// Any error, also one before the commit, leaves the database unusable: redb
/// refuses everything after its first failed write.
fn commit(
    database: &Database,
    changes: &[&Change],
    logs: &mut LiveLogs,
) -> Result<Vec<Verdict>, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    let mut verdicts = Vec::with_capacity(changes.len());
    {
        let mut batch = Batch::new(&transaction, logs);
        for change in changes {
            verdicts.push(batch.perform(change)?);
        }
    }
    if verdicts.iter().any(Result::is_ok) {
        transaction.commit()?;
    } else {
        // Nothing was written, so there is nothing to wait for.
        transaction.abort()?;
    }
    Ok(verdicts)
}
