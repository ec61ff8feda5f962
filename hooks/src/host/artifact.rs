//! Loads compiled code.
#![expect(
    unsafe_code,
    reason = "wasmtime runs the machine code in an artifact as it is, and so can only be asked to load one in an unsafe block"
)]

use wasmtime::{Engine, component::Component};

/// Machine code that may be run: it can be had only from the compiler's child
/// process or from the authenticated cache.
pub(super) struct Artifact(Vec<u8>);

impl Artifact {
    /// What the compiler's child process wrote for a component that was
    /// inspected.
    pub(super) fn compiled(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What the cache vouches for: the bytes are those that this host put
    /// there, for the same component, engine, settings and target.
    pub(super) fn authenticated(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, to be kept in a cache.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Maps the code.
    pub(super) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: `deserialize` asks that the bytes be unaltered output of
        // `Engine::precompile_component`. They come from a child process that
        // runs nothing but that and was started by us, over a pipe that no
        // one else has; or from the cache, which gives out only what it can
        // authenticate with a key that guests never see. That they were made
        // by this version under these settings is checked by wasmtime.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}
