//! Facts that every adapter of a port must hold to. An adapter's suite makes
//! a fresh subject for each fact.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

pub mod cluster;
pub mod holds;
pub mod journal;
