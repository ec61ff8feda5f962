//! A disk in memory whose next sync can be held or made to fail, and which
//! can be full.

use std::{
    io,
    sync::{Arc, Condvar, Mutex},
};

use redb::{StorageBackend, backends::InMemoryBackend};

/// What the disk does, and what it has done.
#[derive(Clone, Debug, Default)]
pub(super) struct Switches(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    /// No sync returns while this is set.
    held: bool,
    /// A sync is waiting because of it.
    holding: bool,
    failing: bool,
    panicking: bool,
    full: bool,
    syncs: usize,
}

/// A file; clones are the same file.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    bytes: Arc<InMemoryBackend>,
    switches: Switches,
}

impl Disk {
    pub(super) fn new(switches: &Switches) -> Self {
        Self {
            switches: switches.clone(),
            ..Self::default()
        }
    }

    /// One of so many zeros.
    pub(super) fn zeros(switches: &Switches, length: usize) -> Self {
        let disk = Self::new(switches);
        disk.set_len(length as u64).unwrap();
        disk
    }

    pub(super) fn contents(&self) -> Vec<u8> {
        let length = usize::try_from(self.len().unwrap()).unwrap();
        let mut contents = vec![0; length];
        self.read(0, &mut contents).unwrap();
        contents
    }

    /// Another file with what this one holds now, on a disk of its own.
    pub(super) fn copy(&self) -> Self {
        let contents = self.contents();
        let copy = Self::zeros(&Switches::default(), contents.len());
        copy.write(0, &contents).unwrap();
        copy
    }
}

impl Switches {
    pub(super) fn hold_syncs(&self) {
        self.change(|state| state.held = true);
    }

    pub(super) fn release_syncs(&self) {
        self.change(|state| state.held = false);
    }

    pub(super) fn fail_syncs(&self) {
        self.change(|state| state.failing = true);
    }

    pub(super) fn panic_at_next_sync(&self) {
        self.change(|state| state.panicking = true);
    }

    pub(super) fn fill_up(&self) {
        self.change(|state| state.full = true);
    }

    pub(super) fn syncs(&self) -> usize {
        self.0.0.lock().unwrap().syncs
    }

    /// Blocks until a sync is being held.
    pub(super) fn wait_for_held_sync(&self) {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap();
        drop(changed.wait_while(state, |state| !state.holding).unwrap());
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let (state, changed) = &*self.0;
        change(&mut state.lock().unwrap());
        changed.notify_all();
    }

    fn sync(&self) -> io::Result<()> {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.syncs += 1;
        state.holding = state.held;
        changed.notify_all();
        state = changed.wait_while(state, |state| state.held).unwrap();
        state.holding = false;
        if std::mem::take(&mut state.panicking) {
            drop(state);
            panic!("the disk panics");
        }
        if state.failing {
            return Err(io::Error::other("the disk is broken"));
        }
        Ok(())
    }

    fn check_room(&self) -> io::Result<()> {
        if self.0.0.lock().unwrap().full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.bytes.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.switches.check_room()?;
        self.bytes.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.switches.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.switches.check_room()?;
        self.bytes.write(offset, data)
    }
}
