//! The executions that are not over: how to reach each, and which servers
//! each has to itself.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_core::{ExecutionId, SourceServerId};
use tokio::sync::{mpsc, watch};

use super::{DriverError, RecordView, View, actor::Message};

/// How to reach one live execution.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) mailbox: mpsc::Sender<Message>,
    pub(super) view: watch::Receiver<View>,
    pub(super) tail: Arc<Tail>,
}

/// The newest records of an execution, for watchers that keep up. Bounded;
/// older ones are read from the journal.
#[derive(Debug)]
pub(super) struct Tail {
    limit: usize,
    records: Mutex<VecDeque<Arc<RecordView>>>,
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
    /// Counted apart from `live`: an execution takes its place before its
    /// first record is written.
    places: usize,
}

impl Tail {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            records: Mutex::default(),
        }
    }

    pub(super) fn push(&self, record: Arc<RecordView>) {
        let mut records = lock(&self.records);
        records.push_back(record);
        while records.len() > self.limit {
            records.pop_front();
        }
    }

    /// Records after a revision, if all of them are here.
    pub(super) fn after(&self, revision: u64, limit: usize) -> Option<Vec<Arc<RecordView>>> {
        let records = lock(&self.records);
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

    pub(super) fn insert(&self, id: ExecutionId, live: Live) {
        lock(&self.inner).live.insert(id, live);
    }

    pub(super) fn all(&self) -> Vec<Live> {
        lock(&self.inner).live.values().cloned().collect()
    }

    /// Takes a place among the live executions and these servers, or nothing.
    pub(super) fn enter(
        &self,
        id: &ExecutionId,
        servers: &[SourceServerId],
        limit: usize,
    ) -> Result<(), DriverError> {
        let mut inner = lock(&self.inner);
        if inner.places >= limit {
            return Err(DriverError::TooManyLive { limit });
        }
        inner.take(id, servers)?;
        inner.places += 1;
        Ok(())
    }

    /// Takes further servers for a live execution, or none.
    pub(super) fn take(
        &self,
        id: &ExecutionId,
        servers: &[SourceServerId],
    ) -> Result<(), DriverError> {
        lock(&self.inner).take(id, servers)
    }

    /// The execution is over, or never came to be.
    pub(super) fn leave(&self, id: &ExecutionId) {
        let mut inner = lock(&self.inner);
        inner.live.remove(id);
        for server in inner.held.remove(id).unwrap_or_default() {
            inner.servers.remove(&server);
        }
        inner.places = inner.places.saturating_sub(1);
    }
}

impl Inner {
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
