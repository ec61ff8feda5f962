//! Whose turn it is under the quotas of DRS, over all executions of this
//! gateway.
//!
//! Nothing here is recorded: what is in use and who waits follows from the
//! states of the executions. Each execution declares what it needs with every
//! decision, before the decision is recorded. A turn that comes with it is
//! folded into the same record; a turn that comes later wakes the execution,
//! which then collects it. A turn that is not collected, because the execution
//! was held or ended meanwhile, is given back with the next declaration.
//!
//! Giving room back before the record is durable is safe: that a job ended is
//! a fact at DRS, whatever becomes of the record.

mod belief;
mod granted;
mod ledger;
mod limits;
mod needs;
mod standing;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_core::{
    ExecutionId, Timestamp,
    engine::{CommandId, Event, Execution, LaunchAnswer},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use belief::Probing;
pub(super) use granted::ask_aws;
pub use limits::{InUse, Limits, OwnLimits, Place, Quotas};

use self::{
    granted::Inquiries,
    ledger::{Ledger, Ticket},
    needs::Needs,
    standing::Standing,
};
use super::log::Decided;
use crate::ports::{clock::Clock, drs::GrantedQuotas};

/// Gives launches their turns.
#[derive(Debug)]
pub(super) struct Admission {
    quotas: Quotas,
    probing: Probing,
    hall: Mutex<Hall>,
    /// When to probe may have changed.
    changed: Notify,
    /// AWS is to be asked about a place.
    inquired: Notify,
}

#[derive(Debug, Default)]
struct Hall {
    ledgers: BTreeMap<Place, Ledger>,
    guests: BTreeMap<ExecutionId, Guest>,
    inquiries: Inquiries,
}

/// An execution that needs something, or did.
#[derive(Debug, Default)]
struct Guest {
    places: BTreeSet<Place>,
    woken: Arc<Notify>,
}

impl Admission {
    pub(super) fn new(quotas: Quotas, probing: Probing) -> Self {
        Self {
            quotas,
            probing,
            hall: Mutex::default(),
            changed: Notify::new(),
            inquired: Notify::new(),
        }
    }

    /// Takes into account what an execution has in use, before anybody is
    /// given a turn.
    pub(super) fn register(&self, execution: &Execution, now: Timestamp) {
        let needs = Needs::of(execution).without_turns();
        self.lock().declare(self, execution, &needs, now);
    }

    /// Folds into a decision the turns that come with it, so that the end of
    /// one wave and the intent of the next are one record.
    pub(super) fn take_turns(&self, decided: &mut Decided) {
        loop {
            let turns = self.turns(&decided.next, decided.at);
            if turns.is_empty() {
                return;
            }
            for turn in turns {
                decided.hear_also(turn);
            }
        }
    }

    /// Wakes when an execution has a turn to collect.
    pub(super) fn woken(&self, execution: &ExecutionId) -> Arc<Notify> {
        let mut hall = self.lock();
        Arc::clone(&hall.guests.entry(execution.clone()).or_default().woken)
    }

    /// DRS answered a launch: if a quota was full, that is remembered.
    pub(super) fn heard(&self, execution: &Execution, event: &Event, now: Timestamp) {
        if let Event::LaunchAnswered { command, answer } = event
            && let CommandId::Launch { wave, launch, .. } = *command
            && let LaunchAnswer::OverQuota { quota, reason } = answer
            && let Some(asked) = execution.wave(wave).launch(launch)
        {
            let place = Place::of(&asked.target);
            let ticket = (execution.id().clone(), (wave, launch));
            tracing::warn!(
                account = place.account,
                region = place.region,
                reason = &**reason,
                "a quota of DRS is full; its launches queue"
            );
            let mut hall = self.lock();
            if let Some(ledger) = hall.ledgers.get_mut(&place) {
                ledger.exceeded(&ticket, *quota, now);
                // This execution hears of it anyway.
                let mut large = ledger.too_large();
                large.retain(|(id, _)| id != execution.id());
                hall.wake(&large);
            }
        }
    }

    /// The execution is over, never came to be, or is not driven here any more:
    /// of its jobs nobody here would hear when they end. What they still fill
    /// of a quota is known when DRS says that it is full.
    pub(super) fn leave(&self, execution: &Execution, now: Timestamp) {
        let mut hall = self.lock();
        let id = execution.id();
        let class = needs::class(execution);
        hall.guests.remove(id);
        // Also where it needed nothing any more.
        for ledger in hall.ledgers.values_mut() {
            ledger.leave(id, class, now);
        }
        drop(hall);
        self.give_turns(now);
    }

    /// What is in use, wherever something was.
    pub(super) fn in_use(&self) -> Vec<InUse> {
        let hall = self.lock();
        let ledgers = hall.ledgers.iter();
        ledgers
            .map(|(place, ledger)| ledger.in_use(place))
            .collect()
    }

    /// Where a launch that waits stands in the queue.
    pub(super) fn standing(&self, execution: &Execution, command: CommandId) -> Option<Standing> {
        let CommandId::Admit { wave, launch, .. } = command else {
            return None;
        };
        let target = &execution.wave(wave).launch(launch)?.target;
        let ticket = (execution.id().clone(), (wave, launch));
        let hall = self.lock();
        hall.ledgers.get(&Place::of(target))?.standing(&ticket)
    }

    /// What it means for an execution's launches that they may have their
    /// turns now.
    fn turns(&self, execution: &Execution, now: Timestamp) -> Vec<Event> {
        let needs = Needs::of(execution);
        let mut hall = self.lock();
        let places = hall.declare(self, execution, &needs, now);
        if hall.inquire(&self.quotas, &needs, now) {
            self.inquired.notify_one();
        }
        let mut woken = Vec::new();
        let mut turns = Vec::new();
        for place in &places {
            if let Some(ledger) = hall.ledgers.get_mut(place).filter(|it| it.is_open()) {
                woken.extend(ledger.give_turns(now));
                turns.extend(needs.turns(execution.id(), place, ledger));
            }
        }
        woken.retain(|(id, _)| id != execution.id());
        hall.wake(&woken);
        drop(hall);
        self.changed.notify_one();
        turns
    }

    /// Gives turns everywhere, and wakes who has one to collect.
    fn give_turns(&self, now: Timestamp) {
        let mut hall = self.lock();
        let mut woken = Vec::new();
        for ledger in hall.ledgers.values_mut() {
            woken.extend(ledger.give_turns(now));
            ledger.postpone_probe(now);
        }
        hall.wake(&woken);
        drop(hall);
        self.changed.notify_one();
    }

    fn new_ledger(&self, place: &Place) -> Ledger {
        let limits = self.quotas.of(place, &GrantedQuotas::default());
        let ledger = Ledger::new(limits, self.probing);
        if self.quotas.asks(place) {
            ledger.closed()
        } else {
            ledger
        }
    }

    fn next_probe(&self) -> Option<Timestamp> {
        let hall = self.lock();
        hall.ledgers.values().filter_map(Ledger::next_probe).min()
    }

    fn lock(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hall {
    /// Tells every place that an execution needs something at, or did, what
    /// it needs there; answers which these are.
    fn declare(
        &mut self,
        admission: &Admission,
        execution: &Execution,
        needs: &Needs,
        now: Timestamp,
    ) -> BTreeSet<Place> {
        let nothing = BTreeMap::new();
        let id = execution.id();
        let now_at: BTreeSet<Place> = needs.places().cloned().collect();
        let mut places = now_at.clone();
        match self.guests.get_mut(id) {
            Some(guest) => places.append(&mut std::mem::replace(&mut guest.places, now_at)),
            None if now_at.is_empty() => return places,
            None => {
                let places = now_at;
                let woken = Arc::default();
                self.guests.insert(id.clone(), Guest { places, woken });
            }
        }
        for place in &places {
            let ledger = self
                .ledgers
                .entry(place.clone())
                .or_insert_with(|| admission.new_ledger(place));
            let wanted = needs.at(place).unwrap_or(&nothing);
            ledger.declare(id, needs::class(execution), wanted, now);
        }
        places
    }

    /// Notes the places of which AWS is to be asked before launches there
    /// have their turns; answers whether there are any.
    fn inquire(&mut self, quotas: &Quotas, needs: &Needs, now: Timestamp) -> bool {
        let mut is_due = false;
        for (place, target) in needs.waiting() {
            is_due |= quotas.asks(place) && self.inquiries.want(place, target, now);
        }
        is_due
    }

    fn wake(&self, turns: &[Ticket]) {
        for (execution, _) in turns {
            if let Some(guest) = self.guests.get(execution) {
                guest.woken.notify_one();
            }
        }
    }
}

/// Lets somebody try more than DRS is believed to allow, when that is due;
/// until the driver stops.
pub(super) async fn probe(
    admission: Arc<Admission>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        let due = async {
            match admission.next_probe() {
                Some(at) => clock.sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = due => admission.give_turns(clock.now()),
            () = admission.changed.notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests;
