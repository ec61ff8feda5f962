//! Recovery snapshots.

use aws_sdk_drs::types::RecoverySnapshotsOrder;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tidegate_core::{SourceServerId, Timestamp};

use super::{clients::Place, time::timestamp};
use crate::ports::drs::DrsError;

/// Servers that are asked about at the same time: DRS tells the snapshots of
/// one server in a call, and throttles an account's calls together.
const SERVERS_AT_ONCE: usize = 4;

/// When the newest snapshot of each server was taken.
pub(super) async fn newest(
    place: &Place,
    servers: Vec<SourceServerId>,
) -> Result<Vec<(SourceServerId, Timestamp)>, DrsError> {
    let asked = stream::iter(servers).map(async |server| {
        let taken = newest_of(place, &server).await?;
        Ok(taken.map(|taken| (server, taken)))
    });
    let told: Vec<Option<_>> = asked.buffered(SERVERS_AT_ONCE).try_collect().await?;
    Ok(told.into_iter().flatten().collect())
}

/// One snapshot is asked for at a time: the first has a time, except while it
/// is expected and not taken.
async fn newest_of(place: &Place, server: &SourceServerId) -> Result<Option<Timestamp>, DrsError> {
    let mut snapshots = place
        .client
        .describe_recovery_snapshots()
        .source_server_id(server.as_str())
        .order(RecoverySnapshotsOrder::Desc)
        .into_paginator()
        .page_size(1)
        .items()
        .send();
    while let Some(snapshot) = snapshots.next().await {
        let snapshot =
            snapshot.map_err(|error| place.failed("DescribeRecoverySnapshots", &error))?;
        let taken = snapshot.timestamp().and_then(timestamp);
        if taken.is_some() {
            return Ok(taken);
        }
    }
    Ok(None)
}
