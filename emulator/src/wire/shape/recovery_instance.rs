//! `RecoveryInstance`.

use serde::Serialize;

use super::hardware::{self, Cpu, IdentificationHints, NetworkInterface, Os};
use crate::model::{InstanceState, Place, RecoveryInstance, Resource, Seed, SourceServer, Tags};
use crate::wire::time;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::wire) struct RecoveryInstanceShape {
    #[serde(rename = "recoveryInstanceID")]
    recovery_instance_id: String,
    #[serde(rename = "ec2InstanceID")]
    ec2_instance_id: String,
    ec2_instance_state: InstanceState,
    #[serde(rename = "jobID")]
    job_id: String,
    #[serde(rename = "sourceServerID")]
    source_server_id: String,
    arn: String,
    is_drill: bool,
    origin_environment: &'static str,
    point_in_time_snapshot_date_time: String,
    tags: Tags,
    data_replication_info: DataReplicationInfo,
    failback: Failback,
    recovery_instance_properties: Properties,
}

/// Replication back from a recovery instance begins with a failback, which is not emulated.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DataReplicationInfo {
    data_replication_state: &'static str,
}

#[derive(Serialize)]
struct Failback {
    state: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    last_updated_date_time: String,
    identification_hints: IdentificationHints,
    network_interfaces: [NetworkInterface; 1],
    disks: [Disk; 1],
    cpus: [Cpu; 2],
    ram_bytes: u64,
    os: Os,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Disk {
    internal_device_name: &'static str,
    bytes: u64,
    #[serde(rename = "ebsVolumeID")]
    ebs_volume_id: String,
}

impl RecoveryInstanceShape {
    pub(in crate::wire) fn of(
        seed: Seed,
        instance: &RecoveryInstance,
        server: Option<&SourceServer>,
        place: &Place,
    ) -> Self {
        Self {
            recovery_instance_id: instance.id.to_string(),
            ec2_instance_id: instance.id.to_string(),
            ec2_instance_state: instance.state,
            job_id: instance.job.to_string(),
            source_server_id: instance.source_server.to_string(),
            arn: Resource::RecoveryInstance(instance.id.clone()).arn(place),
            is_drill: instance.purpose.is_drill(),
            origin_environment: "AWS",
            point_in_time_snapshot_date_time: time::timestamp(instance.point_in_time),
            tags: instance.tags.clone(),
            data_replication_info: DataReplicationInfo {
                data_replication_state: "NOT_STARTED",
            },
            failback: Failback {
                state: "FAILBACK_NOT_STARTED",
            },
            recovery_instance_properties: Properties::of(seed, instance, server),
        }
    }
}

impl Properties {
    fn of(seed: Seed, instance: &RecoveryInstance, server: Option<&SourceServer>) -> Self {
        let id = instance.id.as_str();
        let hostname = server
            .map(|server| server.spec.hostname.clone())
            .unwrap_or_default();
        Self {
            last_updated_date_time: time::timestamp(instance.launched_at),
            identification_hints: IdentificationHints {
                fqdn: hostname.clone(),
                hostname,
                aws_instance_id: id.to_owned(),
            },
            network_interfaces: [NetworkInterface {
                mac_address: (seed.draw(&["mac", id]) % 10_000_000_000_000).to_string(),
                ips: vec![instance.address.to_string()],
                is_primary: true,
            }],
            disks: [Disk {
                internal_device_name: "/dev/nvme0n1",
                bytes: hardware::DISK_BYTES,
                ebs_volume_id: volume_id(seed, id),
            }],
            cpus: hardware::cpus(),
            ram_bytes: hardware::RAM_BYTES,
            os: hardware::OS,
        }
    }
}

/// The service model bounds the id to 19 characters, which only the short form of ids fits.
fn volume_id(seed: Seed, instance: &str) -> String {
    format!("vol-{:08x}", seed.draw(&["volume", instance]) >> 32)
}
