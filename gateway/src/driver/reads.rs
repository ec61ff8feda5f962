//! Reads of DRS: all of one account and Region share a pace and a number of
//! calls at a time, so that a start with thousands of executions asks in
//! turn. Why reads wait is kept, for people.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tidegate_core::{Span, Timestamp, plan::Target};
use tokio::sync::Semaphore;

use super::{
    DriverSettings, Shared,
    backoff::Backoff,
    jitter::Jitter,
    pace::{Pace, Turn},
};
use crate::ports::{clock::Clock, drs::DrsError};

/// Reads of every place.
pub(super) struct Reads {
    clock: Arc<dyn Clock>,
    at_once: usize,
    longest: Span,
    places: Mutex<BTreeMap<Address, Arc<Place>>>,
}

/// Account and Region. Roles share the account's limits.
type Address = (String, String);

/// What the reads of one place share.
struct Place {
    /// First come, first served.
    slots: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pace: Pace,
    troubles: BTreeMap<Purpose, Trouble>,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Running jobs.
    Observe,
    /// A launch whose answer was lost.
    Look,
    /// The servers of a wave.
    Select,
    /// What hooks are told.
    Facts,
}

/// Why the newest read for a purpose has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) error: DrsError,
    /// When it is tried again.
    pub(super) again_at: Timestamp,
}

impl Reads {
    pub(super) fn new(clock: Arc<dyn Clock>, settings: &DriverSettings) -> Self {
        let longest = u64::try_from(settings.read_backoff_max.as_millis());
        Self {
            clock,
            at_once: settings.reads_at_once,
            longest: Span::from_millis(longest.unwrap_or(u64::MAX)),
            places: Mutex::default(),
        }
    }

    /// Asks once, when it is this caller's turn.
    pub(super) async fn ask<T>(
        &self,
        target: &Target,
        purpose: Purpose,
        ask: impl Future<Output = Result<T, DrsError>>,
    ) -> Result<T, DrsError> {
        let place = self.place(target);
        // The semaphore is never closed.
        let _slot = place.slots.acquire().await;
        self.ask_in_turn(&place, purpose, ask).await
    }

    /// Asks once without waiting for others that ask; for the one read that
    /// serves everybody. The pace still holds.
    pub(super) async fn ask_first<T>(
        &self,
        target: &Target,
        purpose: Purpose,
        ask: impl Future<Output = Result<T, DrsError>>,
    ) -> Result<T, DrsError> {
        self.ask_in_turn(&self.place(target), purpose, ask).await
    }

    async fn ask_in_turn<T>(
        &self,
        place: &Place,
        purpose: Purpose,
        ask: impl Future<Output = Result<T, DrsError>>,
    ) -> Result<T, DrsError> {
        loop {
            let turn = place.lock().pace.turn(self.clock.now());
            match turn {
                Turn::Now => break,
                // Others may have been throttled meanwhile.
                Turn::At(at) => self.clock.sleep_until(at).await,
            }
        }
        let begun = self.clock.now();
        let answer = ask.await;
        match &answer {
            Ok(_) => {
                let mut state = place.lock();
                state.pace.answered();
                state.troubles.remove(&purpose);
            }
            Err(error) => self.failed(place, purpose, begun, error),
        }
        answer
    }

    fn failed(&self, place: &Place, purpose: Purpose, begun: Timestamp, error: &DrsError) {
        let now = self.clock.now();
        let mut state = place.lock();
        let again_at = match error {
            DrsError::Throttled { after, .. } => {
                state.pace.throttled(begun, now, *after, self.longest);
                state.pace.free_at()
            }
            DrsError::Denied { .. } | DrsError::Refused { .. } | DrsError::Failed { .. } => now,
        };
        let error = error.clone();
        state.troubles.insert(purpose, Trouble { error, again_at });
    }

    /// Part of an answer is missing because of this.
    pub(super) fn missed(&self, target: &Target, purpose: Purpose, error: &DrsError) {
        let now = self.clock.now();
        self.failed(&self.place(target), purpose, now, error);
    }

    /// A caller waits on its own account until it asks again.
    pub(super) fn retries(&self, target: &Target, purpose: Purpose, at: Timestamp) {
        let place = self.place(target);
        if let Some(trouble) = place.lock().troubles.get_mut(&purpose) {
            trouble.again_at = trouble.again_at.max(at);
        }
    }

    /// Why reads for a purpose wait, if they do.
    pub(super) fn trouble(&self, target: &Target, purpose: Purpose) -> Option<Trouble> {
        let places = self.lock();
        let place = places.get(&address(target))?;
        place.lock().troubles.get(&purpose).cloned()
    }

    fn place(&self, target: &Target) -> Arc<Place> {
        let mut places = self.lock();
        let place = places.entry(address(target)).or_insert_with(|| {
            Arc::new(Place {
                slots: Semaphore::new(self.at_once),
                state: Mutex::default(),
            })
        });
        Arc::clone(place)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Address, Arc<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").finish_non_exhaustive()
    }
}

fn address(target: &Target) -> Address {
    (target.account.clone(), target.region.clone())
}

impl Trouble {
    /// For people.
    pub(super) fn line(&self, now: Timestamp) -> String {
        let wait = Duration::from_millis(self.again_at.since(now).as_millis());
        let secs = wait.as_millis().div_ceil(1_000);
        format!("{}, next try in {secs} s", self.error)
    }
}

impl Shared {
    /// Asks until there is an answer; only a refusal ends it.
    pub(super) async fn read_until_answered<T, F>(
        &self,
        target: &Target,
        purpose: Purpose,
        subject: &str,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, DrsError>
    where
        F: Future<Output = Result<T, DrsError>>,
    {
        let mut backoff = Backoff::new(&self.settings, self.jitter(subject));
        loop {
            match self.reads.ask(target, purpose, ask()).await {
                Ok(answer) => return Ok(answer),
                Err(error @ DrsError::Refused { .. }) => return Err(error),
                Err(error) => self.wait_after(target, purpose, &error, &mut backoff).await,
            }
        }
    }

    /// Waits after a read failed. For what is throttled the next read waits
    /// for its turn.
    pub(super) async fn wait_after(
        &self,
        target: &Target,
        purpose: Purpose,
        error: &DrsError,
        backoff: &mut Backoff,
    ) {
        tracing::warn!(%error, ?purpose, "a read of DRS has no answer; trying again");
        match error {
            DrsError::Throttled { .. } => {}
            DrsError::Denied { .. } | DrsError::Refused { .. } | DrsError::Failed { .. } => {
                let wait = backoff.next();
                let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                let at = self.ports.clock.now() + Span::from_millis(millis);
                self.reads.retries(target, purpose, at);
                self.wait(wait).await;
            }
        }
    }

    /// Chance for one subject.
    pub(super) fn jitter(&self, subject: &str) -> Jitter {
        Jitter::new(self.settings.jitter_seed, subject)
    }
}
