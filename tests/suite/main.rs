//! The integration tests, in one binary.

mod chaos;
mod cluster;
mod compatibility;
mod driver;
mod driver_journal;
mod drs_adapter;
mod dynamodb;
mod first_drill;
mod fuzz_corpus;
mod history;
mod journal;
mod journal_format;
mod model_check;
mod permissions;
mod recovery_time;
mod scenarios;
mod telemetry;
