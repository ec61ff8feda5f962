//! The journal in memory: for the simulation, and to measure others against.
//!
//! Deterministic, and nothing in it waits. Clones share what is stored, so a
//! clone is what a restarted process finds.

mod hooks;

use std::{
    collections::BTreeMap,
    future,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use tidegate_core::{ExecutionId, PlanName, SourceServerId};

use crate::ports::{
    journal::{
        Append, AppendError, Claim, Head, HeadUpdate, Holds, HoldsSince, Journal, ReadError,
        StoredRecord,
    },
    plan_store::{PlanStore, PlanStoreError, StoredPlan},
};

/// Bytes of one record.
const RECORD_LIMIT: usize = 16 << 20;

/// Bytes of records in one answer of `read`.
const READ_LIMIT: usize = 1 << 20;

/// A journal, plan store and hook store without a disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    stored: Arc<Mutex<Stored>>,
}

#[derive(Debug, Default)]
struct Stored {
    logs: BTreeMap<ExecutionId, Log>,
    claims: BTreeMap<String, Bytes>,
    plans: BTreeMap<PlanName, PlanHistory>,
    hooks: hooks::Hooks,
    /// How often servers were taken.
    holds: u64,
    /// How often hooks were deleted, or plans stored that use some.
    shelf: u64,
}

#[derive(Debug)]
struct Log {
    /// The record of revision n is at n - 1.
    records: Vec<Bytes>,
    head: HeadUpdate,
    holds: Vec<SourceServerId>,
    /// The number of the holds when it took servers last.
    held_at: u64,
}

/// Stays when the plan is deleted, with nothing in `revisions`.
#[derive(Debug, Default)]
struct PlanHistory {
    last_revision: u64,
    revisions: BTreeMap<u64, Bytes>,
}

/// Why nothing was written.
enum Refusal {
    Taken { revision: u64, newest: u64 },
    Claimed { value: Bytes },
    Outdated { newest: u64 },
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The one way in for changes. Whoever wants writes to fail decides it
    /// here: before `change` runs, nothing is written; after it, the answer is
    /// lost.
    fn write<T, E>(&self, change: impl FnOnce(&mut Stored) -> Result<T, E>) -> Result<T, E> {
        change(&mut self.stored())
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    /// # Panics
    /// If a first record comes without a head.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        assert!(
            append.revision != 1 || append.head.is_some(),
            "the first record of an execution brings its head"
        );
        let size = append.record.len();
        async move {
            if size > RECORD_LIMIT {
                let limit = RECORD_LIMIT;
                return Err(AppendError::TooLarge { size, limit });
            }
            Ok(self.write(|stored| stored.append(append))?)
        }
        .boxed()
    }

    fn read(
        &self,
        execution: &ExecutionId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, ReadError>> {
        let records = self.stored().records(execution, after, limit);
        future::ready(Ok(records)).boxed()
    }

    fn head(&self, execution: &ExecutionId) -> BoxFuture<'_, Result<Option<Head>, ReadError>> {
        let stored = self.stored();
        let log = stored.logs.get_key_value(execution);
        future::ready(Ok(log.map(head))).boxed()
    }

    fn heads(
        &self,
        before: Option<&ExecutionId>,
        live_only: bool,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Head>, ReadError>> {
        let stored = self.stored();
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        let heads = stored
            .logs
            .range::<ExecutionId, _>((Bound::Unbounded, end))
            .rev()
            .filter(|(_, log)| log.head.live || !live_only)
            .take(limit)
            .map(head)
            .collect();
        future::ready(Ok(heads)).boxed()
    }

    fn claim(&self, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, ReadError>> {
        let value = self.stored().claims.get(key).cloned();
        future::ready(Ok(value)).boxed()
    }

    fn holds(&self, after: u64) -> BoxFuture<'_, Result<HoldsSince, ReadError>> {
        let stored = self.stored();
        let since = stored.logs.iter();
        // As in a table, where who is over is told of for a while.
        let since = since.filter(|(_, log)| log.held_at > after && (log.head.live || after > 0));
        let held = since.map(|(id, log)| {
            let holds = log.head.live.then(|| log.holds.clone());
            (id.clone(), holds.unwrap_or_default())
        });
        let newest = stored.holds;
        let held = held.collect();
        future::ready(Ok(HoldsSince { newest, held })).boxed()
    }
}

impl PlanStore for MemoryJournal {
    fn put(
        &self,
        plan: StoredPlan,
        claim: Option<Claim>,
        shelf: Option<u64>,
    ) -> BoxFuture<'_, Result<(), PlanStoreError>> {
        async move { Ok(self.write(|stored| stored.put_plan(plan, claim, shelf))?) }.boxed()
    }

    fn get(
        &self,
        name: &PlanName,
        revision: Option<u64>,
    ) -> BoxFuture<'_, Result<Option<StoredPlan>, ReadError>> {
        let stored = self.stored();
        let found = stored.plans.get(name).and_then(|plan| {
            let (&revision, plan) = match revision {
                Some(revision) => plan.revisions.get_key_value(&revision),
                None => plan.revisions.last_key_value(),
            }?;
            Some(stored_plan(name, revision, plan))
        });
        future::ready(Ok(found)).boxed()
    }

    fn last_revision(&self, name: &PlanName) -> BoxFuture<'_, Result<u64, ReadError>> {
        let last = self.stored().last_revision(name);
        future::ready(Ok(last)).boxed()
    }

    fn list(
        &self,
        after: Option<&PlanName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>> {
        let stored = self.stored();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let newest = stored
            .plans
            .range::<PlanName, _>((start, Bound::Unbounded))
            .filter_map(|(name, plan)| {
                let (&revision, plan) = plan.revisions.last_key_value()?;
                Some(stored_plan(name, revision, plan))
            })
            .take(limit)
            .collect();
        future::ready(Ok(newest)).boxed()
    }

    fn revisions(
        &self,
        name: &PlanName,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredPlan>, ReadError>> {
        let stored = self.stored();
        let revisions = stored.plans.get(name).into_iter().flat_map(|plan| {
            let older = plan.revisions.range(..before.unwrap_or(u64::MAX)).rev();
            older.map(|(&revision, plan)| stored_plan(name, revision, plan))
        });
        future::ready(Ok(revisions.take(limit).collect())).boxed()
    }

    fn delete(
        &self,
        name: &PlanName,
        claim: Option<Claim>,
    ) -> BoxFuture<'_, Result<bool, PlanStoreError>> {
        let name = name.clone();
        async move { Ok(self.write(|stored| stored.delete_plan(&name, claim))?) }.boxed()
    }

    fn take_claim(&self, claim: Claim) -> BoxFuture<'_, Result<(), PlanStoreError>> {
        let change = |stored: &mut Stored| -> Result<(), Refusal> {
            stored.check_claim(Some(&claim))?;
            stored.take_claim(Some(claim));
            Ok(())
        };
        async move { Ok(self.write(change)?) }.boxed()
    }
}

impl Stored {
    fn append(&mut self, append: Append) -> Result<(), Refusal> {
        self.check_claim(append.claim.as_ref())?;
        let log = self.logs.get(&append.execution);
        let newest = log.map_or(0, |log| newest_revision(&log.records));
        check_next(append.revision, newest)?;
        self.check_holds(append.holds.as_ref())?;
        match (self.logs.get_mut(&append.execution), append.head) {
            (Some(log), head) => {
                log.records.push(append.record);
                if let Some(head) = head {
                    log.head = head;
                }
            }
            (None, Some(head)) => {
                let log = Log {
                    records: vec![append.record],
                    head,
                    holds: Vec::new(),
                    held_at: 0,
                };
                self.logs.insert(append.execution.clone(), log);
            }
            (None, None) => unreachable!("the first record of an execution brings its head"),
        }
        self.take_claim(append.claim);
        self.take_holds(&append.execution, append.holds);
        Ok(())
    }

    fn check_holds(&self, holds: Option<&Holds>) -> Result<(), Refusal> {
        let newest = self.holds;
        match holds {
            Some(holds) if holds.after != newest => Err(Refusal::Outdated { newest }),
            Some(_) | None => Ok(()),
        }
    }

    fn take_holds(&mut self, execution: &ExecutionId, holds: Option<Holds>) {
        if let Some(holds) = holds
            && let Some(log) = self.logs.get_mut(execution)
        {
            self.holds += 1;
            for server in holds.servers {
                if !log.holds.contains(&server) {
                    log.holds.push(server);
                }
            }
            log.held_at = self.holds;
        }
    }

    fn records(&self, execution: &ExecutionId, after: u64, limit: usize) -> Vec<StoredRecord> {
        let Some(log) = self.logs.get(execution) else {
            return Vec::new();
        };
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let mut records = Vec::new();
        let mut size = 0;
        for (revision, record) in (1..).zip(&log.records).skip(skipped).take(limit) {
            size += record.len();
            if size > READ_LIMIT && !records.is_empty() {
                break;
            }
            let record = record.clone();
            records.push(StoredRecord { revision, record });
        }
        records
    }

    fn put_plan(
        &mut self,
        plan: StoredPlan,
        claim: Option<Claim>,
        shelf: Option<u64>,
    ) -> Result<(), Refusal> {
        self.check_claim(claim.as_ref())?;
        check_next(plan.revision, self.last_revision(&plan.name))?;
        if let Some(known) = shelf {
            self.move_shelf(known)?;
        }
        let history = self.plans.entry(plan.name).or_default();
        history.last_revision = plan.revision;
        history.revisions.insert(plan.revision, plan.plan);
        self.take_claim(claim);
        Ok(())
    }

    /// Moves the shelf on from the number that is known of it.
    fn move_shelf(&mut self, known: u64) -> Result<(), Refusal> {
        let newest = self.shelf;
        if known != newest {
            return Err(Refusal::Outdated { newest });
        }
        self.shelf += 1;
        Ok(())
    }

    fn delete_plan(&mut self, name: &PlanName, claim: Option<Claim>) -> Result<bool, Refusal> {
        self.check_claim(claim.as_ref())?;
        let Some(history) = self.plans.get_mut(name) else {
            return Ok(false);
        };
        if history.revisions.is_empty() {
            return Ok(false);
        }
        history.revisions.clear();
        self.take_claim(claim);
        Ok(true)
    }

    fn last_revision(&self, name: &PlanName) -> u64 {
        self.plans.get(name).map_or(0, |plan| plan.last_revision)
    }

    fn check_claim(&self, claim: Option<&Claim>) -> Result<(), Refusal> {
        match claim.and_then(|claim| self.claims.get(&claim.key)) {
            Some(value) => Err(Refusal::Claimed {
                value: value.clone(),
            }),
            None => Ok(()),
        }
    }

    fn take_claim(&mut self, claim: Option<Claim>) {
        if let Some(Claim { key, value }) = claim {
            self.claims.insert(key, value);
        }
    }
}

impl From<Refusal> for AppendError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Taken { revision, newest } => Self::Taken { revision, newest },
            Refusal::Claimed { value } => Self::Claimed { value },
            Refusal::Outdated { newest } => Self::Outdated { newest },
        }
    }
}

impl From<Refusal> for PlanStoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Taken { revision, newest } => Self::Taken { revision, newest },
            Refusal::Claimed { value } => Self::Claimed { value },
            Refusal::Outdated { .. } => Self::Outdated,
        }
    }
}

fn newest_revision(records: &[Bytes]) -> u64 {
    u64::try_from(records.len()).expect("a length fits into 64 bits")
}

fn check_next(revision: u64, newest: u64) -> Result<(), Refusal> {
    if newest.checked_add(1) == Some(revision) {
        return Ok(());
    }
    Err(Refusal::Taken { revision, newest })
}

fn head((execution, log): (&ExecutionId, &Log)) -> Head {
    Head {
        execution: execution.clone(),
        live: log.head.live,
        summary: log.head.summary.clone(),
    }
}

fn stored_plan(name: &PlanName, revision: u64, plan: &Bytes) -> StoredPlan {
    StoredPlan {
        name: name.clone(),
        revision,
        plan: plan.clone(),
    }
}
