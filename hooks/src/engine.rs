//! The one engine configuration. An artifact that was compiled under another
//! does not load, and a replay on another gives other figures, so compiling
//! and running share this.

use thiserror::Error;
use wasmtime::{Config, Engine, Strategy, WasmFeatures};

/// What runs the guests, as it is written on a tape. Fuel is comparable only
/// within one version.
pub const ENGINE: &str = "wasmtime 48.0.8";

/// The stack of a guest.
const GUEST_STACK: usize = 512 << 10;

/// The stack on which guest and host functions run. What is beyond the
/// guest's is the host's.
const FIBER_STACK: usize = 1 << 20;

/// Address space that a memory gets at first. It is the default of
/// [`crate::Limits::memory`], so that a memory within it never moves, and
/// small enough to run under an address space limit.
const MEMORY_RESERVATION: u64 = 64 << 20;

/// Address space that a memory gets beyond its size once it has to move. With
/// the ceiling on memory it moves once at most: a guest cannot make the host
/// copy again and again by growing page by page.
const MEMORY_GROWTH: u64 = 192 << 20;

/// Inaccessible space behind a memory.
const MEMORY_GUARD: u64 = 64 << 10;

/// What no hook needs. Less of it is less to trust; relaxed SIMD would also
/// let two machines compute two results. Multi-memory stays: without it the
/// compiler panics on components made by componentize-qjs.
const UNUSED: WasmFeatures = WasmFeatures::THREADS
    .union(WasmFeatures::SHARED_EVERYTHING_THREADS)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::STACK_SWITCHING)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_ERROR_CONTEXT)
    .union(WasmFeatures::CM_GC);

/// The engine does not start on this machine.
#[derive(Debug, Error)]
#[error("the WebAssembly engine does not start: {0}")]
pub struct EngineError(String);

/// An engine for compiling and for running.
pub(crate) fn engine() -> Result<Engine, EngineError> {
    Engine::new(&config()).map_err(|error| EngineError(format!("{error:#}")))
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .wasm_component_model(true)
        .concurrency_support(false)
        .wasm_features(UNUSED, false)
        // A replay gives the same everywhere.
        .cranelift_nan_canonicalization(true)
        .consume_fuel(true)
        .epoch_interruption(false)
        .max_wasm_stack(GUEST_STACK)
        .async_stack_size(FIBER_STACK)
        .memory_reservation(MEMORY_RESERVATION)
        .memory_reservation_for_growth(MEMORY_GROWTH)
        .memory_guard_size(MEMORY_GUARD)
        .guard_before_linear_memory(false)
        // Only for backtraces, which are not shown.
        .generate_address_map(false)
        .native_unwind_info(false);
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_starts() {
        engine().expect("the configuration is one that wasmtime accepts");
    }

    #[test]
    fn the_name_is_that_of_the_locked_version() {
        let version = ENGINE.strip_prefix("wasmtime ").expect("it is wasmtime");
        let lock = include_str!("../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{version}\"")));
    }
}
