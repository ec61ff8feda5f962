//! The thread that writes: a batch of queued changes, one transaction, one
//! fsync, then every answer.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

use redb::{Database, Durability};
use tokio::sync::{mpsc, oneshot};

use super::{
    Store,
    batch::{Batch, Change, LiveLogs, Refusal, Verdict},
    failure::{Alarm, JournalFailure},
};

/// Changes in one transaction. More would make the first of them wait longer
/// and save little: at this size the fsync is no longer what costs.
const BATCH_LIMIT: usize = 512;

/// A change, and whoever waits for its verdict. A dropped `reply` means that
/// the fate of the change is unknown.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) change: Change,
    pub(super) reply: oneshot::Sender<Verdict>,
}

/// Why a change was not acknowledged.
#[derive(Debug)]
pub(super) enum WriteError {
    /// Nothing was written.
    Refused(Refusal),
    /// It may or may not be durable.
    Failed(JournalFailure),
}

pub(super) fn start(
    store: Arc<Store>,
    requests: mpsc::Receiver<Request>,
    alarm: Alarm,
) -> io::Result<JoinHandle<()>> {
    let queue = Queue(requests);
    thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || run(&store, queue, alarm))
}

/// The committer's end of the queue. Dropping it drops every request in it,
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

/// Runs until the journal is dropped or fails. After a failure or a panic the
/// batch and the queue are dropped with every reply in them, which tells those
/// callers. `alarm` comes last because the last argument is dropped first: it
/// tells of a panic before the queue is emptied.
fn run(store: &Store, mut queue: Queue, alarm: Alarm) {
    let mut logs = LiveLogs::default();
    let mut waiting = Vec::with_capacity(BATCH_LIMIT);
    while queue.0.blocking_recv_many(&mut waiting, BATCH_LIMIT) > 0 {
        match commit(&store.database, &waiting, &mut logs) {
            Ok(verdicts) => answer(&mut waiting, verdicts),
            Err(error) => return alarm.raise(&error),
        }
    }
}

fn answer(waiting: &mut Vec<Request>, verdicts: Vec<Verdict>) {
    for (request, verdict) in waiting.drain(..).zip(verdicts) {
        // A caller who left is no reason to stop.
        let _ = request.reply.send(verdict);
    }
}

/// Any error, also one before the commit, leaves the database unusable: redb
/// refuses everything after its first failed write.
fn commit(
    database: &Database,
    requests: &[Request],
    logs: &mut LiveLogs,
) -> Result<Vec<Verdict>, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    let mut verdicts = Vec::with_capacity(requests.len());
    {
        let mut batch = Batch::new(&transaction, logs);
        for request in requests {
            verdicts.push(batch.perform(&request.change)?);
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
