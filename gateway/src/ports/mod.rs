//! What the driver and the services need of the world. Adapters implement
//! it; no type of an SDK or of a database crosses this line.

pub mod clock;
pub mod cluster;
pub mod drs;
pub mod hook_store;
pub mod hooks;
pub mod journal;
pub mod plan_store;
pub mod warrant;
