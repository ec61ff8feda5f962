//! The gateway: gRPC services, driver, ports and adapters.
//!
//! Inside, `grpc → driver → ports ← adapters`; [`root`] alone names concrete
//! adapters. Whoever runs a gateway loads a [`Config`], starts a [`Gateway`],
//! waits for a signal or for [`Gateway::stopped`], and shuts it down.

pub mod adapters;
pub mod config;
pub mod driver;
pub mod grpc;
pub mod journal_format;
pub mod ports;
pub mod root;
pub mod serving;

pub use config::{Config, ConfigError, DrsMode, Overrides};
pub use root::{Gateway, Ports, StartError, StopReason};
