//! The integration tests, in one binary.

mod chaos;
mod compatibility;
mod driver;
mod drs_adapter;
mod journal;
mod journal_format;
mod scenarios;
