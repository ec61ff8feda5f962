//! The DRS adapter, over HTTP: against the emulator, and against servers that
//! behave as badly as networks do.

mod environment;
mod faults;
mod forgotten;
mod launches;
mod looks;
mod readiness;
pub(crate) mod rig;
mod roles;
pub(crate) mod scripted;
mod servers;
mod service_quotas;
mod snapshots;
mod warrants;
