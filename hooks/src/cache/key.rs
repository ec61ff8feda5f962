//! The key that artifacts are sealed with. Who has it can have this host run
//! any native code, so it is a file that nobody else can read.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use thiserror::Error;

/// Bytes of a key.
const BYTES: usize = 32;

/// 32 secret bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct CacheKey([u8; BYTES]);

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file system says no.
    #[error("the key {}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read or write it.
    #[error(
        "the key {} has mode {mode:03o}, so others may have read it. Remove it: a new one is \
         made, and hooks are compiled again",
        path.display()
    )]
    Open {
        /// Where.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is somebody else's.
    #[error(
        "the key {} belongs to user {owner}, not to user {user} as whom this runs. Remove it or \
         set another path",
        path.display()
    )]
    Owner {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        user: u32,
    },
    /// It is not 32 bytes in a file.
    #[error("{} is not a key: a key is a file of {BYTES} bytes", path.display())]
    NotAKey {
        /// Where.
        path: PathBuf,
    },
}

impl CacheKey {
    /// A key from these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads the key at this path, or makes one from the system's random
    /// source if nothing is there. Of several processes that do this at once,
    /// all get the same.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            create(path).map_err(io)?;
        }
        load(path)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey(secret)")
    }
}

fn load(path: &Path) -> Result<CacheKey, KeyError> {
    let io = |source| KeyError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(io)?;
    // Of what is open, not of what the path may name by now.
    let metadata = file.metadata().map_err(io)?;
    let not_a_key = || KeyError::NotAKey {
        path: path.to_owned(),
    };
    if !metadata.is_file() || metadata.len() != BYTES as u64 {
        return Err(not_a_key());
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Open {
            path: path.to_owned(),
            mode,
        });
    }
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user {
        return Err(KeyError::Owner {
            path: path.to_owned(),
            owner: metadata.uid(),
            user,
        });
    }
    let mut bytes = [0; BYTES];
    file.read_exact(&mut bytes).map_err(|_| not_a_key())?;
    Ok(CacheKey(bytes))
}

/// A whole key appears at once, and never over one that is there.
fn create(path: &Path) -> io::Result<()> {
    let mut bytes = [0; BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}-{count}", std::process::id()));
    let unfinished = PathBuf::from(name);
    let linked = super::write(&unfinished, &[&bytes])
        .and_then(|()| fs::hard_link(&unfinished, path))
        .or_else(|error| {
            // Another process was quicker; its key is as good.
            if error.kind() == io::ErrorKind::AlreadyExists {
                return Ok(());
            }
            Err(error)
        });
    // There is a link under the right name, or there is no key.
    let _ = fs::remove_file(&unfinished);
    linked
}
