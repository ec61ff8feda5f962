//! The integration tests, in one binary.

mod compatibility;
mod driver;
mod drs_adapter;
mod fuzz_corpus;
mod history;
mod journal;
mod journal_format;
mod lost_appends;
mod model_check;
mod recovery_time;
mod scenarios;
