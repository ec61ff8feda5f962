use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::Database;
use tempfile::TempDir;

use super::first_record;
use crate::{
    adapters::journal_redb::{
        DataDir, OpenError, OpenProblem, RedbJournal, Settings,
        tables::{FORMAT, OPEN_FORMAT, VERSION},
    },
    ports::journal::Journal,
};

#[test]
fn a_new_journal_is_private_and_leaves_nothing_beside_it() {
    let place = Place::new();
    drop(place.open().unwrap());

    let mode = fs::metadata(place.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(place.names(), ["journal.redb", "journal.wal", "lock"]);
}

#[test]
fn what_a_crash_left_of_a_creation_is_replaced() {
    let place = Place::new();
    fs::write(place.path().join("journal.redb.new"), "half a database").unwrap();

    drop(place.open().unwrap());

    assert_eq!(place.names(), ["journal.redb", "journal.wal", "lock"]);
}

#[test]
fn an_open_journal_locks_its_directory_until_it_is_dropped() {
    let place = Place::new();
    let journal = place.open().unwrap();
    assert!(DataDir::open(place.path()).is_err());

    drop(journal);

    DataDir::open(place.path()).unwrap();
}

#[test]
fn garbage_is_refused_and_left_as_it_was() {
    for garbage in [&b""[..], b"short", &[0; 4096], &[0xa5; 1 << 20]] {
        let place = Place::new();
        fs::write(place.file(), garbage).unwrap();

        let error = place.open().unwrap_err();

        assert!(matches!(error.problem, OpenProblem::NotAJournal { .. }));
        assert!(error.to_string().contains(place.file().to_str().unwrap()));
        assert_eq!(fs::read(place.file()).unwrap(), garbage);
    }
}

#[test]
fn a_database_of_something_else_is_refused() {
    const TABLE: redb::TableDefinition<u64, u64> = redb::TableDefinition::new("something");
    let place = Place::new();
    let other = Database::create(place.file()).unwrap();
    let transaction = other.begin_write().unwrap();
    transaction.open_table(TABLE).unwrap();
    transaction.commit().unwrap();
    drop(other);

    let error = place.open().unwrap_err();

    assert!(matches!(error.problem, OpenProblem::NotAJournal { .. }));
}

#[test]
fn a_newer_format_is_refused_with_both_versions_named() {
    let place = Place::new();
    drop(place.open().unwrap());
    let database = Database::open(place.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut format = transaction.open_table(FORMAT).unwrap();
    format.insert(VERSION, OPEN_FORMAT + 1).unwrap();
    drop(format);
    transaction.commit().unwrap();
    drop(database);

    let error = place.open().unwrap_err();

    let OpenProblem::NewerFormat { found, supported } = error.problem else {
        panic!("{error}");
    };
    assert_eq!((found, supported), (OPEN_FORMAT + 1, OPEN_FORMAT));
}

#[tokio::test]
async fn a_journal_cut_short_is_damaged() {
    let place = Place::new();
    let journal = place.open().unwrap();
    journal.append(first_record("execution")).await.unwrap();
    drop(journal);
    let file = fs::File::options().write(true).open(place.file()).unwrap();

    for length in [400, 5000, file.metadata().unwrap().len() / 2] {
        file.set_len(length).unwrap();
        let error = place.open().unwrap_err();
        assert!(
            matches!(error.problem, OpenProblem::Damaged { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_directory_in_the_journals_place_is_named() {
    let place = Place::new();
    fs::create_dir(place.file()).unwrap();

    let error = place.open().unwrap_err();

    assert!(matches!(error.problem, OpenProblem::Io(_)), "{error}");
    assert!(error.to_string().contains(place.file().to_str().unwrap()));
}

/// A directory that goes away with the test.
pub(super) struct Place(TempDir);

impl Place {
    pub(super) fn new() -> Self {
        let private = fs::Permissions::from_mode(0o700);
        let mut directory = tempfile::Builder::new();
        Self(directory.permissions(private).tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn file(&self) -> PathBuf {
        self.path().join("journal.redb")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(super) fn open(&self) -> Result<RedbJournal, OpenError> {
        let directory = Arc::new(DataDir::open(self.path()).unwrap());
        RedbJournal::open(directory, &Settings::default())
    }
}
