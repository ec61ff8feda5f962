//! The handle that everyone shares: the model, its clock, and what was called.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::clock::{EmulatorClock, LAST, NotManual, RunningClock};
use crate::faults::{Call, FaultPlan, Faults, Verdict};
use crate::late::Late;
use crate::listening::{self, Reached};
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
    late: Mutex<Late>,
    faults: Mutex<(Faults, FaultPlan)>,
    calls: Mutex<BTreeMap<&'static str, u64>>,
    /// How often the model or the time may have been changed from outside.
    touches: watch::Sender<u64>,
    /// `None` while no workload is kept listening.
    reached: watch::Sender<Option<Reached>>,
}

impl Emulator {
    /// Starts the clock.
    pub fn new(settings: Settings) -> Self {
        let Settings { scenario, clock } = settings;
        // A scenario with a start of its own is to be the same in every run.
        let is_run_of_its_own = scenario.start.is_none() && clock != EmulatorClock::Manual;
        let clock = clock.run(scenario.start);
        let start = clock.now();
        let mut model = Model::new(&scenario.fleet, start);
        if is_run_of_its_own {
            model.draw_ids_for(start);
        }
        model.set_flaws(scenario.faults.service.clone());
        let plan = FaultPlan::new(&scenario.faults, start);
        Self {
            shared: Arc::new(Shared {
                scenario: scenario.name,
                default_account: scenario.default_account,
                clock,
                model: Mutex::new(model),
                late: Mutex::new(Late::default()),
                faults: Mutex::new((scenario.faults, plan)),
                calls: Mutex::new(BTreeMap::new()),
                touches: watch::Sender::new(0),
                reached: watch::Sender::new(None),
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

    /// Moves a manual clock on, and returns the new time. What workloads listen on follows; see
    /// [`settled`](Self::settled).
    pub fn advance(&self, duration: SignedDuration) -> Result<Timestamp, NotManual> {
        let now = self.shared.clock.advance(duration)?;
        self.touch();
        Ok(now)
    }

    /// Whether the workloads could listen now, if the scenario wants that: the error with which
    /// [`serve`](crate::serve) would end. For who wants to know before it is spawned.
    pub fn can_listen(&self) -> std::io::Result<()> {
        listening::claim(self).map(drop)
    }

    /// Waits until the workloads listen as the model says that they do now. Returns at once if
    /// nothing really listens: the scenario does not want it, or nobody [serves](crate::serve) it.
    pub async fn settled(&self) {
        let touch = *self.shared.touches.borrow();
        let mut reached = self.shared.reached.subscribe();
        let settled = |reached: &Option<Reached>| {
            let reached = reached.as_ref();
            reached.is_none_or(|reached| reached.touch >= touch)
        };
        // It cannot fail: the sender lives as long as this handle.
        drop(reached.wait_for(settled).await);
    }

    /// Lends the model, brought up to the emulated time. The model is locked meanwhile: `f` must not
    /// call the emulator.
    pub fn with_model<R>(&self, f: impl FnOnce(&mut Model, Timestamp) -> R) -> R {
        let mut model = self.held_model();
        let now = model.now();
        let result = f(&mut model, now);
        drop(model);
        self.touch();
        result
    }

    /// Shows the model, brought up to the emulated time, to who keeps the ports right, and so is
    /// not to be woken by its own looks.
    pub(crate) fn look<R>(&self, f: impl FnOnce(&Model) -> R) -> R {
        f(&self.held_model())
    }

    /// Counts the touches of the model.
    pub(crate) fn touches(&self) -> watch::Receiver<u64> {
        self.shared.touches.subscribe()
    }

    /// Tells which ports are open; `None` when they are no longer kept right.
    pub(crate) fn reached(&self, reached: Option<Reached>) {
        self.shared.reached.send_replace(reached);
    }

    /// The ports that are open, and those that should be.
    pub(crate) fn ports(&self) -> Reached {
        self.shared.reached.borrow().clone().unwrap_or_default()
    }

    /// How long that takes in real time; `None` if time is moved by hand.
    pub(crate) fn real(&self, emulated: SignedDuration) -> Option<Duration> {
        self.shared.clock.real(emulated)
    }

    /// Replaces all faults, and counts from zero. What was put off is still done.
    pub fn set_faults(&self, faults: Faults) {
        self.with_model(|model, now| {
            model.set_flaws(faults.service.clone());
            let plan = FaultPlan::new(&faults, now);
            *held(&self.shared.faults) = (faults, plan);
        });
    }

    /// Lends the faults, and the counts of their rules.
    pub fn with_faults<R>(&self, f: impl FnOnce(&Faults, &FaultPlan) -> R) -> R {
        let faults = held(&self.shared.faults);
        f(&faults.0, &faults.1)
    }

    /// Says what is to happen to a call, and counts it.
    pub(crate) fn judge(&self, call: &Call<'_>) -> Verdict {
        let now = self.now();
        held(&self.shared.faults).1.judge(call, now)
    }

    /// Puts work off. It is done when the model is next held after its time, as if it were then.
    pub(crate) fn put_off(
        &self,
        by: SignedDuration,
        work: impl FnOnce(&mut Model) + Send + 'static,
    ) {
        let at = self.now().saturating_add(by).unwrap_or(LAST);
        held(&self.shared.late).take(at, Box::new(work));
        self.touch();
    }

    /// When work that was put off is due.
    pub(crate) fn next_late(&self) -> Option<Timestamp> {
        held(&self.shared.late).next()
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

    fn held_model(&self) -> MutexGuard<'_, Model> {
        let mut model = held(&self.shared.model);
        // Read under the lock, so that two callers never see time go back.
        let now = self.now();
        held(&self.shared.late).play(&mut model, now);
        model.advance(now);
        model
    }

    fn touch(&self) {
        self.shared.touches.send_modify(|touches| *touches += 1);
    }
}

/// A poisoned lock still guards a whole value: every change of the model is one call that either
/// refuses first or completes.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LaunchRequest, Purpose, ServerLaunch, Tags};

    /// The ids of a new emulator's first job and of what it launches.
    fn ids_of_a_launch(clock: EmulatorClock, start: Option<Timestamp>) -> [String; 2] {
        let mut scenario = Scenario::built_in("shop").expect("it is built in");
        scenario.start = start;
        let emulator = Emulator::new(Settings { scenario, clock });
        emulator.with_model(|model, now| {
            let place = model.places().next().expect("a place").clone();
            let estate = model.estate(&place).expect("DRS is there");
            let server = estate.source_servers().next().expect("a server");
            let server = server.spec.id.clone();
            let request = LaunchRequest {
                servers: vec![ServerLaunch {
                    server,
                    snapshot: None,
                }],
                purpose: Purpose::Drill,
                tags: Tags::new(),
            };
            let job = model.start_recovery(&place, &request, now);
            let job = job.expect("it is launched").id.to_string();
            while let Some(next) = model.next_change() {
                model.advance(next);
            }
            let estate = model.estate(&place).expect("DRS is there");
            let instance = estate.recovery_instances().next().expect("an instance");
            [job, instance.id.to_string()]
        })
    }

    #[test]
    fn after_a_restart_no_id_of_a_job_or_an_instance_is_given_again() {
        let running = EmulatorClock::Scaled { speed: 60.0 };
        let (before, after) = (
            ids_of_a_launch(running, None),
            ids_of_a_launch(running, None),
        );
        assert_ne!(before[0], after[0]);
        assert_ne!(before[1], after[1]);
    }

    #[test]
    fn a_scenario_with_a_time_of_its_own_has_the_same_ids_in_every_run() {
        let start = Some(Timestamp::constant(1_767_225_600, 0));
        let running = EmulatorClock::Scaled { speed: 60.0 };
        let manual = ids_of_a_launch(EmulatorClock::Manual, None);
        assert_eq!(ids_of_a_launch(EmulatorClock::Manual, None), manual);
        assert_eq!(ids_of_a_launch(running, start), manual);
        assert_eq!(ids_of_a_launch(running, start), manual);
    }
}
