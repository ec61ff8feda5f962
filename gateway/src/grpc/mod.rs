//! The public API, `tidegate.v1`, over the driver and the ports.
//!
//! One RPC, one file. An RPC reads its request, asks the driver or a port,
//! and presents the answer; it decides nothing about an execution.

mod argument;
pub(crate) mod convert;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod page_token;
mod request_id;
pub(crate) mod status;

pub use convert::summary::encode_summary;
