//! Running hooks, one after the other.
//!
//! Three bounds keep a phase from going on for ever: how often a hook is
//! asked, how long it is asked, and how long all hooks of the phase may take
//! together. Where one of them is reached the hook has failed as
//! [`HookFailureKind::Timeout`], whichever it is: which one comes first
//! depends on how fast the hook answers, and what it means must not.

use alloc::{format, string::String, sync::Arc};

use super::{
    super::{
        Change, Closing, CommandId, FAILURE_DELAY, HoldCause, HookAnswer, HookEvidence,
        HookOutcome, HookStatus, HookStep, HookVerdict, Kind, RETRY_FLOOR, Reason, ReasonCode,
        Stage, WaveState,
    },
    Decision,
    closing::running_hook,
};
use crate::{
    HookIx, Timestamp, WaveIx,
    plan::{HookFailure, HookFailureKind, HookPhase, HookUse},
};

/// What a hook said beside its verdict.
#[derive(Clone)]
struct Said {
    message: Arc<str>,
    evidence: Arc<HookEvidence>,
}

impl Decision {
    pub(super) fn step_hook(&mut self, wave: WaveIx, step: HookStep) {
        let due = match step.status {
            HookStatus::Wanted => true,
            HookStatus::Delayed { until } => until <= self.now,
            HookStatus::Held => !self.next.has_hold(HoldCause::Hook(wave)),
            HookStatus::Running { .. } => return self.close_gate(wave),
        };
        if due {
            self.next_hook(wave, step.phase, step.hook);
        }
    }

    /// Runs this hook, or goes on if the list is through.
    pub(super) fn next_hook(&mut self, wave: WaveIx, phase: HookPhase, hook: HookIx) {
        if !self.has_hook(wave, phase, hook) {
            match phase {
                HookPhase::PreWave => self.move_wave(wave, WaveState::Launching, Reason::none()),
                HookPhase::PostWave => self.succeed(wave),
            }
            return;
        }
        let before = self.wave(wave).hook_run(phase, hook);
        let attempt = before.map_or(0, |run| run.attempt) + 1;
        self.emit(Change::HookStarted {
            wave,
            phase,
            hook,
            attempt,
        });
    }

    /// A cleanup has no hooks: the plan's are about servers that come up.
    pub(super) fn has_hook(&self, wave: WaveIx, phase: HookPhase, hook: HookIx) -> bool {
        let planned = self.next.plan().wave(wave).hook(phase, hook);
        planned.is_some() && self.next.kind() != Kind::Cleanup
    }

    pub(super) fn hook_answered(&mut self, command: CommandId, answer: HookAnswer) {
        let wave = command.wave();
        if self.known(wave).is_none() || running_hook(&self.next, wave) != Some(command) {
            return;
        }
        let HookAnswer {
            verdict,
            message,
            evidence,
        } = answer;
        let said = Said { message, evidence };
        match verdict {
            HookVerdict::Proceed => self.end_hook(wave, HookOutcome::Proceed, said),
            HookVerdict::Retry { after } => {
                self.hook_retry(wave, self.now + after.max(RETRY_FLOOR), said);
            }
            HookVerdict::Hold => {
                self.end_hook(wave, HookOutcome::Hold, said.clone());
                self.hold_for_hook(wave, said.message);
            }
            HookVerdict::Skip => self.hook_skip(wave, said),
            HookVerdict::Abort => {
                self.end_hook(wave, HookOutcome::Abort, said.clone());
                self.fail(wave, Reason::with(ReasonCode::Hook, said.message));
            }
            HookVerdict::Failed { kind } => self.hook_failed(wave, kind, said),
        }
    }

    fn hook_retry(&mut self, wave: WaveIx, at: Timestamp, said: Said) {
        match self.may_ask_again(wave, at) {
            Ok(()) => self.end_hook(wave, HookOutcome::Retry { at }, said),
            Err(why) => {
                let said = said.with(&format!("no verdict {why}"));
                self.hook_has_failed(wave, HookFailureKind::Timeout, said);
            }
        }
    }

    fn hook_skip(&mut self, wave: WaveIx, said: Said) {
        if self.wave(wave).state != WaveState::Checking {
            let said = said.with("a wave cannot be skipped after its launch");
            return self.hook_failed(wave, HookFailureKind::BadOutput, said);
        }
        self.end_hook(wave, HookOutcome::Skip, said.clone());
        let reason = Reason::with(ReasonCode::Hook, said.message);
        self.skip_pending_servers(wave, &reason);
        self.move_wave(wave, WaveState::Skipped, reason);
    }

    /// The time of all hooks of the phase is over: the one that runs has
    /// failed, and so has each after it that is still to be run.
    fn close_gate(&mut self, wave: WaveIx) {
        if self.next.gate_deadline(wave).is_none_or(|at| at > self.now) {
            return;
        }
        let gate = self.next.plan().wave(wave).gate_timeout;
        let message = format!("the hooks of this phase may take {gate} together, which is over");
        let said = Said {
            message: message.into(),
            evidence: Arc::default(),
        };
        self.hook_has_failed(wave, HookFailureKind::Timeout, said);
    }

    /// A failure of the hook itself is never *proceed*.
    fn hook_failed(&mut self, wave: WaveIx, kind: HookFailureKind, said: Said) {
        let Some((hook, _)) = self.hook_at(wave) else {
            return;
        };
        if hook.on_failure.answer(kind) != HookFailure::Retry {
            return self.hook_has_failed(wave, kind, said);
        }
        let at = self.now + FAILURE_DELAY;
        match self.may_ask_again(wave, at) {
            Ok(()) => {
                let said = said.with(&format!("failed ({kind}), to be asked again"));
                self.end_hook(wave, HookOutcome::Retry { at }, said);
            }
            Err(why) => self.hook_has_failed(wave, kind, said.with(&format!("no verdict {why}"))),
        }
    }

    /// It is not asked again by itself.
    fn hook_has_failed(&mut self, wave: WaveIx, kind: HookFailureKind, said: Said) {
        let Some((hook, _)) = self.hook_at(wave) else {
            return;
        };
        let answer = hook.on_failure.last_answer(kind);
        let text = told(&format!("{} ({kind})", hook.hook), &said.message);
        if answer == HookFailure::Waive {
            return self.end_hook(wave, HookOutcome::Waived { kind }, said);
        }
        self.end_hook(wave, HookOutcome::Failed { kind }, said);
        if answer == HookFailure::Abort {
            self.fail(wave, Reason::with(ReasonCode::HookFailed, text));
        } else {
            self.hold_for_hook(wave, text.into());
        }
    }

    /// Whether the wave's hook may be asked again at this instant; if not,
    /// which bound is reached.
    fn may_ask_again(&self, wave: WaveIx, at: Timestamp) -> Result<(), String> {
        let Some((hook, step)) = self.hook_at(wave) else {
            return Ok(());
        };
        let gate = self.next.plan().wave(wave).gate_timeout;
        let begun = step.since.map(|since| self.pass_over_hold(since));
        let gate_begun = step.gate_since.map(|since| self.pass_over_hold(since));
        if step.retries >= hook.retries {
            Err(format!("after {} retries", hook.retries))
        } else if begun.is_some_and(|begun| at > begun + hook.timeout) {
            Err(format!("within {}", hook.timeout))
        } else if gate_begun.is_some_and(|begun| at >= begun + gate) {
            Err(format!("within the {gate} of all hooks of this phase"))
        } else {
            Ok(())
        }
    }

    /// When a time began that does not count on hold, as though the hold
    /// ended now.
    fn pass_over_hold(&self, since: Timestamp) -> Timestamp {
        match self.next.held_since {
            Some(held) => since + self.now.since(since.max(held)),
            None => since,
        }
    }

    /// The hook that a wave is at, and where it stands.
    fn hook_at(&self, wave: WaveIx) -> Option<(&HookUse, HookStep)> {
        let Stage::Hook(step) = self.wave(wave).stage else {
            return None;
        };
        let hook = self.next.plan().wave(wave).hook(step.phase, step.hook)?;
        Some((hook, step))
    }

    fn hold_for_hook(&mut self, wave: WaveIx, detail: Arc<str>) {
        if !self.next.is_closing(Closing::Timeout) {
            self.hold(HoldCause::Hook(wave), detail);
        }
    }

    fn end_hook(&mut self, wave: WaveIx, outcome: HookOutcome, said: Said) {
        self.emit(Change::HookEnded {
            wave,
            outcome,
            message: said.message,
            evidence: said.evidence,
        });
    }
}

impl Said {
    /// The same with what the engine has to say about it.
    fn with(self, remark: &str) -> Self {
        Self {
            message: told(remark, &self.message).into(),
            evidence: self.evidence,
        }
    }
}

fn told(remark: &str, message: &str) -> String {
    if message.is_empty() {
        String::from(remark)
    } else {
        format!("{remark}: {message}")
    }
}
