//! The integration tests, in one binary.

mod compatibility;
mod driver;
mod drs_adapter;
mod journal;
mod journal_format;
mod lost_appends;
mod scenarios;
