//! Ending early: no further wave starts, and what is under way is wound up.

use super::{
    super::{
        Change, Closing, CommandId, Execution, HoldCause, HookOutcome, HookStatus, Launch,
        LaunchState, Reason, ReasonCode, ServerState, Stage, WaveState,
    },
    Decision,
};
use crate::{LaunchIx, ServerIx, WaveIx};
use alloc::{sync::Arc, vec::Vec};

impl Decision {
    /// Decides to end early, unless that was decided at least as strongly. A
    /// timeout and a cancel lift every hold: nobody is waited for any more.
    pub(super) fn close(&mut self, to: Closing, reason: Reason) {
        if self.next.is_closing(to) {
            return;
        }
        self.emit(Change::Closing {
            to,
            reason: reason.clone(),
        });
        if to >= Closing::Timeout {
            for cause in self.lift_all() {
                if let HoldCause::WaveFailed(wave) = cause {
                    self.skip_pending_servers(wave, &reason);
                }
            }
        }
    }

    /// Winds up every wave that has not settled, as far as that is possible
    /// now.
    pub(super) fn wind_up(&mut self) {
        let Some((closing, _)) = self.next.closing() else {
            return;
        };
        for wave in self.wave_positions() {
            let state = self.wave(wave).state;
            let not_begun = matches!(state, WaveState::Waiting | WaveState::Gated);
            let under_way = !not_begun && !state.is_settled();
            if not_begun || (under_way && closing >= Closing::Timeout) {
                self.wind_up_wave(wave, closing);
            }
        }
    }

    fn wind_up_wave(&mut self, wave: WaveIx, closing: Closing) {
        let (to, reason) = match closing {
            Closing::Stop => (WaveState::Skipped, Reason::of(ReasonCode::NotReached)),
            Closing::Timeout => (WaveState::Cancelled, Reason::of(ReasonCode::Timeout)),
            Closing::Cancel => (WaveState::Cancelled, Reason::of(ReasonCode::Operator)),
        };
        self.drop_hook(wave);
        self.abandon_unasked(wave, &reason);
        if self.wave(wave).has_launch_in_flight() {
            return;
        }
        self.lift_wave_holds(wave);
        self.skip_pending_servers(wave, &reason);
        self.move_wave(wave, to, reason);
    }

    /// Nobody is waited for any more.
    pub(super) fn lift_all(&mut self) -> Vec<HoldCause> {
        let causes: Vec<HoldCause> = self.next.holds.iter().map(|hold| hold.cause).collect();
        for &cause in &causes {
            self.lift(cause);
        }
        causes
    }

    pub(super) fn lift_wave_holds(&mut self, wave: WaveIx) {
        self.lift(HoldCause::Planned(wave));
        self.lift(HoldCause::Approval(wave));
        self.lift(HoldCause::WaveFailed(wave));
        self.lift(HoldCause::Hook(wave));
    }

    /// The answer of a running hook is not wanted any more.
    pub(super) fn drop_hook(&mut self, wave: WaveIx) {
        if running_hook(&self.next, wave).is_some() {
            self.emit(Change::HookEnded {
                wave,
                outcome: HookOutcome::Dropped,
                message: Arc::from(""),
                evidence: Arc::default(),
            });
        }
    }

    /// Gives up launches that DRS has not taken and that nobody is asking it
    /// for, and their servers.
    pub(super) fn abandon_unasked(&mut self, wave: WaveIx, reason: &Reason) {
        for (launch, servers) in self.unasked(wave) {
            self.move_launch(wave, launch, LaunchState::Abandoned, reason.clone());
            for server in servers {
                if !self.wave(wave).servers[server.index()].state.is_settled() {
                    self.move_server(wave, server, ServerState::Skipped, None, reason.clone());
                }
            }
        }
    }

    /// Launches that DRS surely has no job for, and that wait to be asked
    /// for, with their servers.
    pub(super) fn unasked(&self, wave: WaveIx) -> Vec<(LaunchIx, Vec<ServerIx>)> {
        let waits = |launch: &Launch| {
            let state = &launch.state;
            matches!(
                state,
                LaunchState::Queued { .. } | LaunchState::Deferred { .. }
            )
        };
        self.wave(wave)
            .numbered_launches()
            .filter(|(_, launch)| waits(launch))
            .map(|(ix, launch)| (ix, launch.servers.clone()))
            .collect()
    }
}

/// The command of the wave's running hook.
pub(super) fn running_hook(execution: &Execution, wave: WaveIx) -> Option<CommandId> {
    match execution.wave(wave).stage {
        Stage::Hook(step) => match step.status {
            HookStatus::Running { attempt } => Some(CommandId::Hook {
                wave,
                phase: step.phase,
                hook: step.hook,
                attempt,
            }),
            HookStatus::Wanted | HookStatus::Delayed { .. } | HookStatus::Held => None,
        },
        Stage::Idle | Stage::Selecting | Stage::Attempt | Stage::Backoff { .. } => None,
    }
}
