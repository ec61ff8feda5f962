//! What the integration tests share: conformance suites for the ports, fakes
//! with state, and a way to write small plans down.

pub mod conformance;
pub mod control;
pub mod dynamodb;
pub mod fakes;
pub mod gateway;
pub mod process;
pub mod recorded_drills;
pub mod sketch;
