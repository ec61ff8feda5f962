//! A disk with two files, whose power goes at a chosen operation.
//!
//! What was written since the last sync is a list of writes that the disk may
//! carry out in any order, or not: after the cut each sector of 512 bytes
//! holds what was synced, what any of the later writes to it made of it, or a
//! torn mixture of two of them. The file's length is that of the last sync or
//! any that was set since. [`Syncs::Lying`] is a disk that says "synced" and
//! may have kept nothing: the control, which the harness must catch.

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use redb::StorageBackend;

use super::random::Random;

const SECTOR: usize = 512;

/// Whether a sync that succeeds has done anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syncs {
    Honest,
    /// One in so many does nothing.
    Lying {
        one_in: usize,
    },
    /// None of the pages does anything; the log's do.
    LyingOfPages,
}

/// What the disk is told to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// At which write, sync or change of length the power goes, from 1.
    pub(super) at: usize,
    pub(super) syncs: Syncs,
}

/// What the two files hold: the pages, and the log.
pub(super) type Image = [Vec<u8>; 2];

/// A disk until its power goes.
#[derive(Debug)]
pub(super) struct PowerDisk(Arc<(Mutex<State>, Condvar)>);

/// One of its files.
#[derive(Debug)]
pub(super) struct PowerFile {
    disk: PowerDisk,
    number: usize,
}

#[derive(Debug)]
struct State {
    files: [File; 2],
    cut: Option<Cut>,
    operations: usize,
    off: bool,
    /// The next operation waits while this is set.
    held: bool,
    /// An operation waits because of it.
    holding: bool,
    random: Random,
}

#[derive(Debug)]
struct File {
    /// What a read sees.
    bytes: Vec<u8>,
    /// What a loss of power cannot take away.
    synced: Vec<u8>,
    unsynced: Vec<Unsynced>,
}

#[derive(Debug)]
enum Unsynced {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
}

impl PowerDisk {
    /// A disk that holds this. Without a cut it never loses its power.
    pub(super) fn new(image: Image, cut: Option<Cut>, random: Random) -> Self {
        let state = State {
            files: image.map(|bytes| File {
                synced: bytes.clone(),
                bytes,
                unsynced: Vec::new(),
            }),
            cut,
            operations: 0,
            off: false,
            held: false,
            holding: false,
            random,
        };
        Self(Arc::new((Mutex::new(state), Condvar::new())))
    }

    /// The pages and the log.
    pub(super) fn files(&self) -> [PowerFile; 2] {
        [0, 1].map(|number| PowerFile {
            disk: Self(Arc::clone(&self.0)),
            number,
        })
    }

    pub(super) fn is_off(&self) -> bool {
        self.lock().off
    }

    /// How many operations there were.
    pub(super) fn operations(&self) -> usize {
        self.lock().operations
    }

    /// Makes the next operation wait for [`PowerDisk::release`].
    pub(super) fn hold(&self) {
        self.lock().held = true;
    }

    /// Blocks until an operation waits.
    pub(super) fn wait_for_held(&self) {
        let state = self.lock();
        let held = self.0.1.wait_while(state, |state| !state.holding);
        drop(held.expect("no test panics in here"));
    }

    pub(super) fn release(&self) {
        self.lock().held = false;
        self.0.1.notify_all();
    }

    /// Takes the power away, if it is not gone yet, and looks what is there
    /// when it comes back.
    pub(super) fn after_power_loss(&self) -> Image {
        let mut state = self.lock();
        state.off = true;
        let State { files, random, .. } = &mut *state;
        files.each_mut().map(|file| file.surviving(random))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().expect("no test panics in here")
    }

    /// One operation that changes something. At the cut it is begun, and the
    /// power goes before it ends.
    fn operate(
        &self,
        operation: impl FnOnce(&mut State, bool) -> io::Result<()>,
    ) -> io::Result<()> {
        let (_, changed) = &*self.0;
        let mut state = self.lock();
        state.holding = state.held;
        changed.notify_all();
        let held = changed.wait_while(state, |state| state.held);
        state = held.expect("no test panics in here");
        state.holding = false;
        state.check_power()?;
        state.operations += 1;
        let cut = state.cut.is_some_and(|cut| state.operations == cut.at);
        state.off = cut;
        operation(&mut state, cut)?;
        state.check_power()
    }
}

impl StorageBackend for PowerFile {
    fn len(&self) -> io::Result<u64> {
        let state = self.disk.lock();
        state.check_power()?;
        Ok(state.files[self.number].bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.disk.lock();
        state.check_power()?;
        let range = range(offset, out.len());
        let bytes = state.files[self.number].bytes.get(range);
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.operate(|state, _| {
            let file = &mut state.files[self.number];
            let length = usize::try_from(len).expect("a small file");
            file.bytes.resize(length, 0);
            file.unsynced.push(Unsynced::Length(length));
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.operate(|state, cut| {
            if !cut && !state.lies(self.number) {
                state.files[self.number].sync();
            }
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.operate(|state, _| {
            let file = &mut state.files[self.number];
            let range = range(offset, data.len());
            let place = file.bytes.get_mut(range.clone());
            place
                .ok_or(io::ErrorKind::UnexpectedEof)?
                .copy_from_slice(data);
            let data = data.to_vec();
            let offset = range.start;
            file.unsynced.push(Unsynced::Write { offset, data });
            Ok(())
        })
    }
}

impl State {
    fn check_power(&self) -> io::Result<()> {
        if self.off {
            return Err(io::Error::other("the power is off"));
        }
        Ok(())
    }

    fn lies(&mut self, file: usize) -> bool {
        match self.cut.map(|cut| cut.syncs) {
            Some(Syncs::Lying { one_in }) => self.random.one_in(one_in),
            Some(Syncs::LyingOfPages) => file == 0,
            Some(Syncs::Honest) | None => false,
        }
    }
}

impl File {
    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            match change {
                Unsynced::Write { offset, data } => {
                    self.synced[offset..offset + data.len()].copy_from_slice(&data);
                }
                Unsynced::Length(length) => self.synced.resize(length, 0),
            }
        }
    }

    /// What the disk holds when the power is back.
    fn surviving(&mut self, random: &mut Random) -> Vec<u8> {
        let mut image = self.synced.clone();
        let unsynced = std::mem::take(&mut self.unsynced);
        let mut lengths = vec![image.len()];
        for change in &unsynced {
            if let Unsynced::Length(length) = change {
                lengths.push(*length);
            }
        }
        image.resize(lengths.iter().copied().max().unwrap_or(0), 0);
        let fates = fates(&unsynced, random);
        let mut writes_of = BTreeMap::new();
        for (sector, part) in sectors(&unsynced) {
            let write = writes_of.entry(sector).or_insert(0_usize);
            *write += 1;
            let fate = fates[&sector];
            let kept = if *write <= fate.writes {
                part.bytes.len()
            } else if *write == fate.writes + 1 {
                fate.torn_after.min(part.bytes.len())
            } else {
                0
            };
            image[part.offset..part.offset + kept].copy_from_slice(&part.bytes[..kept]);
        }
        image.truncate(random.pick(&lengths));
        image
    }
}

/// What becomes of the unsynced writes to a sector.
#[derive(Clone, Copy)]
struct Fate {
    /// So many, the earliest, are there.
    writes: usize,
    /// And so many bytes of the next.
    torn_after: usize,
}

/// The part of a write that falls into one sector.
struct Part<'a> {
    offset: usize,
    bytes: &'a [u8],
}

/// How much is kept varies from cut to cut: nothing, all, or anything between.
fn fates(unsynced: &[Unsynced], random: &mut Random) -> BTreeMap<usize, Fate> {
    let mut writes = BTreeMap::new();
    for (sector, _) in sectors(unsynced) {
        *writes.entry(sector).or_insert(0_usize) += 1;
    }
    let kept_of_eight = random.pick(&[0, 1, 4, 7, 8]);
    let fate = |(sector, writes): (usize, usize)| {
        let kept = random.below(8) < kept_of_eight;
        let fate = if kept {
            Fate {
                writes,
                torn_after: 0,
            }
        } else {
            let torn = kept_of_eight > 0 && random.one_in(8);
            Fate {
                writes: random.below(if kept_of_eight > 0 { writes } else { 1 }),
                torn_after: if torn { random.below(SECTOR) } else { 0 },
            }
        };
        (sector, fate)
    };
    writes.into_iter().map(fate).collect()
}

/// Every write, cut at the borders of sectors, in order.
fn sectors(unsynced: &[Unsynced]) -> impl Iterator<Item = (usize, Part<'_>)> {
    unsynced.iter().flat_map(|change| {
        let (mut offset, mut rest) = match change {
            Unsynced::Write { offset, data } => (*offset, data.as_slice()),
            Unsynced::Length(_) => (0, &[][..]),
        };
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let room = SECTOR - offset % SECTOR;
            let (bytes, later) = rest.split_at(room.min(rest.len()));
            let part = Part { offset, bytes };
            offset += bytes.len();
            rest = later;
            Some((part.offset / SECTOR, part))
        })
    })
}

fn range(offset: u64, length: usize) -> Range<usize> {
    let start = usize::try_from(offset).expect("a small file");
    start..start + length
}
