//! What an artifact was compiled for.

use std::hash::{Hash as _, Hasher};

use sha2::{Digest as _, Sha256};

use crate::engine::{ENGINE, EngineError, engine};

/// Under what an artifact loads: another version, other settings, another
/// machine, and it must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Name and version, such as `wasmtime 48.0.8`.
    pub engine: String,
    /// Of all settings that matter for code, the features of the processor
    /// included.
    pub settings: [u8; 32],
    /// Architecture and system, such as `x86_64-linux`.
    pub target: String,
}

impl EngineSettings {
    /// Those of this crate's engine on this machine.
    pub fn current() -> Result<Self, EngineError> {
        let mut hasher = Sha(Sha256::new());
        engine()?.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            engine: ENGINE.to_owned(),
            settings: hasher.0.finalize().into(),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        })
    }

    /// A name for all of it, as part of a file's.
    pub(super) fn short(&self) -> String {
        let all = format!("{}\n{}\n{:?}", self.engine, self.target, self.settings);
        crate::Digest::of(all.as_bytes()).hex()[..16].to_owned()
    }
}

/// Gives all that is hashed to SHA-256, of which `finish` has no use.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
