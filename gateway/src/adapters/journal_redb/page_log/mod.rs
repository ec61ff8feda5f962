//! A log in front of the database's pages, which makes a commit one write in
//! one place.
//!
//! redb changes a dozen pages for a small commit, wherever they lie in its
//! file, and a disk takes far longer to make a dozen places durable than one.
//! So the pages go into their file as they come, and again, together, to the
//! end of a log; a sync makes only the log durable. The operating system
//! writes the pages back when it likes. Now and then, in the background,
//! they are synced as well, and the log is used again from its start: it has
//! two halves, and one is synced into the pages while the other is filled.
//!
//! When the database is opened, what the log holds and the pages may lack is
//! written to them again. That is what redb expects of a disk: everything
//! before the last sync is there, and of what came later any part.

mod halves;
mod record;
mod replay;

use std::{
    io,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard},
};

use redb::{BackendError, StorageBackend};

use self::halves::Log;

pub(super) use self::replay::ReplayError;

/// How the log is laid out, and when the pages are synced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Bytes of each half, whole blocks of 4 KiB. A commit that changes more
    /// syncs the pages instead.
    pub(super) half: usize,
    /// Whether the pages are synced by a thread, while commits go on.
    pub(super) in_background: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            half: 8 << 20,
            in_background: true,
        }
    }
}

impl Shape {
    /// The length of the log's file.
    pub(super) const fn log_len(self) -> usize {
        2 * self.half
    }
}

/// The pages of a database, and the log in front of them.
#[derive(Debug)]
pub(super) struct LoggedPages<P, L> {
    pages: Arc<P>,
    log: Mutex<Log<L>>,
    found: FoundLog,
}

/// What the log was when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoundLog {
    /// New, or emptied by somebody.
    Unused,
    /// With records, needed or not.
    Used,
}

impl<P: StorageBackend, L: StorageBackend> LoggedPages<P, L> {
    /// Gives the pages what the log holds and they may lack. A log that is
    /// shorter than the shape says has nothing in it, and is made longer.
    pub(super) fn open(pages: P, log: L, shape: Shape) -> Result<Self, ReplayError> {
        let pages = Arc::new(pages);
        let (log, found) = replay::replay(&pages, log, shape)?;
        Ok(Self {
            pages,
            log: Mutex::new(log),
            found,
        })
    }

    pub(super) fn found(&self) -> FoundLog {
        self.found
    }

    fn log(&self) -> io::Result<MutexGuard<'_, Log<L>>> {
        let poisoned = |_| io::Error::other("an earlier write panicked");
        self.log.lock().map_err(poisoned)
    }
}

impl<P: StorageBackend, L: StorageBackend> StorageBackend for LoggedPages<P, L> {
    fn len(&self) -> io::Result<u64> {
        self.pages.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.pages.read(offset, out)
    }

    /// Rare, so it need not be fast: nothing in the log is older than the
    /// pages' length.
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut log = self.log()?;
        self.pages.set_len(len)?;
        log.sync_pages(&self.pages)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.log()?.sync(&self.pages)
    }

    /// Locked throughout, so that a page's writes are in the log in the order
    /// in which they are in the pages.
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut log = self.log()?;
        self.pages.write(offset, data)?;
        log.add(offset, data);
        Ok(())
    }

    /// Leaves pages that are whole without the log.
    fn close(&self) -> io::Result<()> {
        let synced = self.log().and_then(|mut log| {
            let synced = log.sync_pages(&self.pages);
            synced.and(log.close())
        });
        self.pages.close().and(synced)
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.pages.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.pages.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.pages.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.pages.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.pages.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.pages.query_lock_range(start, end)
    }
}
