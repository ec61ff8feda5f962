//! Compiled artifacts on disk. Loading one means running it as native code
//! with nothing checked, so each is authenticated: whatever is not exactly
//! what this host has stored for this component and this engine is not
//! loaded. The cache is never the reason why a recovery fails: what is wrong
//! with it is logged, and the component is compiled again.

mod key;
mod sealed;
mod settings;

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use thiserror::Error;
use tracing::warn;

pub use self::{
    key::{CacheKey, KeyError},
    settings::EngineSettings,
};
use crate::{Digest, engine::EngineError};

/// Bytes of a file that are read. Compilation makes none that is larger.
const FILE_BYTES: u64 = 512 << 20;

/// What the names of artifacts end with.
const ENDING: &str = ".artifact";

/// What the names of unfinished files end with.
const UNFINISHED: &str = ".new";

/// Why the cache cannot be opened or written.
#[derive(Debug, Error)]
pub enum CacheError {
    /// The file system says no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A directory of artifacts. One file per component and engine; several
/// processes may share it.
#[derive(Debug)]
pub struct ArtifactCache {
    directory: PathBuf,
    key: CacheKey,
    settings: EngineSettings,
}

impl ArtifactCache {
    /// Opens the cache of this crate's engine, and makes the directory if
    /// there is none.
    pub fn open(directory: impl Into<PathBuf>, key: CacheKey) -> Result<Self, CacheError> {
        Self::open_for(directory, key, EngineSettings::current()?)
    }

    /// Opens the cache of an engine.
    pub fn open_for(
        directory: impl Into<PathBuf>,
        key: CacheKey,
        settings: EngineSettings,
    ) -> Result<Self, CacheError> {
        let directory = directory.into();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(|source| CacheError::Io {
                path: directory.clone(),
                source,
            })?;
        Ok(Self {
            directory,
            key,
            settings,
        })
    }

    /// The artifact of a component, if exactly that is there. Anything else
    /// is logged and removed.
    #[must_use]
    pub fn load(&self, digest: &Digest) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let problem = match read(&path) {
            Ok(sealed) => match sealed::open(sealed, &self.key, &self.settings, digest) {
                Some(artifact) => return Some(artifact),
                None => "it is not what this host has stored".to_owned(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        warn!(%digest, path = %path.display(), problem, "a cached artifact is not used; the component is compiled again");
        if let Err(error) = fs::remove_file(&path) {
            warn!(path = %path.display(), %error, "it cannot be removed");
        }
        None
    }

    /// Stores the artifact of a component, in place of any that is there.
    /// It is on disk when this returns.
    pub fn store(&self, digest: &Digest, artifact: &[u8]) -> Result<(), CacheError> {
        let path = self.path(digest);
        let seal = sealed::seal(artifact, &self.key, &self.settings, digest);
        let unfinished = self.unfinished();
        let io = |source| CacheError::Io {
            path: path.clone(),
            source,
        };
        let written = write(&unfinished, &[&seal, artifact]).and_then(|()| {
            fs::rename(&unfinished, &path)?;
            File::open(&self.directory)?.sync_all()
        });
        written.map_err(|error| {
            // The rename may have taken it.
            let _ = fs::remove_file(&unfinished);
            io(error)
        })
    }

    /// Removes the artifacts of all components but these, those of other
    /// engines, and what a crash has left unfinished. Says how many files
    /// that were.
    pub fn prune(&self, keep: &[Digest]) -> Result<usize, CacheError> {
        let keep: Vec<_> = keep.iter().map(|digest| self.name(digest)).collect();
        let io = |source| CacheError::Io {
            path: self.directory.clone(),
            source,
        };
        let mut removed = 0;
        for entry in fs::read_dir(&self.directory).map_err(io)? {
            let entry = entry.map_err(io)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let ours = name.ends_with(ENDING) || name.ends_with(UNFINISHED);
            if ours && !keep.contains(&name) {
                fs::remove_file(entry.path()).map_err(io)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Where the artifact of a component is or would be.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.directory.join(self.name(digest))
    }

    fn name(&self, digest: &Digest) -> String {
        format!("{}-{}{ENDING}", digest.hex(), self.settings.short())
    }

    fn unfinished(&self) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        self.directory
            .join(format!("{process}-{count}{UNFINISHED}"))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A new file that nobody else can read, on disk.
fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    // Left over from an earlier process of the same number.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}
