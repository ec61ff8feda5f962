//! The [`PlanStore`] port.
//!
//! An item for each name says which revisions there are: from `first` to
//! `last`. Deleting a plan moves `first` behind `last`, in one write, however
//! many revisions there are; their items are then rubbish, and deleted.

use futures::{
    StreamExt as _, TryStreamExt as _,
    future::{BoxFuture, FutureExt as _},
    stream,
};
use tidegate_core::PlanName;

use super::{
    DynamoJournal,
    calls::{Calls, Query},
    chunks::{self, CHUNK, Laid},
    claims::{self, Claiming},
    item::{self, Item},
    keys::{self, Key, PLANS},
    laying,
    meaning::Failure,
    shelf,
    write::Write,
};
use crate::ports::{
    journal::{Claim, ReadError},
    plan_store::{PlanStore, PlanStoreError, StoredPlan},
};

/// Plans that are read at the same time.
const AT_ONCE: usize = 8;

/// Tries at what somebody else changes at the same time.
const TRIES: usize = 5;

/// The revisions of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: u64,
    last: u64,
}

impl PlanStore for DynamoJournal {
    fn put(
        &self,
        plan: StoredPlan,
        claim: Option<Claim>,
        shelf: Option<u64>,
    ) -> BoxFuture<'_, Result<(), PlanStoreError>> {
        async move { put(&self.calls, &plan, claim.as_ref(), shelf).await }.boxed()
    }

    fn get(
        &self,
        name: &PlanName,
        revision: Option<u64>,
    ) -> BoxFuture<'_, Result<Option<StoredPlan>, ReadError>> {
        let name = name.clone();
        async move { get(&self.calls, &name, revision).await }.boxed()
    }

    fn last_revision(&self, name: &PlanName) -> BoxFuture<'_, Result<u64, ReadError>> {
        let name = name.clone();
        async move { Ok(span(&self.calls, &name).await?.last) }.boxed()
    }

    fn list(
        &self,
        after: Option<&PlanName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>> {
        let after = after.cloned();
        async move { list(&self.calls, after.as_ref(), limit).await }.boxed()
    }

    fn revisions(
        &self,
        name: &PlanName,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>> {
        let name = name.clone();
        async move { revisions(&self.calls, &name, before, limit).await }.boxed()
    }

    fn delete(
        &self,
        name: &PlanName,
        claim: Option<Claim>,
    ) -> BoxFuture<'_, Result<bool, PlanStoreError>> {
        let name = name.clone();
        async move { delete(&self.calls, &name, claim.as_ref()).await }.boxed()
    }

    fn take_claim(&self, claim: Claim) -> BoxFuture<'_, Result<(), PlanStoreError>> {
        async move {
            let laid = claims::lay(&self.calls, &claim).await.map_err(unmade)?;
            let writes: Vec<_> = [laid.take()].into_iter().chain(laid.finish()).collect();
            let Err(failure) = self.calls.transact_surely(&writes).await else {
                return Ok(());
            };
            if !matches!(failure, Failure::Lost(_)) {
                laid.take_back(&self.calls).await;
            }
            let refusal = claimed(&self.calls, failure, true).await;
            Err(refusal.unwrap_or_else(swept))
        }
        .boxed()
    }
}

impl Span {
    const NONE: Self = Self { first: 1, last: 0 };

    fn of(item: &Item) -> Result<Self, ReadError> {
        let number = |name| {
            item.number(name)
                .ok_or_else(|| item.damaged(&format!("no {name} revision")))
        };
        Ok(Self {
            first: number("first")?,
            last: number("last")?,
        })
    }

    fn is_empty(self) -> bool {
        self.first > self.last
    }

    fn contains(self, revision: u64) -> bool {
        (self.first..=self.last).contains(&revision)
    }
}

async fn span(calls: &Calls, name: &PlanName) -> Result<Span, ReadError> {
    let item = calls.get(&keys::plan(name.as_str())).await?;
    item.as_ref().map_or(Ok(Span::NONE), Span::of)
}

async fn put(
    calls: &Calls,
    plan: &StoredPlan,
    claim: Option<&Claim>,
    shelf: Option<u64>,
) -> Result<(), PlanStoreError> {
    let laid = chunks::lay(calls, "plan", &plan.plan, CHUNK).await;
    let laid = laid.map_err(unmade)?;
    let claiming = match claim {
        Some(claim) => Some(lay_claim(calls, claim, &laid).await?),
        None => None,
    };
    let key = Key::new(
        keys::revisions(plan.name.as_str()),
        keys::number(plan.revision),
    );
    let claiming = claiming.as_ref();
    let mut writes: Vec<_> = claiming.map(Claiming::take).into_iter().collect();
    let revision = writes.len();
    writes.push(next_revision(plan));
    writes.push(laid.in_item(Write::put(key)));
    writes.extend(laid.finish());
    writes.extend(claiming.and_then(Claiming::finish));
    let last = writes.len();
    writes.extend(shelf.map(shelf::advance));
    let Err(failure) = calls.transact_surely(&writes).await else {
        return Ok(());
    };
    if !matches!(failure, Failure::Lost(_)) {
        laid.take_back(calls).await;
        if let Some(claiming) = claiming {
            claiming.take_back(calls).await;
        }
    }
    let (is_taken, is_outdated) = (failure.refuses(revision), failure.refuses(last));
    if let Some(refusal) = claimed(calls, failure, claim.is_some()).await {
        return Err(refusal);
    }
    if is_taken {
        let newest = span(calls, &plan.name).await.map_err(unread)?.last;
        let revision = plan.revision;
        return Err(PlanStoreError::Taken { revision, newest });
    }
    Err(match is_outdated {
        true => PlanStoreError::Outdated,
        false => swept(),
    })
}

/// Lays down what the claim of a plan records, beside the plan.
async fn lay_claim(calls: &Calls, claim: &Claim, plan: &Laid) -> Result<Claiming, PlanStoreError> {
    match claims::lay(calls, claim).await {
        Ok(claiming) => Ok(claiming),
        Err(failure) => {
            plan.take_back(calls).await;
            Err(unmade(failure))
        }
    }
}

/// The write that makes a revision the newest, if it is the next.
fn next_revision(plan: &StoredPlan) -> Write {
    let name = plan.name.as_str();
    let mut expression =
        "SET #last = :revision, #first = if_not_exists(#first, :revision)".to_owned();
    if keys::is_shortened(name) {
        expression.push_str(", #id = :id");
    }
    let mut write =
        Write::update(keys::plan(name), expression).with("revision", item::number(plan.revision));
    if keys::is_shortened(name) {
        write = write.with("id", item::text(name));
    }
    match plan.revision {
        // Never true: a name's last revision is at least 1.
        0 => write.only_if("#last < :revision"),
        1 => write.if_absent(),
        revision => write
            .only_if("#last = :before")
            .with("before", item::number(revision - 1)),
    }
}

async fn get(
    calls: &Calls,
    name: &PlanName,
    revision: Option<u64>,
) -> Result<Option<StoredPlan>, ReadError> {
    for _ in 0..TRIES {
        let span = span(calls, name).await?;
        let revision = revision.unwrap_or(span.last);
        if !span.contains(revision) {
            return Ok(None);
        }
        let key = Key::new(keys::revisions(name.as_str()), keys::number(revision));
        // Not there: deleted since.
        if let Some(item) = calls.get(&key).await? {
            return stored(calls, name, &item).await.map(Some);
        }
    }
    let missing = format!("revision {revision:?} of plan {name} is missing");
    Err(ReadError::Damaged(missing))
}

async fn stored(calls: &Calls, name: &PlanName, item: &Item) -> Result<StoredPlan, ReadError> {
    let plan = chunks::read(calls, item, "plan").await?;
    Ok(StoredPlan {
        name: name.clone(),
        revision: item.position()?,
        plan: plan.ok_or_else(|| item.damaged("no plan"))?,
    })
}

async fn list(
    calls: &Calls,
    after: Option<&PlanName>,
    limit: usize,
) -> Result<Vec<StoredPlan>, ReadError> {
    let after = after.map(|after| item::text(keys::named(after.as_str())));
    let query = Query {
        range: after.map(|after| ("#sk > :after", vec![("after", after)])),
        ..Query::of(PLANS)
    };
    let mut plans = Vec::new();
    let mut from = None;
    while plans.len() < limit {
        let page = calls.page(&query, limit - plans.len(), from).await?;
        let mut names = Vec::new();
        for item in &page.items {
            if !Span::of(item)?.is_empty() {
                names.push(PlanName::from(item.name()?));
            }
        }
        let found: Vec<_> = stream::iter(names)
            .map(|name| async move { get(calls, &name, None).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        plans.extend(found.into_iter().flatten());
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    Ok(plans)
}

async fn revisions(
    calls: &Calls,
    name: &PlanName,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<StoredPlan>, ReadError> {
    let span = span(calls, name).await?;
    let below = before.map_or(span.last, |before| before.saturating_sub(1).min(span.last));
    if below < span.first {
        return Ok(Vec::new());
    }
    let query = Query {
        range: Some((
            "#sk BETWEEN :first AND :below",
            vec![
                ("first", item::text(keys::number(span.first))),
                ("below", item::text(keys::number(below))),
            ],
        )),
        newest_first: true,
        limit,
        ..Query::of(keys::revisions(name.as_str()))
    };
    let items = calls.all(&query).await?;
    stream::iter(items)
        .map(|item| async move { stored(calls, name, &item).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn delete(
    calls: &Calls,
    name: &PlanName,
    claim: Option<&Claim>,
) -> Result<bool, PlanStoreError> {
    if let Some(claim) = claim {
        let taken = claims::find(calls, &claim.key).await.map_err(unread)?;
        if let Some(value) = taken {
            return Err(PlanStoreError::Claimed { value });
        }
    }
    for _ in 0..TRIES {
        let span = span(calls, name).await.map_err(unread)?;
        if span.is_empty() {
            return Ok(false);
        }
        // The answer to a deletion is empty.
        let mut writes: Vec<_> = claim.map(claims::take_small).into_iter().collect();
        let gone = Write::update(keys::plan(name.as_str()), "SET #first = :next")
            .only_if("#first = :first AND #last = :last")
            .with("next", item::number(span.last + 1))
            .with("first", item::number(span.first))
            .with("last", item::number(span.last));
        writes.push(gone);
        match calls.transact_surely(&writes).await {
            Ok(()) => {
                clear(calls, name, span.last + 1).await;
                return Ok(true);
            }
            Err(failure) => {
                if let Some(refusal) = claimed(calls, failure, claim.is_some()).await {
                    return Err(refusal);
                }
            }
        }
    }
    Err(PlanStoreError::Unavailable(format!(
        "plan {name} is being changed by others"
    )))
}

/// Deletes the items of revisions that are not there any more, each after its
/// parts. What cannot be deleted is rubbish that nobody reads, and goes with the
/// next deletion.
async fn clear(calls: &Calls, name: &PlanName, end: u64) {
    let query = Query {
        range: Some(("#sk < :end", vec![("end", item::text(keys::number(end)))])),
        only: Some(chunks::references("plan")),
        ..Query::of(keys::revisions(name.as_str()))
    };
    let items = match calls.all(&query).await {
        Ok(items) => items,
        Err(error) => {
            tracing::warn!(plan = %name, %error, "a deleted plan's revisions are left");
            return;
        }
    };
    for item in items {
        let Some(key) = item.key() else { continue };
        let cleared = async {
            chunks::clear_before(calls, &item, "plan").await?;
            calls.write_again(&Write::delete(key)).await
        };
        if let Err(failure) = cleared.await {
            let why = failure.text();
            tracing::warn!(plan = %name, why, "a deleted plan's revision is left");
        }
    }
}

/// The refusal, unless the write behind the claim was refused.
async fn claimed(calls: &Calls, failure: Failure, has_claim: bool) -> Option<PlanStoreError> {
    let Failure::Refused(items) = failure else {
        return Some(unmade(failure));
    };
    let claim = items.first().filter(|_| has_claim)?.as_ref()?;
    Some(match claims::refused(calls, claim).await {
        Ok(value) => PlanStoreError::Claimed { value },
        Err(error) => unread(error),
    })
}

fn unmade(failure: Failure) -> PlanStoreError {
    match failure {
        Failure::Never(why) => PlanStoreError::Refused(why),
        Failure::Lost(why) => PlanStoreError::Unavailable(format!(
            "{why}; it may be stored all the same: ask again with the same request id"
        )),
        Failure::Refused(_) | Failure::Conflict(_) | Failure::Unavailable(_) => {
            PlanStoreError::Unavailable(failure.text())
        }
    }
}

fn swept() -> PlanStoreError {
    PlanStoreError::Unavailable(laying::SWEPT.to_owned())
}

fn unread(error: ReadError) -> PlanStoreError {
    PlanStoreError::Unavailable(error.to_string())
}
