//! All that a journal holds, as plain values: what it should hold, by a
//! reference that performs changes in memory, and what it does hold.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tidegate_core::{ExecutionId, PlanName, Timestamp};

use super::super::super::{RedbJournal, batch::Change, hook_rows::tape_key};
use crate::{
    journal_format,
    ports::{
        hook_store::{HookStore, StoredHook},
        journal::{Append, Claim, HeadUpdate, Journal, ReadError},
        plan_store::{PlanStore, StoredPlan},
    },
};

/// More than there is of anything.
const ALL: usize = 10_000;

/// What is stored. Maps are by execution, key, plan name or digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) logs: BTreeMap<String, Vec<Bytes>>,
    pub(super) heads: BTreeMap<String, (bool, Bytes)>,
    pub(super) claims: BTreeMap<String, Bytes>,
    pub(super) plans: BTreeMap<String, BTreeMap<u64, Bytes>>,
    /// Of deleted plans, too.
    pub(super) last_revisions: BTreeMap<String, u64>,
    pub(super) hooks: BTreeMap<String, (Timestamp, Bytes)>,
    /// By row key.
    pub(super) tapes: BTreeMap<Vec<u8>, Bytes>,
}

/// What a change has come to, as far as it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    Moot,
    Taken,
    Claimed,
}

/// Names under which something may be stored and that no list shows.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Executions, which may have tapes without a log.
    pub(super) executions: BTreeSet<String>,
    pub(super) claims: BTreeSet<String>,
    pub(super) plans: BTreeSet<String>,
}

impl Contents {
    /// Performs a change as a journal must.
    pub(super) fn perform(&mut self, change: &Change) -> Answer {
        let claim = match change {
            Change::Append(Append { claim, .. })
            | Change::PutPlan { claim, .. }
            | Change::DeletePlan { claim, .. } => claim.as_ref(),
            Change::TakeClaim(claim) => Some(claim),
            Change::PutHook { .. } | Change::DeleteHook { .. } | Change::PutTape { .. } => None,
        };
        if claim.is_some_and(|claim| self.claims.contains_key(&claim.key)) {
            return Answer::Claimed;
        }
        let answer = match change {
            Change::Append(append) => self.append(append),
            Change::PutPlan { plan, .. } => self.put_plan(plan),
            Change::DeletePlan { name, .. } => done(self.plans.remove(name.as_str()).is_some()),
            Change::TakeClaim(_) => Answer::Done,
            Change::PutHook { hook, bytes } => self.put_hook(hook, bytes),
            Change::DeleteHook { digest, .. } => done(self.hooks.remove(digest).is_some()),
            Change::PutTape { key, bytes } => {
                let is_new = !self.tapes.contains_key(key);
                self.tapes.entry(key.clone()).or_insert(bytes.clone());
                done(is_new)
            }
        };
        if let (Answer::Done, Some(Claim { key, value })) = (answer, claim) {
            self.claims.insert(key.clone(), value.clone());
        }
        answer
    }

    fn append(&mut self, append: &Append) -> Answer {
        let execution = append.execution.as_str();
        let newest = self.logs.get(execution).map_or(0, Vec::len);
        if append.revision != newest as u64 + 1 {
            return Answer::Taken;
        }
        let log = self.logs.entry(execution.to_owned()).or_default();
        log.push(append.record.clone());
        if let Some(HeadUpdate { live, summary }) = &append.head {
            let head = (*live, summary.clone());
            self.heads.insert(execution.to_owned(), head);
        }
        Answer::Done
    }

    fn put_plan(&mut self, plan: &StoredPlan) -> Answer {
        let name = plan.name.as_str();
        let last = self.last_revisions.entry(name.to_owned()).or_insert(0);
        if plan.revision != *last + 1 {
            return Answer::Taken;
        }
        *last = plan.revision;
        let revisions = self.plans.entry(name.to_owned()).or_default();
        revisions.insert(plan.revision, plan.plan.clone());
        Answer::Done
    }

    fn put_hook(&mut self, hook: &StoredHook, bytes: &Bytes) -> Answer {
        let is_new = !self.hooks.contains_key(&hook.digest);
        let stored = self.hooks.entry(hook.digest.clone());
        stored.or_insert((hook.created_at, Bytes::new())).1 = bytes.clone();
        done(is_new)
    }

    /// All that can be read of a journal, through its ports.
    pub(super) async fn read(journal: &RedbJournal, names: &Names) -> Result<Self, ReadError> {
        let mut found = Self::default();
        let heads = journal.heads(None, false, ALL).await?;
        let live: Vec<_> = heads.iter().filter(|head| head.live).cloned().collect();
        if journal.heads(None, true, ALL).await? != live {
            let reason = "the live executions are not those whose heads say so";
            return Err(ReadError::Damaged(reason.to_owned()));
        }
        for head in heads {
            let records = journal.read(&head.execution, 0, ALL).await?;
            let log = records.into_iter().map(|stored| stored.record).collect();
            let execution = head.execution.as_str().to_owned();
            found.logs.insert(execution.clone(), log);
            found.heads.insert(execution, (head.live, head.summary));
        }
        for execution in &names.executions {
            let id = ExecutionId::from(execution.as_str());
            found.read_tapes(journal, &id).await?;
        }
        for key in &names.claims {
            if let Some(value) = journal.claim(key).await? {
                found.claims.insert(key.clone(), value);
            }
        }
        found.read_plans(journal, names).await?;
        for hook in HookStore::list(journal).await? {
            let bytes = HookStore::get(journal, &hook.digest).await?;
            let stored = (hook.created_at, bytes.unwrap_or_default());
            found.hooks.insert(hook.digest, stored);
        }
        Ok(found)
    }

    async fn read_tapes(
        &mut self,
        journal: &RedbJournal,
        execution: &ExecutionId,
    ) -> Result<(), ReadError> {
        for tape in journal.tapes(execution).await? {
            let bytes = journal.tape(&tape).await?.unwrap_or_default();
            let key = tape_key(&tape).expect("a tape is of a hook");
            self.tapes.insert(key, bytes);
        }
        Ok(())
    }

    async fn read_plans(&mut self, journal: &RedbJournal, names: &Names) -> Result<(), ReadError> {
        let mut newest = PlanStore::list(journal, None, ALL).await?;
        for name in &names.plans {
            let plan = PlanName::from(name.as_str());
            let last = journal.last_revision(&plan).await?;
            if last > 0 {
                self.last_revisions.insert(name.clone(), last);
            }
            // Those of a plan without a newest revision must be gone.
            let revisions = journal.revisions(&plan, None, ALL).await?;
            newest.retain(|listed| revisions.first() != Some(listed));
            if !revisions.is_empty() {
                let revisions = revisions.into_iter();
                let revisions = revisions.map(|stored| (stored.revision, stored.plan));
                self.plans.insert(name.clone(), revisions.collect());
            }
        }
        if let Some(plan) = newest.first() {
            let reason = format!("plan {} is listed without its revisions", plan.name);
            return Err(ReadError::Damaged(reason));
        }
        Ok(())
    }

    /// What makes no sense by itself, whatever was written: logs with gaps or
    /// broken chains, heads and claims that do not agree with the logs.
    pub(super) fn contradiction(&self) -> Option<String> {
        for (execution, log) in &self.logs {
            let mut previous = None;
            for (revision, record) in (1..).zip(log) {
                let Ok(decoded) = journal_format::decode(record) else {
                    return Some(format!("{execution}: record {revision} is none"));
                };
                if decoded.view.revision != revision || decoded.previous != previous {
                    return Some(format!("{execution}: record {revision} is out of place"));
                }
                previous = Some(journal_format::hash(record));
            }
        }
        let named = self.heads.values().map(|(_, summary)| summary);
        let claimed = self.claims.values().filter(|value| !value.is_empty());
        named
            .chain(claimed)
            .find(|place| !self.has(place))
            .map(|place| format!("a head or a claim is of {place:?}, which is not there"))
    }

    /// Whether a head's summary or a claim's value, "execution revision",
    /// is of a record that is there.
    fn has(&self, place: &Bytes) -> bool {
        let text = str::from_utf8(place).unwrap_or_default();
        let Some((execution, revision)) = text.split_once(' ') else {
            return false;
        };
        let newest = self.logs.get(execution).map_or(0, Vec::len);
        revision
            .parse()
            .is_ok_and(|revision: usize| revision <= newest)
    }
}

fn done(is_done: bool) -> Answer {
    if is_done { Answer::Done } else { Answer::Moot }
}
