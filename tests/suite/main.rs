//! The integration tests, in one binary.

mod journal;
mod journal_format;
