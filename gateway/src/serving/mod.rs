//! Serving: connections, their limits, and their end.

pub mod drain;
