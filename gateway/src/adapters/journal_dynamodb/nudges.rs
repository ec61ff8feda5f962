//! What members are told: an item for each member and execution, until the
//! member takes it.

use futures::{StreamExt as _, stream};
use tidegate_core::{ExecutionId, OwnerId};

use super::{
    calls::{Calls, Query},
    cluster::{expiry, lease, unavailable, unread},
    item::{self, Item},
    keys::{self, EXPIRES, Key},
    meaning::Failure,
    write::Write,
};
use crate::ports::cluster::ClusterError;

/// Nudges that are deleted at the same time.
const AT_ONCE: usize = 8;

/// Tells whoever has the partition. Told twice, a member looks twice.
pub(super) async fn put(
    calls: &Calls,
    partition: u16,
    execution: &ExecutionId,
) -> Result<(), ClusterError> {
    let row = calls.get(&keys::lease(partition)).await.map_err(unread)?;
    let Some(row) = row else {
        let missing = format!("there is no lease of partition {partition}");
        return Err(ClusterError::Damaged(missing));
    };
    let Some(owner) = lease(&row).map_err(unread)?.owner else {
        return Ok(());
    };
    let id = execution.as_str();
    let key = Key::new(keys::nudges(owner.as_str()), keys::named(id));
    // Told again after it was read, it must not be deleted with what was read.
    let mark = ulid::Ulid::new().to_string();
    let mut write = Write::put(key)
        .set("mark", item::text(mark))
        .set(EXPIRES, item::number(expiry()));
    if keys::is_shortened(id) {
        write = write.set("id", item::text(id));
    }
    calls.write_again(&write).await.map_err(unavailable)
}

/// What cannot be deleted is told again: the member then looks in vain.
pub(super) async fn take(
    calls: &Calls,
    member: &OwnerId,
) -> Result<Vec<ExecutionId>, ClusterError> {
    let told = Query::of(keys::nudges(member.as_str()));
    let told = calls.all(&told).await.map_err(unread)?;
    let mut executions = Vec::with_capacity(told.len());
    let mut writes = Vec::with_capacity(told.len());
    for nudge in &told {
        executions.push(nudge.name().map_err(unread)?.into());
        writes.extend(forget(nudge));
    }
    let mut deleted = stream::iter(writes)
        .map(|write| async move { calls.write(&write).await })
        .buffer_unordered(AT_ONCE);
    while let Some(answer) = deleted.next().await {
        match answer {
            Ok(()) | Err(Failure::Refused(_)) => {}
            Err(failure) => {
                let why = failure.text();
                tracing::debug!(%member, why, "a nudge will be heard again");
            }
        }
    }
    Ok(executions)
}

/// Deletes a nudge as it was read.
fn forget(nudge: &Item) -> Option<Write> {
    let mark = nudge.text("mark")?;
    let write = Write::delete(nudge.key()?)
        .only_if("#mark = :mark")
        .with("mark", item::text(mark));
    Some(write)
}
