//! The loop that keeps this member in its cluster: it beats, takes and gives
//! back leases, and hears what others wrote into the logs of its executions.
//!
//! What the cluster's table does not answer changes nothing here but the time
//! until which this member may act; executions wait, and go on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tidegate_core::ExecutionId;

use super::{
    super::{DriverError, Planted, Shared, resuming},
    Held, Member, Membership, Present, Term,
    balance::{self, Steps},
    joining,
};
use crate::ports::cluster::{ClusterError, Lease, Roster};

/// Logs that are read on with each beat when a member has died.
const READ_AT_ONCE: usize = 500;
/// Leases that are taken at the same time. One after the other, those of a
/// member that is gone would take so long that the next beat is late.
const TAKEN_AT_ONCE: usize = 8;
/// Owners that are told within one beat that their logs were written; the
/// others are told in the next ones.
const TOLD_IN_A_BEAT: usize = 500;
/// Of them, those that are told at the same time.
const TOLD_AT_ONCE: usize = 16;

/// What the table answered a beat.
pub(super) struct Heard {
    pub(super) roster: Roster,
    /// Until then this member has what the roster says that it has.
    until: Duration,
}

/// Joins the cluster, if there is one: the first beat, and the leases that
/// are free.
///
/// # Errors
/// The cluster's table does not answer, or not as it should; or a member lets
/// others be silent for another time.
pub(in crate::driver) async fn begin(shared: &Arc<Shared>) -> Result<(), DriverError> {
    let Membership::Member(member) = &shared.membership else {
        return resuming::everything(shared).await;
    };
    let _turn = member.turn.write().await;
    let first = member.beat(shared).await.map_err(unjoined)?;
    let heard = joining::agreed(member, shared, first).await?;
    member.act_on(shared, &heard).await.map_err(unjoined)
}

/// Why this gateway is no member.
pub(super) fn unjoined(error: ClusterError) -> DriverError {
    match error {
        ClusterError::Damaged(why) => DriverError::Damaged(why),
        ClusterError::Unavailable(_) | ClusterError::Superseded(_) => {
            DriverError::Unavailable(error.to_string())
        }
    }
}

/// Goes on until this member leaves.
pub(in crate::driver) async fn keep(shared: Arc<Shared>) {
    let Some(member) = shared.membership.member() else {
        return;
    };
    let going_on = async {
        // A resume reads many logs, and thousands may have to be told: neither
        // may keep the heart from beating.
        tokio::join!(
            member.beat_on(&shared),
            member.resume_on(&shared),
            member.tell_on(&shared)
        )
    };
    tokio::select! {
        biased;
        () = shared.leaving.cancelled() => {}
        _ = going_on => {}
    }
}

/// Gives every lease back, so that nobody has to wait for this member. Nothing
/// runs in their terms any more.
pub(in crate::driver) async fn leave(shared: &Shared) {
    let Some(member) = shared.membership.member() else {
        return;
    };
    let leases: Vec<Lease> = member
        .lock()
        .leases
        .values()
        .map(|held| held.lease.clone())
        .collect();
    for lease in leases {
        if let Err(error) = member.port.change(lease, None).await {
            tracing::warn!(%error, "a lease was not given back; it ends by itself");
        }
    }
    if let Err(error) = member.port.leave(&member.id).await {
        tracing::warn!(%error, "the cluster was not told that this gateway leaves");
    }
}

impl Member {
    async fn beat_on(&self, shared: &Arc<Shared>) {
        loop {
            shared.wait(self.settings.beat()).await;
            if let Err(error) = self.tick(shared).await {
                tracing::warn!(%error, "the cluster does not hear this gateway; others may take what it drives");
            }
        }
    }

    async fn resume_on(&self, shared: &Arc<Shared>) {
        while !shared.stop.is_cancelled() {
            // Whoever is not heard does not know what is still its own, and would
            // take executions back from those who have them now.
            let is_heard = shared.membership.may_act(shared.ports.clock.elapsed());
            if is_heard && let Err(error) = self.resume(shared).await {
                tracing::warn!(%error, "executions could not be resumed; trying again");
            }
            shared.wait(self.settings.beat()).await;
        }
    }

    /// One beat, and what follows from it.
    async fn tick(&self, shared: &Arc<Shared>) -> Result<(), ClusterError> {
        let _turn = self.turn.write().await;
        let heard = self.beat(shared).await?;
        self.act_on(shared, &heard).await
    }

    /// What follows from a beat that was just answered.
    async fn act_on(&self, shared: &Arc<Shared>, heard: &Heard) -> Result<(), ClusterError> {
        let Heard { roster, until } = heard;
        let now = shared.ports.clock.elapsed();
        let present = self.hear(shared, roster, now);
        let lost = self.compare(roster, *until);
        for term in lost.values() {
            term.stop.cancel();
        }
        if !lost.is_empty() {
            self.to_be_told(shared, |partition| lost.contains_key(&partition));
        }
        if !shared.stop.is_cancelled() {
            let Steps { take, release } = balance::steps(roster, &present, &self.id);
            stream::iter(take)
                .map(|lease| self.take(lease))
                .buffer_unordered(TAKEN_AT_ONCE)
                .try_collect::<()>()
                .await?;
            for partition in release {
                self.release(shared, partition);
            }
        }
        self.read_on(shared);
        self.hear_nudges(shared).await
    }

    /// Some at a time, so that thousands do not read at once.
    fn read_on(&self, shared: &Shared) {
        let unread: BTreeSet<ExecutionId> = {
            let mut state = self.lock();
            let some: BTreeSet<_> = state.unread.iter().take(READ_AT_ONCE).cloned().collect();
            state.unread.retain(|execution| !some.contains(execution));
            some
        };
        for execution in unread {
            self.written(shared, execution);
        }
    }

    /// Says that this member is alive.
    pub(super) async fn beat(&self, shared: &Shared) -> Result<Heard, ClusterError> {
        let began = shared.ports.clock.elapsed();
        let beat = {
            let mut state = self.lock();
            state.beat += 1;
            state.beat
        };
        let lease = self.settings.lease;
        let roster = self.port.beat(&self.id, beat, lease).await?;
        self.lock().taken_at = began;
        // Others wait for a whole lease from when they saw this beat.
        let until = began + lease - lease / 10;
        Ok(Heard { roster, until })
    }

    /// Who is there. One that is no more may have written into any log, and
    /// told nobody; so what is driven here is read on.
    fn hear(&self, shared: &Shared, roster: &Roster, now: Duration) -> Present {
        let mut state = self.lock();
        let mut present = state.hear(roster, now, &self.settings);
        if shared.settings.has(Planted::TakesTooSoon) {
            present.alive.clone_from(&present.prompt);
        }
        let has_died = !state.alive.is_subset(&present.alive);
        if has_died && !shared.settings.has(Planted::ForgetsTheDead) {
            state.unread.extend(shared.registry.driven());
        }
        state.alive.clone_from(&present.alive);
        present
    }

    /// Brings what this member believes to have in line with a roster, and with
    /// it the time until which it has it: at no instant does it believe to have
    /// for longer what it has lost. Returns that.
    fn compare(&self, roster: &Roster, until: Duration) -> BTreeMap<u16, Term> {
        let mut state = self.lock();
        state.until = until;
        let mut lost = BTreeMap::new();
        for lease in &roster.leases {
            let is_ours = lease.owner.as_ref() == Some(&self.id);
            let known = state.leases.get(&lease.partition);
            if known.is_some_and(|held| is_ours && held.lease.epoch == lease.epoch) {
                continue;
            }
            if let Some(held) = state.leases.remove(&lease.partition) {
                tracing::warn!(partition = lease.partition, owner = ?lease.owner, "another gateway drives this partition now, or did");
                lost.insert(lease.partition, held.term);
            }
            // The answer to a change was lost.
            if is_ours {
                let held = self.held(lease.clone());
                state.leases.insert(lease.partition, held);
            }
        }
        lost
    }

    async fn take(&self, lease: Lease) -> Result<(), ClusterError> {
        let taken = Lease {
            owner: Some(self.id.clone()),
            epoch: lease.epoch + 1,
            ..lease
        };
        if self.port.change(lease, taken.owner.clone()).await? {
            tracing::info!(partition = taken.partition, "drives this partition now");
            let held = self.held(taken);
            self.lock().leases.insert(held.lease.partition, held);
        }
        Ok(())
    }

    fn held(&self, lease: Lease) -> Held {
        Held {
            lease,
            term: Term::under(&self.stop),
            resumed: false,
        }
    }

    /// Ends a partition's term, and gives its lease back once nothing runs in
    /// it any more.
    fn release(&self, shared: &Arc<Shared>, partition: u16) {
        let Some((term, lease)) = self.term_of(partition) else {
            return;
        };
        term.stop.cancel();
        let releasing = Arc::clone(shared);
        shared.guard(&shared.loops, async move {
            term.end().await;
            if let Some(member) = releasing.membership.member() {
                member.give_back(&releasing, lease).await;
            }
        });
    }

    /// Meanwhile it may have been another's, and be this member's again, with a
    /// term of its own, which goes on.
    async fn give_back(&self, shared: &Shared, was: Lease) {
        let _turn = self.turn.read().await;
        let partition = was.partition;
        let lease = {
            let leases = &self.lock().leases;
            leases.get(&partition).map(|held| held.lease.clone())
        };
        let Some(lease) = lease else {
            return;
        };
        if lease.epoch != was.epoch && !shared.settings.has(Planted::GivesBackLate) {
            return;
        }
        self.lock().leases.remove(&partition);
        if let Err(error) = self.port.change(lease, None).await {
            tracing::warn!(partition, %error, "a lease was not given back; the next beat tells");
        }
    }

    /// The term of a partition and its lease, unless the term has ended.
    fn term_of(&self, partition: u16) -> Option<(Term, Lease)> {
        let state = self.lock();
        let held = state.leases.get(&partition)?;
        let goes_on = !held.term.stop.is_cancelled();
        goes_on.then(|| (held.term.clone(), held.lease.clone()))
    }

    /// Tells owners that their logs were written here, as soon as it is known,
    /// or else with each beat.
    async fn tell_on(&self, shared: &Shared) {
        loop {
            tokio::select! {
                biased;
                () = self.to_tell.notified() => {}
                () = shared.wait(self.settings.beat()) => {}
            }
            self.tell_some(shared).await;
        }
    }

    /// The new owners may have taken these partitions before the last of their
    /// executions was begun here.
    fn to_be_told(&self, shared: &Shared, is_lost: impl Fn(u16) -> bool) {
        let driven = shared.registry.driven().into_iter();
        let lost = driven.filter(|id| is_lost(self.partition(id)));
        self.lock().untold.extend(lost);
        self.to_tell.notify_one();
    }

    async fn tell_some(&self, shared: &Shared) {
        let some: BTreeSet<ExecutionId> = {
            let mut state = self.lock();
            let mut some = std::mem::take(&mut state.untold);
            if let Some(first) = some.iter().nth(TOLD_IN_A_BEAT).cloned() {
                state.untold = some.split_off(&first);
            }
            some
        };
        if shared.settings.has(Planted::ForgetsUntold) {
            return;
        }
        stream::iter(some)
            .for_each_concurrent(TOLD_AT_ONCE, async |execution| self.tell(&execution).await)
            .await;
    }

    async fn hear_nudges(&self, shared: &Shared) -> Result<(), ClusterError> {
        for execution in self.port.nudges(&self.id).await? {
            self.written(shared, execution);
        }
        Ok(())
    }

    /// An execution's log was written by somebody else.
    pub(in crate::driver) fn written(&self, shared: &Shared, execution: ExecutionId) {
        let live = shared.registry.get(&execution);
        let told = live.is_some_and(|live| live.mailbox.written());
        // It is begun by the next resume, if it is ours.
        if !told {
            self.lock().begin.insert(execution);
        }
    }

    /// Drives every unfinished execution of the partitions that are new, and
    /// those that this member was told of.
    async fn resume(&self, shared: &Arc<Shared>) -> Result<(), DriverError> {
        let (is_sweep, partitions) = self.to_resume(shared.ports.clock.elapsed());
        if is_sweep || !partitions.is_empty() {
            let driven = shared.registry.driven();
            let mut unfinished: BTreeSet<ExecutionId> =
                resuming::unfinished(shared).await?.into_iter().collect();
            let over = driven.into_iter().filter(|id| !unfinished.contains(id));
            for execution in over {
                self.written(shared, execution);
            }
            unfinished.retain(|id| partitions.contains_key(&self.partition(id)));
            resuming::these(shared, unfinished).await?;
            self.resumed(&partitions);
        }
        let told = std::mem::take(&mut self.lock().begin);
        let mut new = Vec::new();
        for execution in told {
            if shared.registry.get(&execution).is_some() {
                self.written(shared, execution);
            } else if shared.registry.is_starting(&execution) {
                self.begin_again(&execution);
            } else if self.term(&execution).is_some() {
                new.push(execution);
            }
        }
        let outcome = resuming::these(shared, new.clone()).await;
        if outcome.is_err() {
            self.lock().begin.extend(new);
        }
        outcome
    }

    /// Whether everything is to be listed again, and the partitions whose
    /// executions are to be begun, by their epochs.
    fn to_resume(&self, now: Duration) -> (bool, BTreeMap<u16, u64>) {
        let mut state = self.lock();
        let is_sweep = now.saturating_sub(state.swept) >= self.settings.sweep;
        if is_sweep {
            state.swept = now;
            for held in state.leases.values_mut() {
                held.resumed = false;
            }
        }
        let new = state.leases.iter().filter(|(_, held)| !held.resumed);
        let new = new.map(|(&partition, held)| (partition, held.lease.epoch));
        (is_sweep, new.collect())
    }

    /// A lease that was taken meanwhile is not meant.
    fn resumed(&self, partitions: &BTreeMap<u16, u64>) {
        for (partition, held) in &mut self.lock().leases {
            held.resumed |= partitions.get(partition) == Some(&held.lease.epoch);
        }
    }
}
