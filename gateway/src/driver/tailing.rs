//! Executions that another member of the cluster drives, followed in the
//! journal for those who watch them here.
//!
//! The journal is read again when somebody wrote here, and otherwise after
//! waits that grow while nothing happens. A tail lives as long as somebody
//! watches, and ends when the execution is over or driven here.
//!
//! Whoever watches everything may make thousands of tails, of which most are
//! idle: paused for days. Those wait longer than one that somebody watches by
//! itself, and take turns, so that a gateway reads no more than 200 idle logs a
//! second whatever their number.

mod everything;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tidegate_core::ExecutionId;
use tokio::sync::{Notify, watch};

pub(super) use everything::follow_everything;

use super::{Driver, DriverError, Published, RecordView, Shared, View, log::Log, registry::Recent};

/// Shortest wait between two reads of a log.
const SOON: Duration = Duration::from_millis(100);
/// Longest wait between two reads of a log that somebody watches by itself. A
/// log in which nothing happened for so long is idle.
const LATE: Duration = Duration::from_secs(3);
/// Longest wait between two reads of an idle log that is only one of all.
const IDLE: Duration = Duration::from_secs(60);
/// Between two reads of such logs, whichever they are.
const TURN: Duration = Duration::from_millis(5);

/// The executions that are followed.
#[derive(Debug, Default)]
pub(super) struct Tails {
    tails: Mutex<BTreeMap<ExecutionId, Tail>>,
    /// One strong count more than there are watchers of everything.
    everything: Arc<()>,
    wanted: Notify,
    /// When the next idle log may be read.
    turn: Mutex<Duration>,
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
        let tail = tails.get(execution)?;
        // An idle one is read now, and from now on as often as is due to whoever
        // watches it by itself.
        tail.written.notify_one();
        Some(tail.wake.subscribe())
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

    /// Whether a tail is there for those who watch everything, and for nobody
    /// else.
    fn is_one_of_all(&self, tail: &Tail) -> bool {
        self.is_everything_wanted() && tail.wake.receiver_count() <= 1
    }

    /// Takes the next turn to read an idle log; how long it is until then.
    fn take_turn(&self, now: Duration) -> Duration {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let at = now.max(*turn);
        *turn = at + TURN;
        at - now
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
            Ok(Followed::By(receiver)) => Some(receiver),
            Ok(Followed::Over(_)) => None,
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

/// What became of following an execution.
enum Followed {
    By(watch::Receiver<View>),
    /// It is over.
    Over(View),
}

/// Follows an execution that is driven elsewhere.
async fn tail(shared: &Arc<Shared>, id: &ExecutionId) -> Result<Followed, DriverError> {
    if let Some(receiver) = shared.tails.subscribe(id) {
        return Ok(Followed::By(receiver));
    }
    let log = shared.read(id, None).await?;
    if log.execution.state().is_terminal() {
        return Ok(Followed::Over(log.view()));
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
            return Ok(Followed::By(other.wake.subscribe()));
        }
        tails.insert(id.clone(), tail.clone());
    }
    let following = Arc::clone(shared);
    shared.guard(&shared.loops, async move {
        follow(&following, log, tail).await;
    });
    Ok(Followed::By(receiver))
}

async fn follow(shared: &Shared, mut log: Log, tail: Tail) {
    let id = log.execution.id().clone();
    let mut wait = first_wait(shared, &log);
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
            () = due(shared, &tail, wait) => {}
        }
        match log.read_on(shared).await {
            Ok(new) if new.is_empty() => wait = next_wait(shared, &tail, wait),
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

/// Among thousands that are followed at once, most have been idle for long.
fn first_wait(shared: &Shared, log: &Log) -> Duration {
    let idle = shared.ports.clock.now().since(log.updated_at);
    if Duration::from_millis(idle.as_millis()) < LATE {
        SOON
    } else {
        LATE
    }
}

/// How long to wait after a read that told nothing new.
fn next_wait(shared: &Shared, tail: &Tail, wait: Duration) -> Duration {
    let longest = match shared.tails.is_one_of_all(tail) {
        true => IDLE,
        false => LATE,
    };
    (wait * 2).min(longest)
}

/// Resolves when a log is to be read again though nobody wrote here. What
/// changes does not wait for what is idle.
async fn due(shared: &Shared, tail: &Tail, wait: Duration) {
    shared.wait(wait).await;
    if wait >= LATE && shared.tails.is_one_of_all(tail) {
        let until = shared.tails.take_turn(shared.ports.clock.elapsed());
        shared.wait(until).await;
    }
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
