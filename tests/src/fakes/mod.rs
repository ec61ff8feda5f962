//! Fakes with state for the gateway's ports. Each can stand where the real
//! adapter stands; none asserts anything.

mod clock;
mod drs;
mod hooks;

pub use clock::ManualClock;
pub use drs::{FakeDrs, Granted, Script};
pub use hooks::ScriptedHooks;
