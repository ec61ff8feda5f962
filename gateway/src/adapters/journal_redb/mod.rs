//! The embedded journal: executions, plans, hooks and tapes in one redb file.
//!
//! In front of the file is a log (`page_log`), so that a commit is one write in
//! one place.
//!
//! One write transaction at a time. A caller that finds the journal idle
//! performs its change by itself: two switches of threads take longer than the
//! fsync. Other changes, and all that are large, queue; a thread takes what is
//! queued, performs the changes one by one inside one transaction, makes it
//! durable with one fsync, and answers everyone. Alone, a writer waits for
//! nobody; many writers share an fsync. Reads see the last commit and never
//! wait for one.
//!
//! After any error of a commit the journal is poisoned: what the
//! operating system says of a file after a failed fsync cannot be relied on,
//! so nothing is tried again. [`RedbJournal::fatal`] tells the composition
//! root, which stops the process. This module does not stop it.

mod batch;
mod committer;
mod data_dir;
mod executions;
mod failure;
mod hook_rows;
mod hooks;
mod inline;
mod open;
mod page_log;
mod plans;
mod tables;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread::JoinHandle,
};

use redb::{Database, ReadTransaction, ReadableDatabase};
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::{
    batch::{Change, Outcome},
    committer::{Committer, Failed, Request, WriteError},
    failure::FailureWatch,
    inline::Inline,
};
use crate::ports::journal::ReadError;

pub use self::{
    data_dir::{DataDir, DataDirError},
    failure::JournalFailure,
    open::{OpenError, OpenProblem, Settings},
};

/// Changes that may wait for the thread. Callers above that wait for room.
const QUEUE_LIMIT: usize = 1024;
/// Reads on blocking threads at a time. More would not be faster, and every
/// thread keeps memory for what it may need next.
const READS_AT_ONCE: usize = 8;

/// A journal, plan store and hook store in one file. Dropping it waits for the commit
/// under way and closes the file.
#[derive(Debug)]
pub struct RedbJournal {
    store: Arc<Store>,
    /// `None` only while the journal is being dropped.
    queue: Option<mpsc::Sender<Request>>,
    committer: Arc<Committer>,
    thread: Option<JoinHandle<()>>,
    inline: Inline,
    reads: Arc<Semaphore>,
    failure: FailureWatch,
}

/// The database and the lock that guards it, in the order in which they are
/// let go.
#[derive(Debug)]
struct Store {
    database: Database,
    _directory: Option<Arc<DataDir>>,
}

impl RedbJournal {
    /// Opens the journal of a data directory, or creates it. The directory
    /// stays locked until the journal and its last read are gone.
    ///
    /// # Errors
    /// If the file is not a journal that this version can use. No table in it
    /// is then changed, and a file that is no database not at all.
    pub fn open(directory: Arc<DataDir>, settings: &Settings) -> Result<Self, OpenError> {
        let opened = open::open_in(&directory, settings)
            .and_then(|database| Self::start(database, Some(Arc::clone(&directory))));
        opened.map_err(|problem| OpenError {
            file: directory.journal_file(),
            problem,
        })
    }

    /// Opens the journal on disks of a test's, or creates it there if they
    /// are empty. Creation is not atomic here: power lost in the middle of it
    /// leaves what is refused as no journal.
    #[cfg(test)]
    fn on_disks(
        pages: impl redb::StorageBackend,
        log: impl redb::StorageBackend,
        shape: page_log::Shape,
        settings: &Settings,
    ) -> Result<Self, OpenProblem> {
        Self::start(open::open_database(pages, log, shape, settings)?, None)
    }

    /// Ends once the journal has failed, and never before: the process must
    /// then stop.
    pub fn fatal(&self) -> impl Future<Output = JournalFailure> + Send + use<> {
        self.failure.clone().failed()
    }

    fn start(database: Database, directory: Option<Arc<DataDir>>) -> Result<Self, OpenProblem> {
        let file = directory.as_ref().map(|directory| directory.journal_file());
        let store = Arc::new(Store {
            database,
            _directory: directory,
        });
        let (queue, requests) = mpsc::channel(QUEUE_LIMIT);
        let (alarm, failure) = failure::channel(file);
        let committer = Arc::new(Committer::new(Arc::clone(&store), alarm));
        let thread = committer.start(requests)?;
        Ok(Self {
            store,
            queue: Some(queue),
            committer,
            thread: Some(thread),
            inline: Inline::default(),
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
            failure,
        })
    }

    /// Performs a change, or has it performed, and waits for its commit. A
    /// change that was handed over is performed even if the caller leaves.
    async fn submit(&self, change: Change) -> Result<Outcome, WriteError> {
        if let Some(verdict) = self.commit_inline(&change) {
            return verdict;
        }
        let queue = self
            .queue
            .as_ref()
            .expect("set until the journal is dropped");
        let (reply, answer) = oneshot::channel();
        let place = self.committer.place();
        let request = Request {
            change,
            reply,
            place,
        };
        if queue.send(request).await.is_err() {
            return Err(WriteError::Failed(self.failure.reason()));
        }
        match answer.await {
            Ok(verdict) => verdict.map_err(WriteError::Refused),
            Err(_unanswered) => Err(WriteError::Failed(self.failure.reason())),
        }
    }

    /// Performs a change here and now, if that is better than to queue.
    fn commit_inline(&self, change: &Change) -> Option<Result<Outcome, WriteError>> {
        if !change.is_small() {
            return None;
        }
        let _turn = self.inline.enter()?;
        let verdict = self.committer.commit_alone(change)?;
        Some(match verdict {
            Ok(verdict) => verdict.map_err(WriteError::Refused),
            Err(Failed) => Err(WriteError::Failed(self.failure.reason())),
        })
    }

    /// Reads on a blocking thread, since pages may have to come from disk.
    async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&ReadTransaction) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let store = Arc::clone(&self.store);
        // Never closed. The read keeps its turn, even if the caller leaves.
        let turn = Arc::clone(&self.reads).acquire_owned().await;
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            store.query(query)
        });
        let stopping = || ReadError::Unavailable("the process is stopping".to_owned());
        read.await.unwrap_or_else(|_cancelled| Err(stopping()))
    }

    /// Reads a row or two: here and now, if that is better than to wait for
    /// another thread.
    async fn query_row<T: Send + 'static>(
        &self,
        query: impl FnOnce(&ReadTransaction) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        if let Some(_turn) = self.inline.enter() {
            return self.store.query(query);
        }
        self.query(query).await
    }
}

impl Store {
    fn query<T>(
        &self,
        query: impl FnOnce(&ReadTransaction) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let read = || query(&self.database.begin_read().map_err(unreadable)?);
        // redb checks pages as it uses them, and panics on some damage.
        panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_panic| {
            let why = "a read met data that makes no sense";
            Err(ReadError::Damaged(why.to_owned()))
        })
    }
}

impl Drop for RedbJournal {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of a commit has been reported through `fatal`.
            let _ = thread.join();
        }
        self.committer.close();
    }
}

fn unreadable(error: impl Into<redb::Error>) -> ReadError {
    let error = error.into();
    if let redb::Error::Corrupted(reason) = error {
        ReadError::Damaged(reason)
    } else {
        ReadError::Unavailable(error.to_string())
    }
}
