//! Fakes with state for the gateway's ports. Each can stand where the real
//! adapter stands; none asserts anything.

mod clock;
mod drs;
mod hooks;
mod model_drs;

pub use clock::{ManualClock, TokioClock};
pub use drs::{FakeDrs, Granted, Script};
pub use hooks::ScriptedHooks;
pub use model_drs::{Calls, ModelDrs};
