//! What operators see: a real collector, a real scrape, real log lines.

mod away;
mod collector;
mod files;
mod logs;
mod metrics;
pub(crate) mod requests_to_aws;
mod traces;
pub(crate) mod world;
