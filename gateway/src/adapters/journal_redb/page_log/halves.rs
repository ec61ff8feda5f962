//! Where records go, and when the pages are synced so that their place is
//! free again.
//!
//! A half is overwritten only once the synced pages have everything that its
//! records say, and a durable record says so (`since`). The last block of a
//! half is kept for the record that does.

use std::{io, sync::Arc, thread, thread::JoinHandle};

use redb::StorageBackend;

use super::{
    Shape,
    record::{BLOCK, Draft},
};

/// The log, and the record that the next sync will store.
#[derive(Debug)]
pub(super) struct Log<L> {
    file: L,
    shape: Shape,
    draft: Draft,
    /// The writes since the last sync are too many for the log.
    too_large: bool,
    /// What the next record is called.
    next: u64,
    /// The first record that the synced pages may lack.
    since: u64,
    /// What the newest stored record says of that.
    stored_since: u64,
    place: Place,
    /// Under way: from this record on, the pages may lack something.
    syncing: Option<(u64, JoinHandle<io::Result<()>>)>,
    failed: bool,
}

/// Where the next record goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// 0 or 1.
    pub(super) half: usize,
    /// Bytes from the start of the half.
    pub(super) at: usize,
}

impl<L: StorageBackend> Log<L> {
    /// A log whose pages are synced, and whose newest record ends at a place.
    pub(super) fn new(file: L, shape: Shape, next: u64, stored_since: u64, place: Place) -> Self {
        Self {
            file,
            shape,
            draft: Draft::new(),
            too_large: false,
            next,
            since: next,
            stored_since,
            place,
            syncing: None,
            failed: false,
        }
    }

    /// Adds a write that the pages were given.
    pub(super) fn add(&mut self, offset: u64, data: &[u8]) {
        self.too_large |= self.draft.len_with(data) > self.shape.half - BLOCK;
        if self.too_large {
            self.draft.clear();
        } else {
            self.draft.add(offset, data);
        }
    }

    /// Makes all writes durable. After an error nothing is tried again.
    pub(super) fn sync<P: StorageBackend>(&mut self, pages: &Arc<P>) -> io::Result<()> {
        if self.too_large {
            return self.sync_pages(pages);
        }
        if self.draft.is_empty() {
            return self.check();
        }
        self.attempt(|log| {
            if log.syncing.as_ref().is_some_and(|(_, it)| it.is_finished()) {
                log.settle()?;
            }
            if log.place.at + log.draft.stored_len() > log.shape.half - BLOCK {
                log.turn(pages)?;
            }
            log.store()
        })
    }

    /// Makes all writes durable in the pages themselves: no record before now
    /// is needed any more.
    pub(super) fn sync_pages<P: StorageBackend>(&mut self, pages: &Arc<P>) -> io::Result<()> {
        self.attempt(|log| {
            log.settle()?;
            pages.sync_data()?;
            log.draft.clear();
            log.too_large = false;
            // Not even this one.
            log.since = log.next + 1;
            log.store_since()
        })
    }

    pub(super) fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn check(&self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write failed"));
        }
        Ok(())
    }

    fn attempt(&mut self, act: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.check()?;
        // Until it has succeeded: it may panic.
        self.failed = true;
        act(self)?;
        self.failed = false;
        Ok(())
    }

    /// Goes on in the other half, and has the pages synced for this one.
    fn turn<P: StorageBackend>(&mut self, pages: &Arc<P>) -> io::Result<()> {
        self.settle()?;
        if self.stored_since < self.since {
            let draft = std::mem::replace(&mut self.draft, Draft::new());
            self.store_since()?;
            self.draft = draft;
        }
        if self.shape.in_background {
            let pages = Arc::clone(pages);
            let sync = thread::Builder::new().name("journal-pages".to_owned());
            self.syncing = Some((self.next, sync.spawn(move || pages.sync_data())?));
        } else {
            pages.sync_data()?;
            self.since = self.next;
        }
        self.flip();
        Ok(())
    }

    /// Waits until the pages are synced as far as was begun.
    fn settle(&mut self) -> io::Result<()> {
        if let Some((next, sync)) = self.syncing.take() {
            let panicked = |_| io::Error::other("syncing the pages panicked");
            sync.join().map_err(panicked).flatten()?;
            self.since = next;
        }
        Ok(())
    }

    /// Stores a record without writes.
    fn store_since(&mut self) -> io::Result<()> {
        if self.place.at > self.shape.half - BLOCK {
            self.flip();
        }
        self.store()
    }

    fn store(&mut self) -> io::Result<()> {
        let record = self.draft.seal(self.next, self.since);
        let length = record.len();
        let offset = self.place.half * self.shape.half + self.place.at;
        self.file.write(offset as u64, record)?;
        self.file.sync_data()?;
        self.draft.clear();
        self.stored_since = self.since;
        self.place.at += length;
        self.next += 1;
        Ok(())
    }

    fn flip(&mut self) {
        self.place = Place {
            half: 1 - self.place.half,
            at: 0,
        };
    }
}
