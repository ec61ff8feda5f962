//! The public API, `tidegate.v1`, over the driver and the ports.
//!
//! One RPC, one file. An RPC reads its request, asks the driver or a port,
//! and presents the answer; it decides nothing about an execution.

mod argument;
pub(crate) mod convert;
mod execution;
mod filter;
#[cfg(test)]
pub(crate) mod fixtures;
mod gateway_info;
mod hook;
mod live;
mod page_token;
mod pinned;
mod plan;
mod request_id;
mod services;
pub(crate) mod status;
mod watch;

pub use argument::MAX_PAGE;
pub use convert::summary::encode_summary;
pub use execution::Executions;
pub use gateway_info::GatewayInfo;
pub use hook::{HookAccess, Hooks};
pub use pinned::pinned_plan;
pub use plan::{Plans, arm_in_background};
pub use services::{ServiceSettings, Services, WatchSettings};
pub use watch::{ExecutionServer, Feeds};
