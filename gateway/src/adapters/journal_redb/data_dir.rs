//! The directory that a process keeps its data in, and the lock on it.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// A private directory, locked for this process while this value lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Closing it releases the lock.
    _lock: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Something else is there.
    #[error("{} is not a directory: give another data directory", path.display())]
    NotADirectory {
        /// The path that was given.
        path: PathBuf,
    },
    /// The group or others can reach it. Plans and records name hosts and
    /// accounts.
    #[error(
        "the data directory {0} is open to other users (mode {mode:03o}); run: chmod 700 '{0}'",
        path.display()
    )]
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another process holds the lock.
    #[error(
        "the data directory {0} is in use by another process: stop that one (`fuser '{0}/lock'` \
         shows it), or give this one a data directory of its own",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot use the data directory {}: {source}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DataDir {
    /// Locks a directory for this process; creates it, with the directories
    /// above it, if it does not exist.
    ///
    /// # Errors
    /// If it is not a directory of this user's alone, or is locked.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DataDirError> {
        let path = path.into();
        let refused = |source| DataDirError::Io {
            path: path.clone(),
            source,
        };
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => check_private(&path, &metadata.permissions())?,
            Ok(_) => return Err(DataDirError::NotADirectory { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(&path).map_err(refused)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(DataDirError::NotADirectory { path });
            }
            Err(error) => return Err(refused(error)),
        }
        let lock = open_lock_file(&path).map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path }),
            Err(TryLockError::Error(error)) => Err(refused(error)),
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The journal's database file, whether it exists or not.
    #[must_use]
    pub fn journal_file(&self) -> PathBuf {
        self.path.join("journal.redb")
    }

    /// The log in front of that file, whether it exists or not.
    pub(super) fn journal_log(&self) -> PathBuf {
        self.path.join("journal.wal")
    }
}

fn check_private(path: &Path, permissions: &Permissions) -> Result<(), DataDirError> {
    let mode = permissions.mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(DataDirError::NotPrivate {
        path: path.to_owned(),
        mode,
    })
}

fn create(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // The name of the directory lives in the one above it: without this, a
    // loss of power could take the whole directory away.
    let path = path.canonicalize()?;
    path.parent()
        .map_or(Ok(()), |above| File::open(above)?.sync_all())
}

fn open_lock_file(directory: &Path) -> io::Result<File> {
    File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(directory.join("lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_directory_and_its_lock_are_private() {
        let above = tempfile::tempdir().unwrap();
        let directory = DataDir::open(above.path().join("deep/data")).unwrap();
        assert_eq!(mode_of(directory.path()), 0o700);
        assert_eq!(mode_of(&directory.path().join("lock")), 0o600);
    }

    #[test]
    fn a_directory_open_to_others_is_refused_with_the_command_that_fixes_it() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("data");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();

        let error = DataDir::open(&path).unwrap_err();

        let command = format!("chmod 700 '{}'", path.display());
        assert!(error.to_string().ends_with(&command), "{error}");
        assert!(error.to_string().contains("mode 750"), "{error}");
        assert!(!path.join("lock").exists());
    }

    #[test]
    fn a_second_holder_is_refused_until_the_first_is_gone() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("data");
        let first = DataDir::open(&path).unwrap();

        let error = DataDir::open(&path).unwrap_err();
        assert!(matches!(error, DataDirError::InUse { .. }));
        assert!(error.to_string().contains(path.to_str().unwrap()));

        drop(first);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn a_file_is_not_a_directory_and_nor_is_a_path_below_it() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("data");
        fs::write(&path, "something").unwrap();

        for path in [path.clone(), path.join("below")] {
            let error = DataDir::open(path).unwrap_err();
            assert!(matches!(error, DataDirError::NotADirectory { .. }));
        }
        assert_eq!(fs::read(&path).unwrap(), b"something");
    }

    #[test]
    fn a_directory_that_cannot_be_created_is_named() {
        // Nobody creates folders there, not even root.
        let path = Path::new("/proc/tidegate");

        let error = DataDir::open(path).unwrap_err();

        assert!(matches!(error, DataDirError::Io { .. }));
        assert!(error.to_string().contains("/proc/tidegate"), "{error}");
    }
}
