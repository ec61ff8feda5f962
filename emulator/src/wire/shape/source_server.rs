//! `SourceServer`.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::hardware::{self, Cpu, IdentificationHints, NetworkInterface, Os};
use crate::model::{
    LastLaunch, LaunchStatus, Place, Purpose, Replication, Resource, Seed, SourceServer, Tags,
};
use crate::wire::time;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::wire) struct SourceServerShape {
    #[serde(rename = "sourceServerID")]
    source_server_id: String,
    arn: String,
    tags: Tags,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_instance_id: Option<String>,
    last_launch_result: &'static str,
    data_replication_info: DataReplicationInfo,
    life_cycle: LifeCycle,
    source_properties: SourceProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DataReplicationInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_duration: Option<String>,
    data_replication_state: Replication,
    data_replication_initiation: DataReplicationInitiation,
    replicated_disks: [ReplicatedDisk; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DataReplicationInitiation {
    start_date_time: String,
    steps: Vec<InitiationStep>,
}

#[derive(Clone, Serialize)]
struct InitiationStep {
    name: &'static str,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplicatedDisk {
    device_name: &'static str,
    total_storage_bytes: u64,
    replicated_storage_bytes: u64,
    rescanned_storage_bytes: u64,
    backlogged_storage_bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LifeCycle {
    added_to_service_date_time: String,
    first_byte_date_time: String,
    elapsed_replication_duration: String,
    last_seen_by_service_date_time: String,
    last_launch: LastLaunchShape,
}

#[derive(Default, Serialize)]
struct LastLaunchShape {
    /// Present and empty on a server that was never launched, as recorded.
    initiated: Initiated,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<LaunchStatus>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Initiated {
    #[serde(skip_serializing_if = "Option::is_none")]
    api_call_date_time: Option<String>,
    #[serde(rename = "jobID", skip_serializing_if = "Option::is_none")]
    job_id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Purpose>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceProperties {
    cpus: [Cpu; 2],
    disks: [Disk; 1],
    identification_hints: IdentificationHints,
    last_updated_date_time: String,
    network_interfaces: [NetworkInterface; 1],
    os: Os,
    ram_bytes: u64,
    recommended_instance_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Disk {
    device_name: &'static str,
    bytes: u64,
}

impl SourceServerShape {
    pub(in crate::wire) fn of(
        seed: Seed,
        server: &SourceServer,
        place: &Place,
        now: Timestamp,
    ) -> Self {
        let id = &server.spec.id;
        Self {
            source_server_id: id.to_string(),
            arn: Resource::SourceServer(id.clone()).arn(place),
            tags: server.tags.clone(),
            recovery_instance_id: server.recovery_instance.as_ref().map(ToString::to_string),
            last_launch_result: last_launch_result(server.last_launch.as_ref()),
            data_replication_info: DataReplicationInfo::of(server),
            life_cycle: LifeCycle::of(server, now),
            source_properties: SourceProperties::of(seed, server, now),
        }
    }

    /// Whether the filter `hardwareId` means this server: an EC2 instance id or a MAC address.
    pub(in crate::wire) fn has_hardware(&self, id: &str) -> bool {
        let properties = &self.source_properties;
        properties.identification_hints.aws_instance_id == id
            || properties
                .network_interfaces
                .iter()
                .any(|interface| interface.mac_address == id)
    }
}

fn last_launch_result(last: Option<&LastLaunch>) -> &'static str {
    match last.map(|last| last.status) {
        None => "NOT_STARTED",
        Some(LaunchStatus::Pending | LaunchStatus::InProgress | LaunchStatus::Unlisted) => {
            "PENDING"
        }
        Some(LaunchStatus::Launched | LaunchStatus::Terminated) => "SUCCEEDED",
        Some(LaunchStatus::Failed) => "FAILED",
    }
}

/// The steps of setting replication up; recorded servers had skipped those of a shared
/// replication server that was there already.
const STEPS: [(&str, &str); 11] = [
    ("WAIT", "SUCCEEDED"),
    ("CREATE_SECURITY_GROUP", "SKIPPED"),
    ("LAUNCH_REPLICATION_SERVER", "SKIPPED"),
    ("BOOT_REPLICATION_SERVER", "SKIPPED"),
    ("AUTHENTICATE_WITH_SERVICE", "SKIPPED"),
    ("DOWNLOAD_REPLICATION_SOFTWARE", "SKIPPED"),
    ("CREATE_STAGING_DISKS", "SUCCEEDED"),
    ("ATTACH_STAGING_DISKS", "SUCCEEDED"),
    ("PAIR_REPLICATION_SERVER_WITH_AGENT", "SUCCEEDED"),
    ("CONNECT_AGENT_TO_REPLICATION_SERVER", "SUCCEEDED"),
    ("START_DATA_TRANSFER", "SUCCEEDED"),
];

impl DataReplicationInfo {
    fn of(server: &SourceServer) -> Self {
        let replication = server.spec.replication;
        let bytes = hardware::DISK_BYTES;
        let copied = if replication.has_snapshots() {
            bytes
        } else {
            0
        };
        Self {
            // Nothing to lag behind before the first copy is complete.
            lag_duration: replication
                .has_snapshots()
                .then(|| time::duration(server.spec.lag)),
            data_replication_state: replication,
            data_replication_initiation: DataReplicationInitiation {
                start_date_time: time::timestamp(server.added_at),
                steps: STEPS
                    .map(|(name, status)| InitiationStep { name, status })
                    .to_vec(),
            },
            replicated_disks: [ReplicatedDisk {
                device_name: "/dev/nvme0n1",
                total_storage_bytes: bytes,
                replicated_storage_bytes: copied,
                rescanned_storage_bytes: copied,
                backlogged_storage_bytes: 0,
            }],
        }
    }
}

impl LifeCycle {
    fn of(server: &SourceServer, now: Timestamp) -> Self {
        let first_byte = server.first_byte_at();
        Self {
            added_to_service_date_time: time::timestamp(server.added_at),
            first_byte_date_time: time::timestamp(first_byte),
            elapsed_replication_duration: time::duration(now.duration_since(first_byte)),
            last_seen_by_service_date_time: time::timestamp(seen(now)),
            last_launch: server
                .last_launch
                .as_ref()
                .map(LastLaunchShape::of)
                .unwrap_or_default(),
        }
    }
}

impl LastLaunchShape {
    fn of(last: &LastLaunch) -> Self {
        Self {
            initiated: Initiated {
                api_call_date_time: Some(time::timestamp(last.called_at)),
                job_id: Some(last.job.to_string()),
                kind: Some(last.purpose),
            },
            status: Some(last.status),
        }
    }
}

impl SourceProperties {
    fn of(seed: Seed, server: &SourceServer, now: Timestamp) -> Self {
        let id = server.spec.id.as_str();
        let drawn = || seed.instance_id(&["source instance", id]).to_string();
        let hostname = &server.spec.hostname;
        Self {
            cpus: hardware::cpus(),
            disks: [Disk {
                device_name: "/dev/nvme0n1",
                bytes: hardware::DISK_BYTES,
            }],
            identification_hints: IdentificationHints {
                fqdn: hostname.clone(),
                hostname: hostname.clone(),
                aws_instance_id: server
                    .spec
                    .tags
                    .get("source:instance-id")
                    .cloned()
                    .unwrap_or_else(drawn),
            },
            last_updated_date_time: time::timestamp(seen(now)),
            network_interfaces: [NetworkInterface {
                mac_address: (seed.draw(&["mac", id]) % 10_000_000_000_000).to_string(),
                ips: Vec::new(),
                is_primary: false,
            }],
            os: hardware::OS,
            ram_bytes: hardware::RAM_BYTES,
            recommended_instance_type: "c5.large",
        }
    }
}

/// Agents report every few seconds; here, on every tenth.
fn seen(now: Timestamp) -> Timestamp {
    now - SignedDuration::from_millis(now.as_millisecond().rem_euclid(10_000))
}
