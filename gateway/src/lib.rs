//! The gateway: gRPC services, driver, ports and adapters.

pub mod adapters;
pub mod driver;
pub mod grpc;
pub mod journal_format;
pub mod ports;
