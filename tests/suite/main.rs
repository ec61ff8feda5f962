//! The integration tests, in one binary.

mod driver;
mod journal;
mod journal_format;
