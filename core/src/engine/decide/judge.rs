//! Judging a wave when every server has settled, and ending the execution.

use alloc::{format, string::String, vec::Vec};

use super::{
    super::{
        Change, Closing, ExecutionState, HoldCause, HookOutcome, Reason, ReasonCode, ServerRun,
        ServerState, Stage, WaveState,
    },
    Decision,
};
use crate::WaveIx;

impl Decision {
    /// Judges a wave whose launches are over. A failed server never hides its
    /// siblings: nothing is judged before all have settled.
    pub(super) fn judge(&mut self, wave: WaveIx) {
        let (failed, required) = self.failures(wave);
        let plan = self.next.plan().wave(wave);
        let (tolerance, retry) = (plan.tolerance, plan.retry);
        if required <= tolerance {
            self.move_wave(wave, WaveState::Verifying, Reason::none());
            return;
        }
        let total = self.wave(wave).servers.len();
        let reason = Reason::with(
            ReasonCode::ServersFailed,
            format!("{failed} of {total} failed, {tolerance} tolerated"),
        );
        let retries = self.wave(wave).auto_retries;
        if retries < retry.limit {
            let at = self.now + retry.backoff.doubled(retries, retry.max_backoff);
            self.move_wave(wave, WaveState::Launching, reason);
            self.emit(Change::RetryScheduled { wave, at });
        } else {
            self.fail(wave, reason);
        }
    }

    /// How many servers failed, and how many of them were required.
    fn failures(&self, wave: WaveIx) -> (u32, u32) {
        let failed = |run: &&ServerRun| run.state == ServerState::Failed;
        let servers = self.wave(wave).servers.iter().filter(failed);
        servers.fold((0, 0), |(all, required), run| {
            (all + 1, required + u32::from(!run.selected.optional))
        })
    }

    /// Every check passed, or its failure is waived.
    pub(super) fn succeed(&mut self, wave: WaveIx) {
        let (failed, _) = self.failures(wave);
        let failed = (failed > 0).then(|| format!("{failed} failed"));
        let tolerated: Vec<String> = failed.into_iter().chain(self.waivers(wave)).collect();
        let warned = self
            .wave(wave)
            .servers
            .iter()
            .any(|run| !run.warnings.is_empty());
        if tolerated.is_empty() && !warned {
            self.move_wave(wave, WaveState::Succeeded, Reason::none());
        } else {
            let reason = Reason::with(ReasonCode::Tolerated, tolerated.join(", "));
            self.move_wave(wave, WaveState::SucceededWithWarnings, reason);
        }
    }

    /// The hooks whose failures the plan waives.
    fn waivers(&self, wave: WaveIx) -> impl Iterator<Item = String> {
        let plan = self.next.plan().wave(wave);
        self.wave(wave).hooks.iter().filter_map(|run| {
            let kind = run.waived()?;
            let name = &plan.hook(run.phase, run.hook)?.hook;
            Some(format!("hook {name} waived ({kind})"))
        })
    }

    /// A wave failed; its policy says what that means for the rest.
    pub(super) fn fail(&mut self, wave: WaveIx, reason: Reason) {
        use crate::plan::FailurePolicy;

        self.lift(HoldCause::Hook(wave));
        self.lift(HoldCause::Approval(wave));
        let detail = format!("{reason}");
        self.move_wave(wave, WaveState::Failed, reason);
        if self.next.is_closing(Closing::Timeout) {
            return;
        }
        let not_reached = Reason::of(ReasonCode::NotReached);
        match self.next.plan().wave(wave).on_failure {
            FailurePolicy::Pause => self.hold(HoldCause::WaveFailed(wave), detail.into()),
            FailurePolicy::Continue => self.skip_pending_servers(wave, &not_reached),
            FailurePolicy::Stop => {
                self.skip_pending_servers(wave, &not_reached);
                let name = &self.next.plan().wave(wave).name;
                let why = Reason::with(ReasonCode::ServersFailed, format!("wave {name}: {detail}"));
                self.close(Closing::Stop, why);
            }
        }
    }

    /// The execution's own state, from what its waves and holds are.
    pub(super) fn settle_execution(&mut self) {
        let undecided = self
            .next
            .holds
            .iter()
            .any(|hold| matches!(hold.cause, HoldCause::WaveFailed(_)));
        if self.next.unsettled == 0 && self.next.active.is_empty() && !undecided {
            self.lift_all();
            let (to, reason) = self.verdict();
            self.move_execution(to, reason);
            return;
        }
        if self.next.is_closing(Closing::Cancel) {
            return;
        }
        if !self.next.is_held() {
            self.move_execution(ExecutionState::Running, Reason::none());
        } else if self.next.has_in_flight() {
            self.move_execution(ExecutionState::Pausing, self.hold_reason());
        } else {
            self.move_execution(ExecutionState::Paused, self.hold_reason());
        }
    }

    fn hold_reason(&self) -> Reason {
        let first = self.next.holds.first();
        let text = first.map_or("", |hold| &*hold.detail);
        let code = match first.map(|hold| hold.cause) {
            None => ReasonCode::None,
            Some(HoldCause::Operator) => ReasonCode::Operator,
            Some(HoldCause::Planned(_)) => ReasonCode::Planned,
            Some(HoldCause::Approval(_)) => ReasonCode::NoTrace,
            Some(HoldCause::WaveFailed(_)) => ReasonCode::ServersFailed,
            Some(HoldCause::Hook(wave)) if self.hook_gave_no_verdict(wave) => {
                ReasonCode::HookFailed
            }
            Some(HoldCause::Hook(_)) => ReasonCode::Hook,
        };
        Reason::with(code, text)
    }

    /// Whether what the wave waits for a person about is a failure of the
    /// hook itself.
    fn hook_gave_no_verdict(&self, wave: WaveIx) -> bool {
        let Stage::Hook(step) = self.wave(wave).stage else {
            return false;
        };
        let run = self.wave(wave).hook_run(step.phase, step.hook);
        let outcome = run.and_then(|run| run.outcome);
        matches!(outcome, Some(HookOutcome::Failed { .. }))
    }

    fn verdict(&self) -> (ExecutionState, Reason) {
        let states: Vec<WaveState> = self.next.waves().map(|run| run.state).collect();
        match self.next.closing() {
            Some((Closing::Cancel, reason)) => return (ExecutionState::Cancelled, reason.clone()),
            Some((Closing::Timeout | Closing::Stop, reason)) => {
                return (ExecutionState::Failed, reason.clone());
            }
            None => {}
        }
        if states.contains(&WaveState::Failed) {
            (
                ExecutionState::Failed,
                Reason::of(ReasonCode::ServersFailed),
            )
        } else if states.iter().all(|state| *state == WaveState::Succeeded) {
            (ExecutionState::Succeeded, Reason::none())
        } else {
            (
                ExecutionState::SucceededWithWarnings,
                Reason::of(ReasonCode::Tolerated),
            )
        }
    }
}
