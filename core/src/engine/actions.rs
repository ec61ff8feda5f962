//! What a person may ask for now. Computed here, so that command line,
//! console and third parties never disagree with the engine.

use alloc::vec::Vec;

use super::{Closing, Execution, HoldCause, Kind, WaveState};
use crate::WaveIx;

/// A request that would be accepted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Hold the execution.
    Pause,
    /// Lift the holds that going on may lift.
    Resume,
    /// End it.
    Cancel,
    /// Ask again for a wave's failed servers, or its failed checks.
    RetryWave(WaveIx),
    /// Go on without a wave.
    SkipWave(WaveIx),
    /// Terminate its instances.
    CleanUp,
}

impl Execution {
    /// Everything that would be accepted now.
    #[must_use]
    pub fn allowed_actions(&self) -> Vec<Action> {
        let waves = (0..self.waves.len()).filter_map(|ix| u16::try_from(ix).ok().map(WaveIx));
        let retries = waves.clone().map(Action::RetryWave);
        let skips = waves.map(Action::SkipWave);
        [Action::Pause, Action::Resume, Action::Cancel]
            .into_iter()
            .chain(retries)
            .chain(skips)
            .chain([Action::CleanUp])
            .filter(|&action| self.allows(action))
            .collect()
    }

    /// Whether this would be accepted now.
    #[must_use]
    pub fn allows(&self, action: Action) -> bool {
        let over = self.state.is_terminal();
        let ending = over || self.is_closing(Closing::Timeout);
        match action {
            Action::Pause => !ending && !self.has_hold(HoldCause::Operator),
            Action::Resume => !ending && self.holds.iter().any(|hold| is_liftable(hold.cause)),
            Action::Cancel => !over && !self.is_closing(Closing::Cancel),
            Action::RetryWave(wave) => {
                !ending
                    && self.has_hold(HoldCause::WaveFailed(wave))
                    && !self.wave(wave).has_launch_in_flight()
            }
            Action::SkipWave(wave) => !ending && self.can_skip(wave),
            Action::CleanUp => {
                over && self.kind() != Kind::Cleanup && self.launched().next().is_some()
            }
        }
    }

    /// Before a wave is launched, between its attempts, while DRS does not take
    /// its launches, while its checks run, and when it failed and its execution
    /// waits for a word.
    fn can_skip(&self, wave: WaveIx) -> bool {
        let Some(run) = self.waves.get(wave.index()) else {
            return false;
        };
        if run.has_launch_in_flight() {
            return false;
        }
        match run.state {
            WaveState::Waiting
            | WaveState::Gated
            | WaveState::Checking
            | WaveState::Launching
            | WaveState::Verifying => true,
            WaveState::Failed => self.has_hold(HoldCause::WaveFailed(wave)),
            WaveState::Recovering
            | WaveState::Succeeded
            | WaveState::SucceededWithWarnings
            | WaveState::Skipped
            | WaveState::Cancelled => false,
        }
    }
}

/// Whether a resume lifts it. A failed wave wants a decision of its own:
/// retry, skip or cancel.
pub(super) fn is_liftable(cause: HoldCause) -> bool {
    match cause {
        HoldCause::Operator
        | HoldCause::Planned(_)
        | HoldCause::Approval(_)
        | HoldCause::Hook(_) => true,
        HoldCause::WaveFailed(_) => false,
    }
}
