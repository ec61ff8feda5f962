//! From a component's bytes to a [`Hook`].

use std::sync::Arc;

use thiserror::Error;
use wasmtime::component::Component;

use super::{Gate, Hook, Host, Prepared, artifact::Artifact, v1};
use crate::{CompileError, Contract, Digest, InspectError, Profile, inspect::inspect};

/// Why a component cannot be asked.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// It is not a hook that this host runs.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// It could not be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// What was compiled does not run here: the compiler is of another
    /// version than this host, or for another machine.
    #[error("the compiled component does not load: {0}")]
    Load(String),
    /// It imports what its profile does not have, or exports no hook.
    #[error("the component does not fit the contract: {0}")]
    Link(String),
}

impl Host {
    /// Inspects, compiles (or finds compiled) and links a component. Nothing
    /// of it is run.
    ///
    /// # Errors
    /// If it is not a hook, is too large to compile, or cannot be linked.
    pub async fn prepare(&self, component: &[u8]) -> Result<Hook, PrepareError> {
        let bytes = component.to_vec();
        let inspection = apart(move || inspect(&bytes)).await?;
        let digest = inspection.digest;
        let code = match self.cached(digest).await {
            Some(code) => code,
            None => self.compiled(digest, component).await?,
        };
        let linker = match inspection.manifest.profile {
            Profile::Plain => &self.plain,
            Profile::Wasi => &self.wasi,
        };
        let gate = match inspection.contract {
            Contract::V1 => v1::GatePre::link(linker, &code).map(Gate::V1),
        };
        let gate = gate.map_err(|error| PrepareError::Link(format!("{error:#}")))?;
        Ok(Hook(Arc::new(Prepared { inspection, gate })))
    }

    /// What the cache has, if it is still good here.
    async fn cached(&self, digest: Digest) -> Option<Component> {
        let cache = Arc::clone(self.cache.as_ref()?);
        let artifact = apart(move || cache.load(&digest)).await?;
        match Artifact::authenticated(artifact).load(&self.engine) {
            Ok(code) => Some(code),
            Err(error) => {
                tracing::warn!(%digest, %error, "a cached artifact does not load; compiling again");
                None
            }
        }
    }

    async fn compiled(&self, digest: Digest, bytes: &[u8]) -> Result<Component, PrepareError> {
        let artifact = Artifact::compiled(self.compiler.compile(bytes).await?);
        let code = artifact
            .load(&self.engine)
            .map_err(|error| PrepareError::Load(format!("{error:#}")))?;
        if let Some(cache) = &self.cache {
            let cache = Arc::clone(cache);
            let stored = apart(move || cache.store(&digest, artifact.bytes())).await;
            if let Err(error) = stored {
                tracing::warn!(%digest, %error, "a compiled artifact cannot be cached");
            }
        }
        Ok(code)
    }
}

/// Runs what takes long enough to be kept off the threads on which attempts
/// run: reading a component of 32 MiB, and files.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.expect("it panics on no input, and nothing cancels it")
}
