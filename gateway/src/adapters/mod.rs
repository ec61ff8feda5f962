//! What implements the ports: the only places that know an SDK, a database or a
//! clock. Only the composition root names them.

#[cfg(feature = "root")]
mod aws_failure;
#[cfg(feature = "root")]
pub mod aws_grant;
#[cfg(feature = "root")]
pub mod aws_observed;
pub mod cluster_memory;
#[cfg(feature = "root")]
pub mod drs_aws;
#[cfg(feature = "root")]
pub mod hooks_wasm;
#[cfg(feature = "root")]
pub mod journal_dynamodb;
pub mod journal_memory;
#[cfg(feature = "root")]
pub mod journal_redb;
pub mod no_hooks;
#[cfg(feature = "root")]
pub mod system_clock;
