//! When a task may wait for the disk on the runtime's own thread.
//!
//! A wait of a fraction of a millisecond is shorter than waking another
//! thread and being woken by it. But a disk can take seconds, and a worker
//! that waits runs no other task: so it is one worker at a time, and never
//! the only one.

use std::sync::{Mutex, MutexGuard};

use tokio::runtime::{Handle, RuntimeFlavor};

/// The permission to block a worker, held by one task at a time.
#[derive(Debug, Default)]
pub(super) struct Inline(Mutex<()>);

impl Inline {
    /// `None` if the caller must let another thread wait.
    pub(super) fn enter(&self) -> Option<MutexGuard<'_, ()>> {
        if others_can_go_on() {
            self.0.try_lock().ok()
        } else {
            None
        }
    }
}

/// Whether this runtime has a worker besides the one that runs this task.
fn others_can_go_on() -> bool {
    Handle::try_current().is_ok_and(|runtime| {
        runtime.runtime_flavor() == RuntimeFlavor::MultiThread
            && runtime.metrics().num_workers() > 1
    })
}
