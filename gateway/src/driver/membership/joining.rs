//! Before this member takes a lease: everybody lets others be silent for the
//! same time. Whoever waits for less would take what its owner still believes
//! to have, and asks DRS for.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tidegate_core::OwnerId;

use super::{
    super::{DriverError, Shared},
    Member,
    keeper::{Heard, unjoined},
};
use crate::ports::cluster::Roster;

/// A member that has another lease, as it was heard last.
struct Other {
    beat: u64,
    lease: Duration,
}

/// The newest answer, once no member that is alive has another lease. Of one
/// that has, it is not known yet whether it is alive: that takes a lease of its
/// own, in which it beats or does not.
///
/// # Errors
/// One is alive; this member has left again then. Or the table does not answer.
pub(super) async fn agreed(
    member: &Member,
    shared: &Arc<Shared>,
    first: Heard,
) -> Result<Heard, DriverError> {
    let others = others(member, &first.roster);
    let Some(longest) = others.values().map(|other| other.lease).max() else {
        return Ok(first);
    };
    tracing::warn!(
        members = ?others.keys(), lease = ?member.settings.lease,
        "other gateways had another cluster.lease; waiting whether they are still alive"
    );
    let began = shared.ports.clock.elapsed();
    loop {
        shared.wait(member.settings.beat()).await;
        let heard = member.beat(shared).await.map_err(unjoined)?;
        let roster = &heard.roster;
        let alive = roster.members.iter().find_map(|told| {
            let other = others.get(&told.id)?;
            (other.beat != told.beat).then_some((told, other))
        });
        if let Some((told, other)) = alive {
            if let Err(error) = member.port.leave(&member.id).await {
                tracing::warn!(%error, "the cluster was not told that this gateway leaves");
            }
            return Err(DriverError::OtherLease {
                ours: member.settings.lease,
                theirs: other.lease,
                member: told.id.clone(),
            });
        }
        let waited = shared.ports.clock.elapsed().saturating_sub(began);
        if waited > longest || !roster.members.iter().any(|it| others.contains_key(&it.id)) {
            return Ok(heard);
        }
    }
}

fn others(member: &Member, roster: &Roster) -> BTreeMap<OwnerId, Other> {
    let told = roster.members.iter().filter(|told| told.id != member.id);
    let others = told.filter_map(|told| {
        let lease = told.lease.filter(|&lease| lease != member.settings.lease)?;
        let beat = told.beat;
        Some((told.id.clone(), Other { beat, lease }))
    });
    others.collect()
}
