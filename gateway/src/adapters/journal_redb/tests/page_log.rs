//! The log in front of the pages, by itself.

use std::{fs, path::Path};

use redb::StorageBackend;

use super::{
    super::{
        OpenProblem,
        page_log::{FoundLog, LoggedPages, ReplayError, Shape},
    },
    disk::{Disk, Switches},
    files::Place,
    first_record,
};
use crate::ports::journal::Journal;

const BLOCK: usize = 4096;
const SHAPE: Shape = Shape {
    half: 8 * BLOCK,
    in_background: false,
};

fn zeros(length: usize) -> Disk {
    Disk::zeros(&Switches::default(), length)
}

fn open(pages: &Disk, log: &Disk) -> LoggedPages<Disk, Disk> {
    LoggedPages::open(pages.clone(), log.clone(), SHAPE).unwrap()
}

#[test]
fn pages_that_never_reached_their_file_come_from_the_log() {
    let (pages, log) = (zeros(4 * BLOCK), Disk::default());
    let before = pages.copy();
    let logged = open(&pages, &log);
    assert_eq!(logged.found(), FoundLog::Unused);
    for (offset, byte) in [(0, 1), (BLOCK, 2), (0, 3)] {
        logged.write(offset as u64, &[byte; BLOCK]).unwrap();
        logged.sync_data().unwrap();
    }
    logged.write(2 * BLOCK as u64, &[4; BLOCK]).unwrap();

    let again = open(&before, &log.copy());

    assert_eq!(again.found(), FoundLog::Used);
    let bytes = before.contents();
    let firsts = [0, 1, 2, 3].map(|page| bytes[page * BLOCK]);
    // The last write was not synced.
    assert_eq!(firsts, [3, 2, 0, 0]);
}

#[test]
fn a_sync_is_one_write_of_whole_blocks_and_the_halves_are_used_in_turn() {
    let (pages, log) = (zeros(64 * BLOCK), Disk::default());
    let at_first = pages.copy();
    let logged = open(&pages, &log);
    let mut last = at_first.copy();
    for page in 0..64_u8 {
        logged
            .write(u64::from(page) * BLOCK as u64, &[page + 1; BLOCK])
            .unwrap();
        logged.sync_data().unwrap();
        // Pages that lack all that the log still has are mended by it, from
        // wherever the last sync of the pages was.
        let lost = if page < 3 { &at_first } else { &last };
        let mended = lost.copy();
        drop(open(&mended, &log.copy()));
        assert_eq!(mended.contents(), pages.contents(), "page {page}");
        if page % 3 == 2 {
            last = pages.copy();
        }
    }
    assert_eq!(log.contents().len(), SHAPE.log_len());
}

#[test]
fn a_torn_record_is_as_if_it_had_not_been_and_hides_none_before_it() {
    let (pages, log) = (zeros(2 * BLOCK), Disk::default());
    let before = pages.copy();
    let logged = open(&pages, &log);
    logged.write(0, &[1; BLOCK]).unwrap();
    logged.sync_data().unwrap();
    logged.write(0, &[2; BLOCK]).unwrap();
    logged.sync_data().unwrap();
    // The first record takes two blocks, and so does the second.
    log.write(3 * BLOCK as u64 + 7, &[0xa5]).unwrap();

    drop(open(&before, &log));

    assert_eq!(before.contents()[0], 1);
}

#[test]
fn what_finds_no_room_in_the_log_goes_into_the_pages_and_nothing_older_undoes_it() {
    let (pages, log) = (zeros(32 * BLOCK), Disk::default());
    let logged = open(&pages, &log);
    logged.write(0, &[1; BLOCK]).unwrap();
    logged.sync_data().unwrap();
    for page in 0..20 {
        logged.write(page * BLOCK as u64, &[9; BLOCK]).unwrap();
    }
    logged.sync_data().unwrap();

    let left = pages.copy();
    drop(open(&left, &log));

    assert_eq!(left.contents()[0], 9);
    assert_eq!(left.contents()[19 * BLOCK], 9);
}

#[test]
fn a_closed_log_has_nothing_that_the_pages_lack() {
    let (pages, log) = (zeros(BLOCK), Disk::default());
    let logged = open(&pages, &log);
    logged.write(0, &[1; BLOCK]).unwrap();
    logged.sync_data().unwrap();
    logged.close().unwrap();
    let other = zeros(BLOCK);

    let again = open(&other, &log);

    assert_eq!(again.found(), FoundLog::Used);
    assert_eq!(other.contents()[0], 0);
}

#[test]
fn the_pages_are_synced_beside_the_commits_and_the_log_is_needed_until_then() {
    let (switches, log) = (Switches::default(), Disk::default());
    let pages = Disk::zeros(&switches, BLOCK);
    let before = pages.copy();
    let shape = Shape {
        in_background: true,
        ..SHAPE
    };
    let logged = LoggedPages::open(pages, log.clone(), shape).unwrap();
    switches.hold_syncs();
    // Three records fill a half but for its last block.
    for byte in 1..=4 {
        logged.write(0, &[byte; BLOCK]).unwrap();
        logged.sync_data().unwrap();
    }
    let crashed = log.copy();
    switches.wait_for_held_sync();
    switches.release_syncs();

    drop(open(&before, &crashed.copy()));
    assert_eq!(before.contents()[0], 4);

    crashed.write(0, &[0; BLOCK]).unwrap();
    let error = LoggedPages::open(before, crashed, SHAPE).unwrap_err();
    assert!(
        matches!(error, ReplayError::Gap { from: 1, to: 3 }),
        "{error}"
    );
}

#[tokio::test]
async fn a_journal_that_was_not_closed_is_refused_without_its_log() {
    let place = Place::new();
    let journal = place.open().unwrap();
    journal.append(first_record("execution")).await.unwrap();
    // As a crash leaves it.
    let copy = Place::new();
    for name in ["journal.redb", "journal.wal"] {
        let there = place.file().with_file_name(name);
        fs::copy(there, copy.file().with_file_name(name)).unwrap();
    }
    let log = copy.file().with_file_name("journal.wal");
    let kept = fs::read(&log).unwrap();

    for spoil in [remove as fn(&Path), blank] {
        spoil(&log);
        let error = copy.open().unwrap_err();
        assert!(matches!(error.problem, OpenProblem::LogMissing), "{error}");
        assert!(error.to_string().contains("journal.wal"), "{error}");
    }
    fs::write(&log, kept).unwrap();
    let journal = copy.open().unwrap();
    assert_eq!(
        journal.read(&"execution".into(), 0, 9).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_journal_that_was_closed_is_whole_without_its_log() {
    let place = Place::new();
    let journal = place.open().unwrap();
    journal.append(first_record("execution")).await.unwrap();
    drop(journal);
    remove(&place.file().with_file_name("journal.wal"));

    let journal = place.open().unwrap();

    assert_eq!(
        journal.read(&"execution".into(), 0, 9).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn the_log_of_a_journal_that_is_no_more_is_not_given_to_a_new_one() {
    let place = Place::new();
    let journal = place.open().unwrap();
    journal.append(first_record("execution")).await.unwrap();
    let other = Place::new();
    let log = "journal.wal";
    let there = place.file().with_file_name(log);
    fs::copy(there, other.file().with_file_name(log)).unwrap();

    drop(other.open().unwrap());

    let journal = other.open().unwrap();
    assert!(journal.heads(None, true, 9).await.unwrap().is_empty());
}

fn remove(log: &Path) {
    fs::remove_file(log).unwrap();
}

fn blank(log: &Path) {
    fs::write(log, vec![0; Shape::default().log_len()]).unwrap();
}
