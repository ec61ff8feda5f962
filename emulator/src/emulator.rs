//! The handle that everyone shares: the model, its clock, and what was called.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};

use crate::clock::{EmulatorClock, NotManual, RunningClock};
use crate::model::{AccountId, LaunchRecord, Model};
use crate::scenario::Scenario;

/// What an emulator is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What it begins with.
    pub scenario: Scenario,
    /// How its time passes.
    pub clock: EmulatorClock,
}

/// A running emulator; cheap to clone, and each clone is the same emulator.
#[derive(Debug, Clone)]
pub struct Emulator {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    scenario: String,
    default_account: AccountId,
    clock: RunningClock,
    model: Mutex<Model>,
    calls: Mutex<BTreeMap<&'static str, u64>>,
}

impl Emulator {
    /// Starts the clock.
    pub fn new(settings: Settings) -> Self {
        let Settings { scenario, clock } = settings;
        let clock = clock.run(scenario.start);
        let model = Mutex::new(Model::new(&scenario.fleet, clock.now()));
        Self {
            shared: Arc::new(Shared {
                scenario: scenario.name,
                default_account: scenario.default_account,
                clock,
                model,
                calls: Mutex::new(BTreeMap::new()),
            }),
        }
    }

    /// The emulated time.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Emulated seconds per real second; `None` if time is moved by hand.
    pub fn speed(&self) -> Option<f64> {
        self.shared.clock.speed()
    }

    /// The name of its scenario.
    pub fn scenario(&self) -> &str {
        &self.shared.scenario
    }

    /// The account of a caller whose access key names none.
    pub fn default_account(&self) -> &AccountId {
        &self.shared.default_account
    }

    /// Every launch that was ever accepted, oldest first.
    pub fn launches(&self) -> Vec<LaunchRecord> {
        self.with_model(|model, _| model.launches().to_vec())
    }

    /// Moves a manual clock on, and returns the new time.
    pub fn advance(&self, duration: SignedDuration) -> Result<Timestamp, NotManual> {
        self.shared.clock.advance(duration)
    }

    /// Lends the model, brought up to the emulated time. The model is locked meanwhile: `f` must not
    /// call the emulator.
    pub fn with_model<R>(&self, f: impl FnOnce(&mut Model, Timestamp) -> R) -> R {
        let mut model = held(&self.shared.model);
        // Read under the lock, so that two callers never see time go back.
        let now = self.now();
        model.advance(now);
        f(&mut model, now)
    }

    /// How often each operation was called, whatever it answered.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        held(&self.shared.calls).clone()
    }

    /// Counts a call, and says the how manyth of all it is.
    pub(crate) fn count_call(&self, operation: &'static str) -> u64 {
        let mut calls = held(&self.shared.calls);
        *calls.entry(operation).or_default() += 1;
        calls.values().sum()
    }
}

/// A poisoned lock still guards a whole value: every change of the model is one call that either
/// refuses first or completes.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
