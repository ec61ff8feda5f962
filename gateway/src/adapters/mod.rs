//! Placeholder.

pub mod journal_memory;
pub mod journal_redb;
