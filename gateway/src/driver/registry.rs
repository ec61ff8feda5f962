//! The executions that are not over: how to reach each, and which servers
//! each has to itself.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_core::{ExecutionId, SourceServerId};
use tokio::sync::watch;

use super::{DriverError, RecordView, View, mailbox::Mailbox};

/// How to reach one live execution.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) mailbox: Mailbox,
    /// Wakes when something was recorded.
    pub(super) woken: watch::Receiver<View>,
    pub(super) recent: Arc<Recent>,
}

/// An execution as it is now, and its newest records for watchers that keep
/// up. Bounded; older records are read from the journal.
#[derive(Debug)]
pub(super) struct Recent {
    limit: usize,
    inner: Mutex<(View, VecDeque<Arc<RecordView>>)>,
}

/// All live executions.
#[derive(Debug, Default)]
pub(super) struct Registry {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    live: BTreeMap<ExecutionId, Live>,
    servers: BTreeMap<SourceServerId, ExecutionId>,
    held: BTreeMap<ExecutionId, Vec<SourceServerId>>,
    /// Not over, and not driven here any more.
    abandoned: BTreeSet<ExecutionId>,
    /// Kept apart from `live`: an execution takes its place before its first
    /// record is written. What is held without a place is driven elsewhere.
    places: BTreeSet<ExecutionId>,
}

impl Recent {
    pub(super) fn new(view: View, limit: usize) -> Self {
        Self {
            limit,
            inner: Mutex::new((view, VecDeque::new())),
        }
    }

    pub(super) fn push(&self, view: View, record: Arc<RecordView>) {
        let mut inner = lock(&self.inner);
        inner.0 = view;
        inner.1.push_back(record);
        while inner.1.len() > self.limit {
            inner.1.pop_front();
        }
    }

    pub(super) fn view(&self) -> View {
        lock(&self.inner).0.clone()
    }

    /// The same as `after`, once the execution is over: then nothing can be
    /// missing at the end, wherever it was driven.
    pub(super) fn after_end(&self, revision: u64, limit: usize) -> Option<Vec<Arc<RecordView>>> {
        let is_over = lock(&self.inner).0.execution.state().is_terminal();
        is_over.then(|| self.after(revision, limit)).flatten()
    }

    /// Records after a revision, if all of them are here.
    pub(super) fn after(&self, revision: u64, limit: usize) -> Option<Vec<Arc<RecordView>>> {
        let inner = lock(&self.inner);
        let records = &inner.1;
        let first = records.front()?.revision;
        if revision + 1 < first {
            return None;
        }
        let skip = usize::try_from(revision + 1 - first).unwrap_or(usize::MAX);
        Some(records.iter().skip(skip).take(limit).cloned().collect())
    }
}

impl Registry {
    pub(super) fn get(&self, id: &ExecutionId) -> Option<Live> {
        lock(&self.inner).live.get(id).cloned()
    }

    /// Every live execution as it is now.
    pub(super) fn views(&self) -> Vec<View> {
        let live: Vec<Live> = lock(&self.inner).live.values().cloned().collect();
        live.iter().map(|live| live.recent.view()).collect()
    }

    pub(super) fn insert(&self, id: ExecutionId, live: Live) {
        lock(&self.inner).live.insert(id, live);
    }

    /// Takes a place among the live executions and these servers, or nothing.
    pub(super) fn enter(
        &self,
        id: &ExecutionId,
        servers: &[SourceServerId],
        limit: usize,
    ) -> Result<(), DriverError> {
        let mut inner = lock(&self.inner);
        if inner.places.len() >= limit {
            return Err(DriverError::TooManyLive { limit });
        }
        inner.take(id, servers)?;
        inner.places.insert(id.clone());
        Ok(())
    }

    /// Takes further servers for a live execution, or none.
    pub(super) fn take(
        &self,
        id: &ExecutionId,
        servers: &[SourceServerId],
    ) -> Result<(), DriverError> {
        let mut inner = lock(&self.inner);
        if !inner.held.contains_key(id) {
            // It ended while somebody still looked up its servers.
            return Err(DriverError::NotFound(id.clone()));
        }
        inner.take(id, servers)
    }

    /// Takes those of these that nobody else has.
    pub(super) fn take_free(
        &self,
        id: &ExecutionId,
        servers: impl IntoIterator<Item = SourceServerId>,
    ) {
        let mut inner = lock(&self.inner);
        for server in servers {
            // Whoever has it keeps it.
            let _ = inner.take(id, &[server]);
        }
    }

    /// The execution is not driven here any more, though it is not over: its
    /// servers and its place stay taken.
    pub(super) fn abandon(&self, id: &ExecutionId) {
        let mut inner = lock(&self.inner);
        inner.live.remove(id);
        inner.abandoned.insert(id.clone());
    }

    /// Another member of the cluster drives the execution: its servers stay
    /// taken, and it has no place here.
    pub(super) fn hand_over(&self, id: &ExecutionId) {
        let mut inner = lock(&self.inner);
        inner.live.remove(id);
        inner.places.remove(id);
    }

    /// The execution is over, as the journal says: its servers are free. Whoever
    /// drives it here has yet to hear of it, and keeps its place until then.
    pub(super) fn free(&self, id: &ExecutionId) {
        lock(&self.inner).give_back_all(id);
    }

    /// The execution does not have these servers after all.
    pub(super) fn give_back(&self, id: &ExecutionId, servers: &[SourceServerId]) {
        let mut inner = lock(&self.inner);
        for server in servers {
            if inner.servers.get(server) == Some(id) {
                inner.servers.remove(server);
            }
            inner.forget(id, server);
        }
    }

    /// Of these servers, those that the execution does not have yet.
    pub(super) fn without(
        &self,
        id: &ExecutionId,
        servers: impl IntoIterator<Item = SourceServerId>,
    ) -> Vec<SourceServerId> {
        let inner = lock(&self.inner);
        let servers = servers.into_iter();
        servers
            .filter(|server| inner.servers.get(server) != Some(id))
            .collect()
    }

    /// Another member's execution has these servers. What is said of them here
    /// is older, and forgotten.
    pub(super) fn hold(&self, id: &ExecutionId, servers: &[SourceServerId]) {
        let mut inner = lock(&self.inner);
        for server in servers {
            let before = inner.servers.insert(server.clone(), id.clone());
            if let Some(before) = before.filter(|before| before != id) {
                inner.forget(&before, server);
            }
        }
        if servers.is_empty() {
            return;
        }
        // What it has beyond these is in no record yet, and still its own.
        let held = inner.held.entry(id.clone()).or_default();
        let known: BTreeSet<SourceServerId> = held.drain(..).collect();
        let all: BTreeSet<SourceServerId> = servers.iter().cloned().chain(known).collect();
        held.extend(all);
    }

    /// Whether it has a place here: it is live, or is being started.
    pub(super) fn has_place(&self, id: &ExecutionId) -> bool {
        lock(&self.inner).places.contains(id)
    }

    /// Every execution that is driven here.
    pub(super) fn driven(&self) -> Vec<ExecutionId> {
        lock(&self.inner).live.keys().cloned().collect()
    }

    /// Whether it has its place, and is not live yet.
    pub(super) fn is_starting(&self, id: &ExecutionId) -> bool {
        let inner = lock(&self.inner);
        inner.places.contains(id) && !inner.live.contains_key(id) && !inner.abandoned.contains(id)
    }

    /// The execution is over, or never came to be. Again does nothing.
    pub(super) fn leave(&self, id: &ExecutionId) {
        let mut inner = lock(&self.inner);
        inner.live.remove(id);
        inner.give_back_all(id);
        inner.places.remove(id);
    }
}

impl Inner {
    fn give_back_all(&mut self, id: &ExecutionId) {
        for server in self.held.remove(id).unwrap_or_default() {
            if self.servers.get(&server) == Some(id) {
                self.servers.remove(&server);
            }
        }
    }

    /// An execution has a server no more; one that has none and no place here
    /// need not be known.
    fn forget(&mut self, id: &ExecutionId, server: &SourceServerId) {
        let Some(held) = self.held.get_mut(id) else {
            return;
        };
        held.retain(|it| it != server);
        if held.is_empty() && !self.places.contains(id) {
            self.held.remove(id);
        }
    }

    fn take(&mut self, id: &ExecutionId, servers: &[SourceServerId]) -> Result<(), DriverError> {
        for server in servers {
            if let Some(other) = self.servers.get(server).filter(|&other| other != id) {
                return Err(DriverError::ServerBusy {
                    server: server.clone(),
                    other: other.clone(),
                });
            }
        }
        let held = self.held.entry(id.clone()).or_default();
        for server in servers {
            if self.servers.insert(server.clone(), id.clone()).is_none() {
                held.push(server.clone());
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The journal tells of an execution what it holds before a record that takes
    /// more of it is there.
    #[test]
    fn what_is_taken_is_free_when_its_execution_is_over_whatever_was_told_meanwhile() {
        let registry = Registry::default();
        let [one, other] = ["one", "other"].map(ExecutionId::from);
        let both = ["db", "web"].map(SourceServerId::from);
        registry.enter(&one, &both[..1], 9).expect("it is free");
        registry.take(&one, &both).expect("they are free");
        registry.hold(&one, &both[..1]);
        registry.take(&one, &both).expect("they are its own");
        let refused = registry.enter(&other, &both, 9);
        assert!(matches!(refused, Err(DriverError::ServerBusy { .. })));
        registry.leave(&one);
        registry.enter(&other, &both, 9).expect("they are free");
    }

    #[test]
    fn what_was_not_recorded_is_given_back_and_nothing_else() {
        let registry = Registry::default();
        let [one, other] = ["one", "other"].map(ExecutionId::from);
        let both = ["db", "web"].map(SourceServerId::from);
        registry.enter(&one, &both[..1], 9).expect("it is free");
        let new = registry.without(&one, both.clone());
        assert_eq!(new, both[1..]);
        registry.take(&one, &both).expect("they are free");
        registry.give_back(&one, &new);
        registry.enter(&other, &both[1..], 9).expect("it is free");
        let refused = registry.take(&other, &both[..1]);
        assert!(matches!(refused, Err(DriverError::ServerBusy { .. })));
    }
}
