//! Executions that another member of the cluster drives, followed in the
//! journal for those who watch them here.
//!
//! The journal is read again when somebody wrote here, and otherwise after
//! waits that grow while nothing happens. A tail lives as long as somebody
//! watches, and ends when the execution is over or driven here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tidegate_core::ExecutionId;
use tokio::sync::{Notify, watch};

use super::{
    Driver, DriverError, Published, RecordView, Shared, View, log::Log, registry::Recent, resuming,
};

/// Shortest wait between two reads of a log.
const SOON: Duration = Duration::from_millis(100);
/// Longest wait between two reads of a log.
const LATE: Duration = Duration::from_secs(3);
/// Between two looks for executions that began elsewhere, while somebody
/// watches everything.
const DISCOVER: Duration = Duration::from_millis(500);

/// The executions that are followed.
#[derive(Debug, Default)]
pub(super) struct Tails {
    tails: Mutex<BTreeMap<ExecutionId, Tail>>,
    /// One strong count more than there are watchers of everything.
    everything: Arc<()>,
    wanted: Notify,
}

#[derive(Clone, Debug)]
struct Tail {
    wake: Arc<watch::Sender<View>>,
    recent: Arc<Recent>,
    written: Arc<Notify>,
}

/// Keeps every execution of the cluster followed.
#[derive(Debug)]
pub struct FollowAll {
    _everything: Arc<()>,
}

impl Tails {
    /// Somebody wrote into a log here: whoever watches it hears of it now.
    pub(super) fn written(&self, execution: &ExecutionId) {
        if let Some(tail) = self.lock().get(execution) {
            tail.written.notify_one();
        }
    }

    /// Records after a revision, if there are any here.
    pub(super) fn after(
        &self,
        execution: &ExecutionId,
        revision: u64,
        limit: usize,
    ) -> Option<Vec<Arc<RecordView>>> {
        let tail = self.lock().get(execution).cloned()?;
        let records = tail.recent.after(revision, limit)?;
        (!records.is_empty()).then_some(records)
    }

    fn subscribe(&self, execution: &ExecutionId) -> Option<watch::Receiver<View>> {
        let tails = self.lock();
        tails.get(execution).map(|tail| tail.wake.subscribe())
    }

    /// Forgets a tail, unless somebody has come meanwhile.
    fn end(&self, execution: &ExecutionId, wake: &watch::Sender<View>, is_over: bool) -> bool {
        let mut tails = self.lock();
        let ends = is_over || wake.receiver_count() == 0;
        if ends {
            tails.remove(execution);
        }
        ends
    }

    fn is_everything_wanted(&self) -> bool {
        Arc::strong_count(&self.everything) > 1
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, Tail>> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver {
    /// Wakes whenever the execution's view changes, and holds the newest that
    /// is known here. `None` if nothing will change: it is over, unknown, or
    /// only just being started.
    pub async fn subscribe(&self, id: &ExecutionId) -> Option<watch::Receiver<View>> {
        if let Some(live) = self.shared.registry.get(id) {
            return Some(live.woken);
        }
        self.shared.membership.member()?;
        match tail(&self.shared, id).await {
            Ok(receiver) => receiver,
            Err(error) => {
                tracing::warn!(execution = %id, %error, "this execution cannot be followed");
                None
            }
        }
    }

    /// While this is kept, [`Driver::subscribe_all`] hears also of what other
    /// members of the cluster drive.
    #[must_use]
    pub fn follow_all(&self) -> FollowAll {
        let tails = &self.shared.tails;
        let following = FollowAll {
            _everything: Arc::clone(&tails.everything),
        };
        tails.wanted.notify_one();
        following
    }
}

/// Follows an execution that is driven elsewhere; `None` if it is over.
async fn tail(
    shared: &Arc<Shared>,
    id: &ExecutionId,
) -> Result<Option<watch::Receiver<View>>, DriverError> {
    if let Some(receiver) = shared.tails.subscribe(id) {
        return Ok(Some(receiver));
    }
    let log = shared.read(id, None).await?;
    if log.execution.state().is_terminal() {
        return Ok(None);
    }
    let (wake, receiver) = watch::channel(log.view());
    let tail = Tail {
        wake: Arc::new(wake),
        recent: Arc::new(Recent::new(log.view(), shared.settings.tail)),
        written: Arc::default(),
    };
    {
        let mut tails = shared.tails.lock();
        // Somebody was quicker.
        if let Some(other) = tails.get(id) {
            return Ok(Some(other.wake.subscribe()));
        }
        tails.insert(id.clone(), tail.clone());
    }
    let following = Arc::clone(shared);
    shared.guard(&shared.loops, async move {
        follow(&following, log, tail).await;
    });
    Ok(Some(receiver))
}

async fn follow(shared: &Shared, mut log: Log, tail: Tail) {
    let id = log.execution.id().clone();
    let mut wait = SOON;
    loop {
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => break,
            () = tail.wake.closed() => {
                if shared.tails.end(&id, &tail.wake, false) {
                    return;
                }
            }
            () = tail.written.notified() => {}
            () = shared.wait(wait) => {}
        }
        match log.read_on(shared).await {
            Ok(new) if new.is_empty() => wait = (wait * 2).min(LATE),
            Ok(new) => {
                wait = SOON;
                for (view, record) in new {
                    publish(shared, &tail, view, record);
                }
            }
            Err(DriverError::Unavailable(why)) => {
                tracing::warn!(execution = %id, why, "the journal is not available; trying again");
                wait = LATE;
            }
            Err(error) => {
                tracing::error!(execution = %id, %error, "this execution cannot be followed");
                break;
            }
        }
        // Driven here, its actor tells what happens; from its log's end on.
        if log.execution.state().is_terminal() || shared.registry.get(&id).is_some() {
            break;
        }
    }
    shared.tails.end(&id, &tail.wake, true);
}

fn publish(shared: &Shared, tail: &Tail, view: View, record: Arc<RecordView>) {
    tail.recent.push(view.clone(), Arc::clone(&record));
    tail.wake.send_replace(view.clone());
    // Nobody watches everything: nobody to tell.
    let _ = shared.published.send(Published {
        view,
        record,
        is_driven_here: false,
    });
}

/// Keeps a tail of every execution that is driven elsewhere, while somebody
/// watches everything.
pub(super) async fn follow_everything(shared: Arc<Shared>) {
    if shared.membership.member().is_none() {
        return;
    }
    loop {
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            () = shared.tails.wanted.notified() => {}
        }
        let mut followed = Everything::default();
        while shared.tails.is_everything_wanted() && !shared.stop.is_cancelled() {
            if let Err(error) = followed.look(&shared).await {
                tracing::warn!(%error, "cannot look for executions that are driven elsewhere; trying again");
            }
            shared.wait(DISCOVER).await;
        }
    }
}

/// What is followed for those who watch everything.
#[derive(Default)]
struct Everything {
    /// Kept, so that the tails live.
    tails: BTreeMap<ExecutionId, watch::Receiver<View>>,
    /// What is driven here and need not be followed, while it is.
    here: BTreeSet<ExecutionId>,
    /// The number of the holds up to which all are known; every start moves
    /// it.
    known: Option<u64>,
}

impl Everything {
    async fn look(&mut self, shared: &Arc<Shared>) -> Result<(), DriverError> {
        // Over, or driven here from now on.
        let ended = self
            .tails
            .extract_if(.., |_, tail| tail.has_changed().is_err());
        let mut ids: BTreeSet<ExecutionId> = ended.map(|(id, _)| id).collect();
        // What this member drove it may not drive any more.
        ids.append(&mut self.here);
        let since = shared.ports.journal.holds(self.known.unwrap_or(0)).await?;
        ids.extend(since.held.into_iter().map(|(id, _)| id));
        if self.known.is_none() {
            ids.extend(resuming::unfinished(shared).await?);
        }
        for id in ids {
            self.follow(shared, id).await?;
        }
        self.known = Some(since.newest);
        Ok(())
    }

    async fn follow(&mut self, shared: &Arc<Shared>, id: ExecutionId) -> Result<(), DriverError> {
        if self.tails.contains_key(&id) {
            return Ok(());
        }
        if shared.registry.has_place(&id) {
            self.here.insert(id);
            return Ok(());
        }
        let Some(receiver) = tail(shared, &id).await? else {
            return Ok(());
        };
        let view = receiver.borrow().clone();
        // What was recorded before it was followed.
        let before = view.revision.saturating_sub(1);
        let records = shared.ports.journal.read(&id, before, 1).await?;
        if let Some(stored) = records.first() {
            let record = Arc::new(super::log::decode(&stored.record)?.view);
            let _ = shared.published.send(Published {
                view,
                record,
                is_driven_here: false,
            });
        }
        self.tails.insert(id, receiver);
        Ok(())
    }
}
