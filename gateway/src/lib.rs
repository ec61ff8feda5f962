//! The gateway: gRPC services, driver, ports and adapters.
//!
//! Inside, `grpc → driver → ports ← adapters`; [`root`] alone names concrete
//! adapters. Whoever runs a gateway loads a [`Config`], starts a [`Gateway`],
//! waits for a signal or for [`Gateway::stopped`], and shuts it down.

pub mod adapters;
#[cfg(feature = "root")]
pub mod config;
pub mod drain;
pub mod driver;
pub mod grpc;
pub mod journal_format;
pub mod ports;
#[cfg(feature = "root")]
pub mod root;
#[cfg(feature = "root")]
pub mod serving;
#[cfg(feature = "root")]
pub mod telemetry;

#[cfg(feature = "root")]
pub use config::{Config, ConfigError, DrsMode, Overrides};
#[cfg(feature = "root")]
pub use root::{Gateway, Ports, StartError, StopReason};
