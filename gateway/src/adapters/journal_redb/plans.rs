//! The [`PlanStore`] port.

use std::ops::Bound;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use redb::{ReadOnlyTable, ReadTransaction};
use tidegate_core::PlanName;

use super::{
    RedbJournal,
    batch::{Change, Outcome, Refusal},
    committer::WriteError,
    tables::{self, name_of, revision_key, revision_of},
    unreadable,
};
use crate::ports::{
    journal::{Claim, ReadError},
    plan_store::{PlanStore, PlanStoreError, StoredPlan},
};

impl PlanStore for RedbJournal {
    fn put(
        &self,
        plan: StoredPlan,
        claim: Option<Claim>,
        shelf: Option<u64>,
    ) -> BoxFuture<'_, Result<(), PlanStoreError>> {
        async move {
            self.submit(Change::PutPlan { plan, claim, shelf }).await?;
            Ok(())
        }
        .boxed()
    }

    fn get(
        &self,
        name: &PlanName,
        revision: Option<u64>,
    ) -> BoxFuture<'_, Result<Option<StoredPlan>, ReadError>> {
        let name = name.clone();
        self.query_row(move |reading| plan(reading, name, revision))
            .boxed()
    }

    fn last_revision(&self, name: &PlanName) -> BoxFuture<'_, Result<u64, ReadError>> {
        let name = name.clone();
        self.query_row(move |reading| last_revision(reading, &name))
            .boxed()
    }

    fn list(
        &self,
        after: Option<&PlanName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>> {
        let after = after.cloned();
        self.query(move |reading| newest_plans(reading, after.as_ref(), limit))
            .boxed()
    }

    fn revisions(
        &self,
        name: &PlanName,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>> {
        let name = name.clone();
        self.query(move |reading| revisions(reading, &name, before, limit))
            .boxed()
    }

    fn delete(
        &self,
        name: &PlanName,
        claim: Option<Claim>,
    ) -> BoxFuture<'_, Result<bool, PlanStoreError>> {
        let name = name.clone();
        async move {
            let outcome = self.submit(Change::DeletePlan { name, claim }).await?;
            Ok(outcome == Outcome::Done)
        }
        .boxed()
    }

    fn take_claim(&self, claim: Claim) -> BoxFuture<'_, Result<(), PlanStoreError>> {
        async move {
            self.submit(Change::TakeClaim(claim)).await?;
            Ok(())
        }
        .boxed()
    }
}

impl From<WriteError> for PlanStoreError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(Refusal::Taken { revision, newest }) => {
                Self::Taken { revision, newest }
            }
            WriteError::Refused(Refusal::Claimed { value }) => Self::Claimed { value },
            WriteError::Refused(Refusal::Outdated) => Self::Outdated,
            WriteError::Failed(failure) => Self::Unknown(failure.to_string()),
        }
    }
}

type PlanRevisions = ReadOnlyTable<&'static [u8], &'static [u8]>;

fn plan(
    reading: &ReadTransaction,
    name: PlanName,
    revision: Option<u64>,
) -> Result<Option<StoredPlan>, ReadError> {
    let revisions = reading
        .open_table(tables::PLAN_REVISIONS)
        .map_err(unreadable)?;
    if let Some(revision) = revision {
        return stored_plan(&revisions, name, revision);
    }
    let plans = reading.open_table(tables::PLANS).map_err(unreadable)?;
    match plans.get(name.as_str().as_bytes()).map_err(unreadable)? {
        Some(newest) => newest_plan(&revisions, name, newest.value()).map(Some),
        None => Ok(None),
    }
}

fn last_revision(reading: &ReadTransaction, name: &PlanName) -> Result<u64, ReadError> {
    let last = reading
        .open_table(tables::PLAN_LAST_REVISIONS)
        .map_err(unreadable)?;
    let revision = last.get(name.as_str().as_bytes()).map_err(unreadable)?;
    Ok(revision.map_or(0, |revision| revision.value()))
}

fn newest_plans(
    reading: &ReadTransaction,
    after: Option<&PlanName>,
    limit: usize,
) -> Result<Vec<StoredPlan>, ReadError> {
    let plans = reading.open_table(tables::PLANS).map_err(unreadable)?;
    let revisions = reading
        .open_table(tables::PLAN_REVISIONS)
        .map_err(unreadable)?;
    let start = after.map_or(Bound::Unbounded, |name| {
        Bound::Excluded(name.as_str().as_bytes())
    });
    let rows = plans
        .range::<&[u8]>((start, Bound::Unbounded))
        .map_err(unreadable)?;
    rows.take(limit)
        .map(|row| {
            let (key, newest) = row.map_err(unreadable)?;
            let name = PlanName::from(name_of(key.value())?);
            newest_plan(&revisions, name, newest.value())
        })
        .collect()
}

fn revisions(
    reading: &ReadTransaction,
    name: &PlanName,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<StoredPlan>, ReadError> {
    let revisions = reading
        .open_table(tables::PLAN_REVISIONS)
        .map_err(unreadable)?;
    let first = revision_key(name.as_str(), 0);
    let end = revision_key(name.as_str(), before.unwrap_or(u64::MAX));
    let rows = revisions
        .range(first.as_slice()..end.as_slice())
        .map_err(unreadable)?;
    rows.rev()
        .take(limit)
        .map(|row| {
            let (key, plan) = row.map_err(unreadable)?;
            let revision = revision_of(key.value())
                .ok_or_else(|| ReadError::Damaged("a plan's key is too short".to_owned()))?;
            Ok(StoredPlan {
                name: name.clone(),
                revision,
                plan: Bytes::copy_from_slice(plan.value()),
            })
        })
        .collect()
}

fn newest_plan(
    revisions: &PlanRevisions,
    name: PlanName,
    newest: u64,
) -> Result<StoredPlan, ReadError> {
    let missing = format!("revision {newest} of plan {name} is missing");
    stored_plan(revisions, name, newest)?.ok_or(ReadError::Damaged(missing))
}

fn stored_plan(
    revisions: &PlanRevisions,
    name: PlanName,
    revision: u64,
) -> Result<Option<StoredPlan>, ReadError> {
    let key = revision_key(name.as_str(), revision);
    let plan = revisions.get(key.as_slice()).map_err(unreadable)?;
    Ok(plan.map(|plan| StoredPlan {
        name,
        revision,
        plan: Bytes::copy_from_slice(plan.value()),
    }))
}
