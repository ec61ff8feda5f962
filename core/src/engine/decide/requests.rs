//! What people ask for.

use alloc::{sync::Arc, vec::Vec};

use super::{
    super::{
        Action, Change, Closing, ExecutionState, HoldCause, LaunchState, Reason, ReasonCode,
        Rejection, Request, ServerState, WaveState, Why, actions::is_liftable,
    },
    Decision,
};
use crate::{OwnerId, WaveIx};

impl Decision {
    pub(super) fn start(&mut self) -> Result<(), Rejection> {
        if self.next.state != ExecutionState::Pending {
            return self.refuse(Request::Start, Why::Begun);
        }
        self.move_execution(ExecutionState::Running, Reason::none());
        Ok(())
    }

    pub(super) fn pause(&mut self, comment: Arc<str>) -> Result<(), Rejection> {
        if !self.next.allows(Action::Pause) {
            return self.refuse(Request::Pause, self.why_or(Why::AlreadyPaused));
        }
        self.hold(HoldCause::Operator, comment);
        Ok(())
    }

    pub(super) fn resume(&mut self) -> Result<(), Rejection> {
        if !self.next.allows(Action::Resume) {
            let why = if self.next.is_held() {
                Why::WaveUndecided
            } else {
                Why::NothingToResume
            };
            return self.refuse(Request::Resume, self.why_or(why));
        }
        let causes: Vec<HoldCause> = self.next.holds.iter().map(|hold| hold.cause).collect();
        for cause in causes.into_iter().filter(|&cause| is_liftable(cause)) {
            self.lift(cause);
            match cause {
                HoldCause::Planned(wave) => self.emit(Change::GateOpened { wave }),
                HoldCause::Approval(wave) => self.ask_again(wave),
                HoldCause::Operator | HoldCause::Hook(_) | HoldCause::WaveFailed(_) => {}
            }
        }
        Ok(())
    }

    pub(super) fn cancel(&mut self, comment: Arc<str>) -> Result<(), Rejection> {
        if !self.next.allows(Action::Cancel) {
            return self.refuse(Request::Cancel, self.why_or(Why::Ending));
        }
        let reason = Reason::with(ReasonCode::Operator, comment);
        self.close(Closing::Cancel, reason.clone());
        self.move_execution(ExecutionState::Cancelling, reason);
        Ok(())
    }

    pub(super) fn retry_wave(&mut self, wave: WaveIx) -> Result<(), Rejection> {
        if self.known(wave).is_none() || !self.next.allows(Action::RetryWave(wave)) {
            let held = self.next.has_hold(HoldCause::WaveFailed(wave));
            let why = if held {
                Why::JobRuns
            } else {
                Why::WaveNotFailed
            };
            return self.refuse(Request::RetryWave, self.why_or(why));
        }
        self.lift(HoldCause::WaveFailed(wave));
        self.move_wave(
            wave,
            self.retried_state(wave),
            Reason::of(ReasonCode::Operator),
        );
        Ok(())
    }

    /// Where a failed wave goes on: at its checks if it was never launched,
    /// at the launch if servers failed, else at the checks after it.
    fn retried_state(&self, wave: WaveIx) -> WaveState {
        let to_launch = [ServerState::Pending, ServerState::Failed];
        if self.wave(wave).attempt == 0 {
            WaveState::Checking
        } else if self.servers_in(wave, &to_launch).is_empty() {
            WaveState::Verifying
        } else {
            WaveState::Launching
        }
    }

    pub(super) fn skip_wave(&mut self, wave: WaveIx) -> Result<(), Rejection> {
        if self.known(wave).is_none() || !self.next.allows(Action::SkipWave(wave)) {
            return self.refuse(Request::SkipWave, self.why_or(Why::WavePastSkipping));
        }
        let reason = Reason::of(ReasonCode::Operator);
        self.lift_wave_holds(wave);
        self.abandon_unasked(wave, &reason);
        self.drop_hook(wave);
        self.skip_pending_servers(wave, &reason);
        self.move_wave(wave, WaveState::Skipped, reason);
        Ok(())
    }

    /// Another process took over: what the one before asked of DRS, and whose
    /// answer it did not record, is unknown. Hooks and look-ups are simply
    /// wanted again, under the same ids.
    pub(super) fn owner_changed(&mut self, owner: OwnerId) {
        if self.next.state.is_terminal() {
            return;
        }
        let epoch = self.next.epoch + 1;
        self.emit(Change::OwnerChanged { epoch, owner });
        let asking: Vec<_> = self
            .next
            .active
            .iter()
            .flat_map(|&wave| {
                let launches = self.wave(wave).numbered_launches();
                launches.filter_map(move |(ix, launch)| match launch.state {
                    LaunchState::Asking { attempt } => Some((wave, ix, attempt)),
                    LaunchState::Queued { .. }
                    | LaunchState::Reconciling { .. }
                    | LaunchState::Deferred { .. }
                    | LaunchState::Running { .. }
                    | LaunchState::Ended { .. }
                    | LaunchState::Refused
                    | LaunchState::Abandoned => None,
                })
            })
            .collect();
        for (wave, launch, attempt) in asking {
            let reason = Reason::of(ReasonCode::OwnerLost);
            self.move_launch(wave, launch, LaunchState::Reconciling { attempt }, reason);
        }
    }

    fn refuse(&self, request: Request, why: Why) -> Result<(), Rejection> {
        Err(Rejection::new(&self.next, request, why))
    }

    /// The reason that outweighs the request's own.
    fn why_or(&self, why: Why) -> Why {
        if self.next.state.is_terminal() {
            Why::Over
        } else if self.next.is_closing(Closing::Timeout) {
            Why::Ending
        } else {
            why
        }
    }
}
