//! Opening and creating the database file.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use redb::{Database, StorageBackend, backends::FileBackend};

use super::{
    DataDir, failure,
    page_log::{LoggedPages, ReplayError, Shape},
    tables,
};

/// How the database is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Memory for cached pages; at most half of it for unwritten ones.
    pub cache_bytes: usize,
}

impl Default for Settings {
    /// 64 MiB: the live executions of a busy gateway.
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
        }
    }
}

/// Why a journal file was not opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the journal {}: {problem}", file.display())]
pub struct OpenError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: OpenProblem,
}

/// What keeps a journal from being opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenProblem {
    /// Nothing of ours; it was not touched.
    #[error(
        "this is not a Tidegate journal ({reason}). It was left as it is: move it away, or give \
         another data directory"
    )]
    NotAJournal {
        /// How one can tell.
        reason: String,
    },
    /// Written by a newer version.
    #[error(
        "it has format {found}, and this version of Tidegate knows formats up to {supported}: \
         start the newer version, or give another data directory"
    )]
    NewerFormat {
        /// The file's format.
        found: u64,
        /// The newest format that this version knows.
        supported: u64,
    },
    /// It was a journal once.
    #[error("it is damaged ({reason}): restore it from a backup")]
    Damaged {
        /// What does not make sense.
        reason: String,
    },
    /// It was not closed, and what it wrote last is in a log that is gone.
    #[error(
        "it was not closed, and the log that belongs to it (journal.wal, beside it) is missing or \
         empty: put that file back, or restore both from a backup"
    )]
    LogMissing,
    /// Another process, or another part of this one, has it open.
    #[error("it is open already: stop the process that uses it")]
    InUse,
    /// No room to create or to repair it.
    #[error("{reason}: {remedy}, then start the gateway again")]
    NoRoom {
        /// What the system said.
        reason: io::Error,
        /// How there can be room again.
        remedy: &'static str,
    },
    /// The operating system refused.
    #[error("{0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for OpenProblem {
    fn from(error: io::Error) -> Self {
        match failure::room_for(&error) {
            Some(remedy) => Self::NoRoom {
                reason: error,
                remedy,
            },
            None => Self::Io(error),
        }
    }
}

/// redb has an error type for each of its operations; all convert into one.
macro_rules! from_redb {
    ($($error:ident),+) => {$(
        impl From<redb::$error> for OpenProblem {
            fn from(error: redb::$error) -> Self {
                classify(error.into())
            }
        }
    )+};
}

from_redb!(
    DatabaseError,
    StorageError,
    TransactionError,
    TableError,
    CommitError
);

fn classify(error: redb::Error) -> OpenProblem {
    use redb::Error;
    let reason = error.to_string();
    if let Error::Io(error) = error {
        if error.kind() == io::ErrorKind::InvalidData {
            // So redb reports a wrong magic number.
            return OpenProblem::NotAJournal { reason };
        }
        if error.kind() == io::ErrorKind::UnexpectedEof {
            // The file is shorter than its header says.
            return OpenProblem::Damaged { reason };
        }
        return error.into();
    }
    if matches!(error, Error::DatabaseAlreadyOpen) {
        return OpenProblem::InUse;
    }
    if matches!(error, Error::UpgradeRequired(_)) {
        return OpenProblem::NotAJournal { reason };
    }
    OpenProblem::Damaged { reason }
}

impl From<ReplayError> for OpenProblem {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Gap { .. } => Self::Damaged {
                reason: error.to_string(),
            },
            ReplayError::Io(error) => error.into(),
        }
    }
}

/// Opens the journal of a data directory, or creates it.
pub(super) fn open_in(directory: &DataDir, settings: &Settings) -> Result<Database, OpenProblem> {
    let found = File::options()
        .read(true)
        .write(true)
        .open(directory.journal_file());
    let file = match found {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return create_in(directory, settings);
        }
        Err(error) => return Err(error.into()),
    };
    if file.metadata()?.len() == 0 {
        // redb would start anew here, and hide that a history was lost.
        return Err(OpenProblem::NotAJournal {
            reason: "it is empty".to_owned(),
        });
    }
    let log = open_log(directory)?;
    open_database(FileBackend::new(file)?, log, Shape::default(), settings)
}

/// Creates the database under another name, so that a crash in the middle
/// leaves no half of one.
fn create_in(directory: &DataDir, settings: &Settings) -> Result<Database, OpenProblem> {
    let file = directory.journal_file();
    let unfinished = file.with_extension("redb.new");
    let created = create_unfinished(directory, &unfinished, settings).and_then(|database| {
        fs::rename(&unfinished, &file)?;
        File::open(directory.path())?.sync_all()?;
        Ok(database)
    });
    if created.is_err() {
        // The error that is reported says more than one of tidying up.
        let _ = fs::remove_file(&unfinished);
        let _ = fs::remove_file(directory.journal_log());
    }
    created
}

fn create_unfinished(
    directory: &DataDir,
    path: &Path,
    settings: &Settings,
) -> Result<Database, OpenProblem> {
    remove_if_there(path)?;
    // Of a database that is no more.
    remove_if_there(&directory.journal_log())?;
    let log = open_log(directory)?;
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    open_database(FileBackend::new(file)?, log, Shape::default(), settings)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The log's file, in its whole length: a disk that fills up later does not
/// matter to it, and a sync need not store where its blocks are.
fn open_log(directory: &DataDir) -> Result<FileBackend, OpenProblem> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(directory.journal_log())?;
    let whole = Shape::default().log_len() as u64;
    let length = file.metadata()?.len();
    if length < whole {
        file.seek(SeekFrom::End(0))?;
        io::copy(&mut io::repeat(0).take(whole - length), &mut file)?;
        file.sync_all()?;
        File::open(directory.path())?.sync_all()?;
    }
    Ok(FileBackend::new(file)?)
}

/// Opens what two files hold, after a crash repairs it, and checks that it is
/// ours; makes it ours if it is empty.
pub(super) fn open_database(
    pages: impl StorageBackend,
    log: impl StorageBackend,
    shape: Shape,
    settings: &Settings,
) -> Result<Database, OpenProblem> {
    let pages = LoggedPages::open(pages, log, shape)?;
    let found = pages.found();
    // redb trusts a file that starts well, and panics on some damage.
    let opened = panic::catch_unwind(AssertUnwindSafe(|| {
        let database = Database::builder()
            .set_cache_size(settings.cache_bytes)
            .create_with_backend(pages)?;
        tables::prepare(&database, found)?;
        Ok(database)
    }));
    opened.unwrap_or_else(|_panic| {
        Err(OpenProblem::Damaged {
            reason: "its pages make no sense".to_owned(),
        })
    })
}
