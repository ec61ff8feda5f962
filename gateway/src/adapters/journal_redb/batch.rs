//! Changes performed one by one inside one write transaction. Each is wholly
//! performed or refused; a refused one writes nothing.

mod hooks;

use std::collections::HashMap;

use bytes::Bytes;
use redb::{ReadableTable, Table, TableDefinition, Value, WriteTransaction};
use tidegate_core::{ExecutionId, PlanName};

use super::tables::{self, encode_head, revision_key, revision_of};
use crate::ports::{
    hook_store::StoredHook,
    journal::{Append, Claim},
    plan_store::StoredPlan,
};

/// What a caller wants written.
#[derive(Debug)]
pub(super) enum Change {
    Append(Append),
    PutPlan {
        plan: StoredPlan,
        claim: Option<Claim>,
        /// The number of the shelf, of a plan that uses hooks.
        shelf: Option<u64>,
    },
    DeletePlan {
        name: PlanName,
        claim: Option<Claim>,
    },
    TakeClaim(Claim),
    PutHook {
        hook: StoredHook,
        bytes: Bytes,
    },
    DeleteHook {
        digest: String,
        /// The number of the shelf, if it matters.
        shelf: Option<u64>,
    },
    PutTape {
        /// Its row's key.
        key: Vec<u8>,
        bytes: Bytes,
    },
}

/// What became of a change.
pub(super) type Verdict = Result<Outcome, Refusal>;

/// How a change was performed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is written.
    Done,
    /// There was nothing to delete, or what was to be stored is there already.
    Moot,
}

/// Why a change was not performed.
#[derive(Debug)]
pub(super) enum Refusal {
    Taken { revision: u64, newest: u64 },
    Claimed { value: Bytes },
    Outdated,
}

/// The newest revision of live executions, so that an append need not look it
/// up. Filled from the table; an execution that is over leaves it.
#[derive(Debug, Default)]
pub(super) struct LiveLogs(HashMap<ExecutionId, u64>);

/// What must be known of a log to append to it.
#[derive(Clone, Copy)]
struct LogState {
    newest: u64,
    live: bool,
}

/// An open write transaction.
pub(super) struct Batch<'txn> {
    transaction: &'txn WriteTransaction,
    logs: &'txn mut LiveLogs,
    records: LazyTable<'txn, &'static [u8]>,
    heads: LazyTable<'txn, &'static [u8]>,
    live: LazyTable<'txn, ()>,
    claims: LazyTable<'txn, &'static [u8]>,
    plans: LazyTable<'txn, u64>,
    plan_revisions: LazyTable<'txn, &'static [u8]>,
    plan_last_revisions: LazyTable<'txn, u64>,
    hooks: LazyTable<'txn, &'static [u8]>,
    hook_chunks: LazyTable<'txn, &'static [u8]>,
    tapes: LazyTable<'txn, &'static [u8]>,
}

/// A table that is opened when it is first used. Opening all of them for a
/// batch of one append adds a twentieth to its commit.
struct LazyTable<'txn, V: Value + 'static> {
    transaction: &'txn WriteTransaction,
    definition: TableDefinition<'static, &'static [u8], V>,
    opened: Option<Table<'txn, &'static [u8], V>>,
}

impl Change {
    /// Whether its commit takes little more than an fsync. Components and
    /// tapes are megabytes: no worker of a runtime may wait for those.
    pub(super) fn is_small(&self) -> bool {
        match self {
            Self::Append(_)
            | Self::PutPlan { .. }
            | Self::DeletePlan { .. }
            | Self::TakeClaim(_) => true,
            Self::PutHook { .. } | Self::DeleteHook { .. } | Self::PutTape { .. } => false,
        }
    }

    /// What is claimed together with it.
    fn claim(&self) -> Option<&Claim> {
        match self {
            Self::Append(Append { claim, .. })
            | Self::PutPlan { claim, .. }
            | Self::DeletePlan { claim, .. } => claim.as_ref(),
            Self::TakeClaim(claim) => Some(claim),
            Self::PutHook { .. } | Self::DeleteHook { .. } | Self::PutTape { .. } => None,
        }
    }
}

impl<'txn> Batch<'txn> {
    /// `logs` runs ahead of the commit: if the transaction is not committed
    /// after a change was performed, `logs` must not be used again.
    pub(super) fn new(transaction: &'txn WriteTransaction, logs: &'txn mut LiveLogs) -> Self {
        Self {
            transaction,
            logs,
            records: LazyTable::new(transaction, tables::RECORDS),
            heads: LazyTable::new(transaction, tables::HEADS),
            live: LazyTable::new(transaction, tables::LIVE),
            claims: LazyTable::new(transaction, tables::CLAIMS),
            plans: LazyTable::new(transaction, tables::PLANS),
            plan_revisions: LazyTable::new(transaction, tables::PLAN_REVISIONS),
            plan_last_revisions: LazyTable::new(transaction, tables::PLAN_LAST_REVISIONS),
            hooks: LazyTable::new(transaction, tables::HOOKS),
            hook_chunks: LazyTable::new(transaction, tables::HOOK_CHUNKS),
            tapes: LazyTable::new(transaction, tables::TAPES),
        }
    }

    pub(super) fn perform(&mut self, change: &Change) -> Result<Verdict, redb::Error> {
        let claim = change.claim();
        if let Some(value) = self.claimant(claim)? {
            return Ok(Err(Refusal::Claimed { value }));
        }
        let verdict = match change {
            Change::Append(append) => self.append(append)?,
            Change::PutPlan { plan, shelf, .. } => self.put_plan(plan, *shelf)?,
            Change::DeletePlan { name, .. } => self.delete_plan(name)?,
            Change::TakeClaim(_) => Ok(Outcome::Done),
            Change::PutHook { hook, bytes } => Ok(self.put_hook(hook, bytes)?),
            Change::DeleteHook { digest, shelf } => self.delete_hook(digest, *shelf)?,
            Change::PutTape { key, bytes } => Ok(self.put_tape(key, bytes)?),
        };
        if let (Ok(Outcome::Done), Some(Claim { key, value })) = (&verdict, claim) {
            self.claims.open()?.insert(key.as_bytes(), value.as_ref())?;
        }
        Ok(verdict)
    }

    /// What the first claimant recorded, if the claim's key is taken.
    fn claimant(&mut self, claim: Option<&Claim>) -> Result<Option<Bytes>, redb::Error> {
        let Some(claim) = claim else {
            return Ok(None);
        };
        let taken = self.claims.open()?.get(claim.key.as_bytes())?;
        Ok(taken.map(|value| Bytes::copy_from_slice(value.value())))
    }

    fn append(&mut self, append: &Append) -> Result<Verdict, redb::Error> {
        let log = self.log(&append.execution)?;
        if let Err(refusal) = check_next(append.revision, log.newest) {
            return Ok(Err(refusal));
        }
        let execution = append.execution.as_str();
        let key = revision_key(execution, append.revision);
        self.records
            .open()?
            .insert(key.as_slice(), append.record.as_ref())?;
        let mut live = log.live;
        if let Some(head) = &append.head {
            let row = encode_head(head);
            self.heads
                .open()?
                .insert(execution.as_bytes(), row.as_slice())?;
            live = head.live;
        }
        if live && !log.live {
            self.live.open()?.insert(execution.as_bytes(), ())?;
        } else if log.live && !live {
            self.live.open()?.remove(execution.as_bytes())?;
        }
        self.logs.note(&append.execution, append.revision, live);
        Ok(Ok(Outcome::Done))
    }

    fn log(&mut self, execution: &ExecutionId) -> Result<LogState, redb::Error> {
        if let Some(newest) = self.logs.0.get(execution).copied() {
            return Ok(LogState { newest, live: true });
        }
        let first = revision_key(execution.as_str(), 0);
        let last = revision_key(execution.as_str(), u64::MAX);
        let mut records = self
            .records
            .open()?
            .range(first.as_slice()..=last.as_slice())?;
        let newest = match records.next_back().transpose()? {
            Some((key, _)) => revision_of(key.value())
                .ok_or_else(|| redb::Error::Corrupted("a record's key is too short".to_owned()))?,
            None => 0,
        };
        let live = self
            .live
            .open()?
            .get(execution.as_str().as_bytes())?
            .is_some();
        Ok(LogState { newest, live })
    }

    fn put_plan(&mut self, plan: &StoredPlan, shelf: Option<u64>) -> Result<Verdict, redb::Error> {
        let name = plan.name.as_str();
        let newest = self.plan_last_revisions.open()?.get(name.as_bytes())?;
        let newest = newest.map_or(0, |revision| revision.value());
        if let Err(refusal) = check_next(plan.revision, newest) {
            return Ok(Err(refusal));
        }
        if shelf.is_some() && !self.move_shelf(shelf)? {
            return Ok(Err(Refusal::Outdated));
        }
        let key = revision_key(name, plan.revision);
        self.plan_revisions
            .open()?
            .insert(key.as_slice(), plan.plan.as_ref())?;
        self.plans.open()?.insert(name.as_bytes(), plan.revision)?;
        self.plan_last_revisions
            .open()?
            .insert(name.as_bytes(), plan.revision)?;
        Ok(Ok(Outcome::Done))
    }

    fn delete_plan(&mut self, name: &PlanName) -> Result<Verdict, redb::Error> {
        let name = name.as_str();
        if self.plans.open()?.remove(name.as_bytes())?.is_none() {
            return Ok(Ok(Outcome::Moot));
        }
        let first = revision_key(name, 0);
        let last = revision_key(name, u64::MAX);
        self.plan_revisions
            .open()?
            .retain_in(first.as_slice()..=last.as_slice(), |_, _| false)?;
        Ok(Ok(Outcome::Done))
    }
}

impl<'txn, V: Value + 'static> LazyTable<'txn, V> {
    fn new(
        transaction: &'txn WriteTransaction,
        definition: TableDefinition<'static, &'static [u8], V>,
    ) -> Self {
        Self {
            transaction,
            definition,
            opened: None,
        }
    }

    fn open(&mut self) -> Result<&mut Table<'txn, &'static [u8], V>, redb::Error> {
        match &mut self.opened {
            Some(table) => Ok(table),
            closed @ None => Ok(closed.insert(self.transaction.open_table(self.definition)?)),
        }
    }
}

impl LiveLogs {
    fn note(&mut self, execution: &ExecutionId, newest: u64, live: bool) {
        if !live {
            self.0.remove(execution);
        } else if let Some(known) = self.0.get_mut(execution) {
            *known = newest;
        } else {
            self.0.insert(execution.clone(), newest);
        }
    }
}

fn check_next(revision: u64, newest: u64) -> Result<(), Refusal> {
    if newest.checked_add(1) == Some(revision) {
        return Ok(());
    }
    Err(Refusal::Taken { revision, newest })
}
