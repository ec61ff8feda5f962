//! Placeholder.

pub mod adapters;
pub mod driver;
pub mod journal_format;
pub mod ports;
