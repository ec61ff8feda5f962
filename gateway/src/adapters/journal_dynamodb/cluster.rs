//! The [`Cluster`] port: members and leases.

use std::time::{Duration, SystemTime};

use futures::future::{BoxFuture, FutureExt as _};
use tidegate_core::{ExecutionId, OwnerId};

use super::{
    DynamoJournal,
    calls::{Calls, Query},
    item::{self, Item},
    keys::{self, CLUSTER, EXPIRES, LEASE, MEMBER, SORT},
    meaning::Failure,
    nudges,
    write::Write,
};
use crate::ports::{
    cluster::{Cluster, ClusterError, Lease, Member, Roster},
    journal::ReadError,
};

/// How long a member that is gone without leaving is still shown, and a nudge
/// waits for one. Far longer than any lease period: whoever is alive beats.
const KEPT: Duration = Duration::from_hours(24);

impl Cluster for DynamoJournal {
    fn partitions(&self) -> u16 {
        self.partitions
    }

    fn beat(
        &self,
        member: &OwnerId,
        beat: u64,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Roster, ClusterError>> {
        let member = member.clone();
        let lease = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        async move {
            let set = "SET #beat = :beat, #id = :id, #lease = :lease, #expires = :expires";
            let write = Write::update(keys::member(member.as_str()), set)
                .only_if("attribute_not_exists(#beat) OR #beat < :beat")
                .with("beat", item::number(beat))
                .with("id", item::text(member.as_str()))
                .with("lease", item::number(lease))
                .with(EXPIRES, item::number(expiry()));
            match self.calls.write(&write).await {
                Ok(()) => roster(&self.calls, self.partitions).await,
                Err(Failure::Refused(_)) => Err(ClusterError::Superseded(member)),
                Err(failure) => Err(unavailable(failure)),
            }
        }
        .boxed()
    }

    fn change(
        &self,
        was: Lease,
        owner: Option<OwnerId>,
    ) -> BoxFuture<'_, Result<bool, ClusterError>> {
        async move { changed(self.calls.write(&change(&was, owner.as_ref())).await) }.boxed()
    }

    fn leave(&self, member: &OwnerId) -> BoxFuture<'_, Result<(), ClusterError>> {
        let gone = Write::delete(keys::member(member.as_str()));
        async move { self.calls.write_again(&gone).await.map_err(unavailable) }.boxed()
    }

    fn nudge(
        &self,
        partition: u16,
        execution: &ExecutionId,
    ) -> BoxFuture<'_, Result<(), ClusterError>> {
        let execution = execution.clone();
        async move { nudges::put(&self.calls, partition, &execution).await }.boxed()
    }

    fn nudges(&self, member: &OwnerId) -> BoxFuture<'_, Result<Vec<ExecutionId>, ClusterError>> {
        let member = member.clone();
        async move { nudges::take(&self.calls, &member).await }.boxed()
    }
}

/// When what is written now may be deleted, in seconds of Unix time. Only for
/// rubbish: no lease depends on a wall clock.
pub(super) fn expiry() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default().saturating_add(KEPT).as_secs()
}

/// The write that gives a lease to somebody else, if it is still as it was.
fn change(was: &Lease, owner: Option<&OwnerId>) -> Write {
    let expression = match owner {
        Some(_) => "SET #epoch = :next, #owner = :owner",
        None => "SET #epoch = :next REMOVE #owner",
    };
    let mut write = Write::update(keys::lease(was.partition), expression)
        .with("next", item::number(was.epoch.saturating_add(1)))
        .with("epoch", item::number(was.epoch));
    if let Some(owner) = owner {
        write = write.with("owner", item::text(owner.as_str()));
    }
    match &was.owner {
        Some(owner) => write
            .only_if("#epoch = :epoch AND #owner = :was")
            .with("was", item::text(owner.as_str())),
        None => write.only_if("#epoch = :epoch AND attribute_not_exists(#owner)"),
    }
}

fn changed(written: Result<(), Failure>) -> Result<bool, ClusterError> {
    match written {
        Ok(()) => Ok(true),
        Err(Failure::Refused(_)) => Ok(false),
        Err(failure) => Err(unavailable(failure)),
    }
}

async fn roster(calls: &Calls, partitions: u16) -> Result<Roster, ClusterError> {
    let rows = calls.all(&Query::of(CLUSTER)).await.map_err(unread)?;
    let mut roster = Roster::default();
    for row in &rows {
        let sk = row.text(SORT).unwrap_or_default();
        if sk.starts_with(MEMBER) {
            roster.members.push(member(row).map_err(unread)?);
        } else if sk.starts_with(LEASE) {
            roster.leases.push(lease(row).map_err(unread)?);
        }
    }
    roster.members.sort_by(|one, other| one.id.cmp(&other.id));
    let found = roster.leases.iter().map(|lease| lease.partition);
    if !found.eq(0..partitions) {
        let count = roster.leases.len();
        return Err(ClusterError::Damaged(format!(
            "there are {count} leases for {partitions} partitions; run `tidegate aws create-table \
             --table {}` again, which adds those that are missing",
            calls.place.table
        )));
    }
    Ok(roster)
}

fn member(row: &Item) -> Result<Member, ReadError> {
    let id = row.text("id").ok_or_else(|| row.damaged("no id"))?;
    Ok(Member {
        id: id.into(),
        beat: row.number("beat").ok_or_else(|| row.damaged("no beat"))?,
        lease: row.number("lease").map(Duration::from_millis),
    })
}

pub(super) fn lease(row: &Item) -> Result<Lease, ReadError> {
    let partition = row.text(SORT).and_then(|sk| sk.strip_prefix(LEASE));
    let partition = partition.and_then(|number| number.parse().ok());
    Ok(Lease {
        partition: partition.ok_or_else(|| row.damaged("no partition as its key"))?,
        owner: row.text("owner").map(OwnerId::from),
        epoch: row.number("epoch").ok_or_else(|| row.damaged("no epoch"))?,
    })
}

pub(super) fn unavailable(failure: Failure) -> ClusterError {
    ClusterError::Unavailable(failure.text())
}

pub(super) fn unread(error: ReadError) -> ClusterError {
    match error {
        ReadError::Unavailable(why) => ClusterError::Unavailable(why),
        ReadError::Damaged(why) => ClusterError::Damaged(why),
    }
}
