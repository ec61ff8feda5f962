//! When something is due by itself.

use super::{Closing, Deadline, DeadlineReason, Execution, HookStatus, LaunchState, Stage};
use crate::{Timestamp, WaveIx};

impl Execution {
    /// The next instant at which a [`super::Event::Tick`] has something to
    /// decide. `None` while the execution is held: time on hold does not
    /// count against any timeout, and nothing is retried.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        if self.is_held() || self.state.is_terminal() {
            return None;
        }
        let waves = self
            .active
            .iter()
            .flat_map(|&wave| self.wave_deadlines(wave));
        let whole = self.execution_timeout().map(|at| Deadline {
            at,
            reason: DeadlineReason::ExecutionTimeout,
        });
        waves.chain(whole).min()
    }

    fn wave_deadlines(&self, wave: WaveIx) -> impl Iterator<Item = Deadline> {
        let run = self.wave(wave);
        let deadline = |at, reason| Deadline { at, reason };
        let stage = match run.stage {
            Stage::Backoff { at } => Some(deadline(at, DeadlineReason::WaveRetry(wave))),
            Stage::Hook(step) => match step.status {
                HookStatus::Delayed { until } => {
                    Some(deadline(until, DeadlineReason::HookRetry(wave)))
                }
                HookStatus::Running { .. } => self
                    .gate_deadline(wave)
                    .map(|at| deadline(at, DeadlineReason::GateTimeout(wave))),
                HookStatus::Wanted | HookStatus::Held => None,
            },
            Stage::Idle | Stage::Selecting | Stage::Attempt => None,
        };
        let launches = run
            .launches
            .iter()
            .filter_map(move |launch| match launch.state {
                LaunchState::Deferred { until, .. } => {
                    Some(deadline(until, DeadlineReason::LaunchRetry(wave)))
                }
                LaunchState::Queued { .. }
                | LaunchState::Asking { .. }
                | LaunchState::Reconciling { .. }
                | LaunchState::Running { .. }
                | LaunchState::Ended { .. }
                | LaunchState::Refused
                | LaunchState::Abandoned => None,
            });
        let timeout = self
            .wave_timeout(wave)
            .map(|at| deadline(at, DeadlineReason::WaveTimeout(wave)));
        stage.into_iter().chain(launches).chain(timeout)
    }

    /// When the hooks of the wave's phase have taken too long together, if
    /// they run. On hold this stands still: it is moved on when the hold is
    /// lifted.
    #[must_use]
    pub fn gate_deadline(&self, wave: WaveIx) -> Option<Timestamp> {
        let Stage::Hook(step) = self.wave(wave).stage else {
            return None;
        };
        Some(step.gate_since? + self.plan().wave(wave).gate_timeout)
    }

    /// When the wave's time is up, if it is limited and still counts.
    pub(crate) fn wave_timeout(&self, wave: WaveIx) -> Option<Timestamp> {
        let run = self.wave(wave);
        if run.state.is_settled() || self.is_closing(Closing::Timeout) {
            return None;
        }
        let held = self.held.saturating_sub(run.held_at_start);
        Some(run.started_at? + self.plan().wave(wave).timeout? + held)
    }

    /// When the execution's time is up, if it is limited and still counts.
    pub(crate) fn execution_timeout(&self) -> Option<Timestamp> {
        if self.is_closing(Closing::Timeout) || self.state.is_terminal() {
            return None;
        }
        Some(self.started_at? + self.plan().timeout()? + self.held)
    }
}
