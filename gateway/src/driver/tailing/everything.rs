//! Following every execution that another member of the cluster drives, while
//! somebody watches everything.
//!
//! What is to be followed is kept until it is: a journal that does not answer
//! makes it late, and lets nobody miss it. What can never be followed, because
//! its log is not there or damaged, is said once and keeps nobody else from
//! being followed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tidegate_core::ExecutionId;
use tokio::sync::watch;

use super::{
    super::{DriverError, Published, Shared, View, log, resuming},
    Followed, tail,
};

/// Between two looks for executions that began elsewhere, while somebody
/// watches everything.
const DISCOVER: Duration = Duration::from_millis(500);
/// Executions whose logs cannot be read in one look, after which the rest is
/// left for the next: the journal does not answer.
const FAILURES: usize = 8;

/// Keeps a tail of every execution that is driven elsewhere, while somebody
/// watches everything.
pub(in crate::driver) async fn follow_everything(shared: Arc<Shared>) {
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
    /// What is driven here and need not be followed, while it is; with what
    /// those who watch are told of it, once it is live.
    here: BTreeMap<ExecutionId, Option<watch::Receiver<View>>>,
    /// What was driven here to its end, and told of.
    told: BTreeSet<ExecutionId>,
    /// What is to be followed, and is not yet.
    missing: BTreeSet<ExecutionId>,
    /// What cannot be followed, whatever is waited for.
    unreadable: BTreeSet<ExecutionId>,
    /// The number of the holds up to which all are known; every start moves
    /// it.
    known: Option<u64>,
}

impl Everything {
    async fn look(&mut self, shared: &Arc<Shared>) -> Result<(), DriverError> {
        self.learn(shared).await?;
        let mut failed = 0;
        let mut outcome = Ok(());
        for id in self.missing.clone() {
            match self.follow(shared, &id).await {
                Ok(()) => {}
                Err(error @ (DriverError::Damaged(_) | DriverError::NotFound(_))) => {
                    tracing::error!(execution = %id, %error, "this execution cannot be followed; whoever watches everything hears nothing of it");
                    self.unreadable.insert(id.clone());
                }
                // It stays among those that are missing.
                Err(error) => {
                    outcome = Err(error);
                    failed += 1;
                    if failed == FAILURES {
                        break;
                    }
                    continue;
                }
            }
            self.missing.remove(&id);
            self.told.remove(&id);
        }
        outcome
    }

    /// Adds to what is missing whatever is new. Nothing is forgotten if the
    /// journal does not answer.
    async fn learn(&mut self, shared: &Arc<Shared>) -> Result<(), DriverError> {
        let since = shared.ports.journal.holds(self.known.unwrap_or(0)).await?;
        let mut new: BTreeSet<ExecutionId> = since.held.into_iter().map(|(id, _)| id).collect();
        if self.known.is_none() {
            new.extend(resuming::unfinished(shared).await?);
        }
        self.known = Some(since.newest);
        // Over, and told of to its end; or driven here from now on.
        let ended = self
            .tails
            .extract_if(.., |_, tail| tail.has_changed().is_err());
        let elsewhere = ended.filter(|(_, tail)| !tail.borrow().execution.state().is_terminal());
        new.extend(elsewhere.map(|(id, _)| id));
        for (id, woken) in &mut self.here {
            if woken.is_none() {
                *woken = shared.registry.get(id).map(|live| live.woken);
            }
        }
        // What this member drove it may not drive any more.
        let left = self
            .here
            .extract_if(.., |id, _| !shared.registry.has_place(id));
        for (id, woken) in left {
            let last = woken.map(|woken| woken.borrow().execution.state());
            if last.is_some_and(|state| state.is_terminal()) {
                self.told.insert(id.clone());
            }
            new.insert(id);
        }
        new.retain(|id| !self.unreadable.contains(id));
        self.missing.append(&mut new);
        Ok(())
    }

    async fn follow(&mut self, shared: &Arc<Shared>, id: &ExecutionId) -> Result<(), DriverError> {
        if self.tails.contains_key(id) {
            return Ok(());
        }
        if shared.registry.has_place(id) {
            let live = shared.registry.get(id);
            self.here.insert(id.clone(), live.map(|live| live.woken));
            return Ok(());
        }
        match tail(shared, id).await? {
            Followed::By(receiver) => {
                let view = receiver.borrow().clone();
                tell_newest(shared, view).await?;
                self.tails.insert(id.clone(), receiver);
            }
            Followed::Over(_) if self.told.contains(id) => {}
            // Nobody told of its end while it went on.
            Followed::Over(view) => tell_newest(shared, view).await?,
        }
        Ok(())
    }
}

/// Publishes what was recorded before an execution was followed.
async fn tell_newest(shared: &Shared, view: View) -> Result<(), DriverError> {
    let before = view.revision.saturating_sub(1);
    let journal = &shared.ports.journal;
    let records = journal.read(view.execution.id(), before, 1).await?;
    if let Some(stored) = records.first() {
        let record = Arc::new(log::decode(&stored.record)?.view);
        let _ = shared.published.send(Published {
            view,
            record,
            is_driven_here: false,
        });
    }
    Ok(())
}
