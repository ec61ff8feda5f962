//! Recovery instances: what a launch leaves behind until someone terminates it.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::chance::Seed;
use super::fleet::Tags;
use super::id::{InstanceId, JobId, SourceServerId};
use super::source_server::Purpose;

/// A recovery instance as it is now. A terminated one is gone from the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryInstance {
    /// Its id; also that of the EC2 instance.
    pub id: InstanceId,
    /// The server that it recovers.
    pub source_server: SourceServerId,
    /// The job that launched it.
    pub job: JobId,
    /// What it was launched for.
    pub purpose: Purpose,
    /// The state of the EC2 instance.
    pub state: InstanceState,
    /// Its only address.
    pub address: Ipv4Addr,
    /// The moment whose data it carries.
    pub point_in_time: Timestamp,
    /// When its launch began.
    pub launched_at: Timestamp,
    /// When its launch is over and it runs: LAUNCH_END.
    pub runs_from: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// The state of a recovery instance's EC2 instance, as far as the model drives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum InstanceState {
    /// Starting.
    #[serde(rename = "PENDING")]
    Pending,
    /// Running.
    #[serde(rename = "RUNNING")]
    Running,
    /// Being terminated.
    #[serde(rename = "SHUTTING-DOWN")]
    ShuttingDown,
}

/// The address of a launch that has none in its scenario: somewhere in 10.128.0.0/9.
pub(super) fn drawn_address(seed: Seed, instance: &InstanceId) -> Ipv4Addr {
    let bits = seed.draw(&["address", instance.as_str()]).to_be_bytes();
    Ipv4Addr::new(10, bits[0] | 0x80, bits[1], bits[2].clamp(4, 250))
}
