//! `RecoverySnapshot`.

use serde::Serialize;

use crate::model::{RecoverySnapshot, Seed};
use crate::wire::time;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::wire) struct RecoverySnapshotShape {
    #[serde(rename = "snapshotID")]
    snapshot_id: String,
    #[serde(rename = "sourceServerID")]
    source_server_id: String,
    expected_timestamp: String,
    timestamp: String,
    ebs_snapshots: Vec<String>,
}

impl RecoverySnapshotShape {
    pub(in crate::wire) fn of(seed: Seed, snapshot: &RecoverySnapshot) -> Self {
        let ebs = seed.hex16(&["ebs snapshot", snapshot.id.as_str()]);
        Self {
            snapshot_id: snapshot.id.to_string(),
            source_server_id: snapshot.source_server.to_string(),
            expected_timestamp: time::timestamp(snapshot.expected_at),
            timestamp: time::timestamp(snapshot.taken_at),
            ebs_snapshots: vec![format!("snap-0{ebs}")],
        }
    }
}
