//! Decisions that the journal does not take now, and why: for people. What is
//! decided goes on when it is written, so that nothing else tells why an
//! execution stands still.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_core::ExecutionId;

type Reasons = BTreeMap<ExecutionId, String>;

/// Why the newest decision of each execution is not written yet.
#[derive(Debug, Default)]
pub(super) struct Unwritten(Arc<Mutex<Reasons>>);

/// One record on its way; when it is dropped, nothing waits any more.
#[derive(Debug)]
pub(super) struct Writing {
    reasons: Arc<Mutex<Reasons>>,
    execution: ExecutionId,
    failed: bool,
}

impl Unwritten {
    /// A record of this execution is being written.
    pub(super) fn writing(&self, execution: &ExecutionId) -> Writing {
        Writing {
            reasons: Arc::clone(&self.0),
            execution: execution.clone(),
            failed: false,
        }
    }

    /// For people, if the execution waits for the journal.
    pub(super) fn line(&self, execution: &ExecutionId) -> Option<String> {
        let reasons = lock(&self.0);
        let why = reasons.get(execution)?;
        Some(format!(
            "waits for the journal, which does not take what was decided: {why}; it is tried \
             again and again"
        ))
    }
}

impl Writing {
    /// A try has failed, and there will be another.
    pub(super) fn failed(&mut self, why: &str) {
        self.failed = true;
        lock(&self.reasons).insert(self.execution.clone(), why.to_owned());
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.failed {
            lock(&self.reasons).remove(&self.execution);
        }
    }
}

fn lock(reasons: &Mutex<Reasons>) -> MutexGuard<'_, Reasons> {
    // Nothing panics while it holds the lock.
    reasons.lock().unwrap_or_else(PoisonError::into_inner)
}
