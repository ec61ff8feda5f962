//! What it takes to run hooks on this machine.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use thiserror::Error;
use tidegate_hooks::{
    ArtifactCache, CacheError, CacheKey, CompileLimits, Compiler, EngineError, Host, KeyError,
    Network, Setting,
};

use super::Parts;
use crate::ports::{clock::Clock, hook_store::HookStore};

/// The argument with which a program is asked to compile.
const COMPILE: &str = "hook-compiler";

/// How hooks are run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Program that compiles; `None` for the running one.
    pub compiler: Option<PathBuf>,
    /// Compilations at a time.
    pub compilations: usize,
    /// How long one may take.
    pub compile_timeout: Duration,
    /// Bytes that one may use.
    pub compile_memory: u64,
    /// Whether servers on this machine may be probed.
    pub allow_loopback: bool,
    /// Where what was compiled is kept, with the key that authenticates it;
    /// `None` to keep nothing.
    pub directory: Option<PathBuf>,
}

/// Why no hooks can be run.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The engine does not run here.
    #[error("cannot run hooks on this machine: {0}")]
    Engine(#[from] EngineError),
    /// It is not known which program this is.
    #[error("cannot find the running program: {0}; set hooks.compiler")]
    Program(#[source] io::Error),
    /// The key of the cache cannot be used.
    #[error("cannot use the key of the hooks' cache: {0}")]
    Key(#[from] KeyError),
    /// The cache cannot be used.
    #[error("cannot use the cache of compiled hooks: {0}")]
    Cache(#[from] CacheError),
}

impl Parts {
    /// The system's network and, as the settings say, compiler and cache.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn system(
        settings: Settings,
        store: Arc<dyn HookStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let cache = settings.directory.map(|directory| {
            let key = CacheKey::load_or_create(&directory.join("hook-cache.key"))?;
            let cache = ArtifactCache::open(directory.join("hook-cache"), key)?;
            Ok::<_, OpenError>(cache)
        });
        let program = settings.compiler.map_or_else(std::env::current_exe, Ok);
        let compiler = Compiler::new(program.map_err(OpenError::Program)?)
            .arguments([COMPILE])
            .parallel(settings.compilations)
            .limits(CompileLimits {
                wall: settings.compile_timeout,
                memory: settings.compile_memory,
                ..CompileLimits::DEFAULT
            });
        Ok(Self {
            store,
            host: Host::new(compiler, cache.transpose()?)?,
            network: Network::system(),
            setting: if settings.allow_loopback {
                Setting::Development
            } else {
                Setting::Production
            },
            clock,
        })
    }
}
