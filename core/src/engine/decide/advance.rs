//! Taking every step that the state allows.

use super::{
    super::{
        Closing, ExecutionState, HoldCause, Planted, Reason, ReasonCode, ServerRun, WaveState,
    },
    Decision,
};
use crate::{HookIx, WaveIx, plan::HookPhase};
use alloc::{format, vec::Vec};

impl Decision {
    /// Takes steps until none is left, then settles the execution's state.
    /// Each step moves a wave forward or ends it, so this ends, too.
    pub(super) fn advance(&mut self) {
        if self.next.state == ExecutionState::Pending || self.next.state.is_terminal() {
            return;
        }
        self.time_out();
        loop {
            let before = self.changes.len();
            self.wind_up();
            self.start_waves();
            let active: Vec<WaveIx> = self.next.active.iter().copied().collect();
            for wave in active {
                self.step(wave);
            }
            if self.changes.len() == before {
                break;
            }
        }
        self.settle_execution();
    }

    pub(super) fn wave_positions(&self) -> impl Iterator<Item = WaveIx> + use<> {
        let count = u16::try_from(self.next.waves.len()).unwrap_or(u16::MAX);
        (0..count).map(WaveIx)
    }

    /// Starts every wave whose dependencies are satisfied, in the order of the
    /// plan; a planned pause among them holds those after it.
    fn start_waves(&mut self) {
        for wave in self.wave_positions() {
            let run = self.wave(wave);
            let ready = run.state == WaveState::Waiting && run.blocked_by == 0;
            if !ready || self.next.is_held() || self.next.closing.is_some() {
                continue;
            }
            if self.next.plan().wave(wave).pause_before && !run.gate_open {
                let name = self.next.plan().wave(wave).name.clone();
                self.move_wave(wave, WaveState::Gated, Reason::of(ReasonCode::Planned));
                self.hold(
                    HoldCause::Planned(wave),
                    format!("before wave {name}").into(),
                );
            } else {
                self.move_wave(wave, WaveState::Checking, Reason::none());
            }
        }
    }

    /// New work is offered only while nothing holds the execution; what is in
    /// flight is followed all the same.
    fn step(&mut self, wave: WaveIx) {
        let offers = self.next.offers();
        match self.wave(wave).state {
            WaveState::Gated if offers && self.wave(wave).gate_open => {
                self.move_wave(wave, WaveState::Checking, Reason::none());
            }
            WaveState::Checking if offers => self.step_checks(wave, HookPhase::PreWave),
            WaveState::Verifying if offers => self.step_checks(wave, HookPhase::PostWave),
            WaveState::Verifying if self.verified_without_hooks(wave) => self.succeed(wave),
            WaveState::Launching => {
                if offers {
                    self.step_launching(wave);
                }
                self.recovering(wave);
            }
            WaveState::Recovering if self.is_to_be_judged(wave) => self.judge_now(wave),
            WaveState::Gated
            | WaveState::Checking
            | WaveState::Verifying
            | WaveState::Recovering
            | WaveState::Waiting
            | WaveState::Succeeded
            | WaveState::SucceededWithWarnings
            | WaveState::Failed
            | WaveState::Skipped
            | WaveState::Cancelled => {}
        }
    }

    fn is_to_be_judged(&self, wave: WaveIx) -> bool {
        let settled = |server: &ServerRun| server.state.is_settled();
        let early = self.next.settings.has(Planted::JudgesEarly)
            && self.wave(wave).servers.iter().any(settled);
        early || self.is_through(wave)
    }

    /// A wave that is being wound up is not judged.
    fn judge_now(&mut self, wave: WaveIx) {
        if !self.next.is_closing(Closing::Timeout) {
            self.judge(wave);
        }
    }

    /// A wave without checks after its launch has nothing left to offer, so a
    /// pause need not keep it from succeeding.
    fn verified_without_hooks(&self, wave: WaveIx) -> bool {
        !self.has_hook(wave, HookPhase::PostWave, HookIx(0))
            && !self.next.is_closing(Closing::Timeout)
    }
}
