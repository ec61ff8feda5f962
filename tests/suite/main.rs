//! The integration tests, in one binary.

mod compatibility;
mod driver;
mod driver_journal;
mod drs_adapter;
mod journal;
mod journal_format;
mod scenarios;
