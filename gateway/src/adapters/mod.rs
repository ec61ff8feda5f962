//! Placeholder.

pub mod drs_aws;
pub mod journal_memory;
pub mod journal_redb;
pub mod no_hooks;
pub mod system_clock;
