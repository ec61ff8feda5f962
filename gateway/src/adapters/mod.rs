//! What implements the ports: the only places that know an SDK, a database or a
//! clock. Only the composition root names them.

pub mod drs_aws;
pub mod hooks_wasm;
pub mod journal_memory;
pub mod journal_redb;
pub mod no_hooks;
pub mod system_clock;
