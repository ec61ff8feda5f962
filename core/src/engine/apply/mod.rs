//! Folding changes: the one door through which state changes.
//!
//! Nothing here decides. A change that does not fit the state (see
//! [`Execution::fits`]; this engine decides none) may leave it as it is.

mod wave;

use alloc::{sync::Arc, vec};

use super::{
    Change, Execution, ExecutionState, Hold, HoldCause, LaunchState, Reason, ServerRun, Stage,
    WaveRun, WaveState,
};
use crate::{LaunchIx, OwnerId, ServerIx, Span, Timestamp, WaveIx, plan::FailurePolicy};

/// How a launch begins, that waits for its turn and that does not.
const QUEUED: LaunchState = LaunchState::Queued { attempt: 1 };
const ASKING: LaunchState = LaunchState::Asking { attempt: 1 };

impl Execution {
    /// Folds one change that was recorded at `at`. Cannot fail.
    pub fn apply(&mut self, change: &Change, at: Timestamp) {
        self.changes += 1;
        match change {
            Change::ExecutionMoved { to, reason } => self.apply_moved(*to, reason, at),
            Change::OwnerChanged { epoch, owner } => self.apply_owner(*epoch, owner),
            Change::Closing { to, reason } => self.closing = Some((*to, reason.clone())),
            Change::HoldPlaced(hold) => self.apply_hold_placed(hold, at),
            Change::HoldLifted(hold) => self.apply_hold_lifted(hold.cause, at),
            Change::WaveMoved { wave, to, reason } => self.apply_wave_moved(*wave, *to, reason, at),
            Change::GateOpened { wave } => self.edit(*wave, |run| run.gate_open = true),
            Change::SelectionStarted { wave } => {
                self.edit(*wave, |run| run.stage = Stage::Selecting)
            }
            Change::ServersSelected { wave, servers } => {
                self.edit(*wave, |run| run.apply_selected(servers, at));
            }
            Change::HookStarted {
                wave,
                phase,
                hook,
                attempt,
            } => self.edit(*wave, |run| {
                run.apply_hook_started(*phase, *hook, *attempt, at)
            }),
            Change::HookEnded {
                wave,
                outcome,
                message,
                evidence,
            } => self.edit(*wave, |run| {
                run.apply_hook_ended(*outcome, message, evidence, at);
            }),
            Change::AttemptStarted { wave, attempt } => {
                self.edit(*wave, |run| run.apply_attempt(*attempt));
            }
            Change::RetryScheduled { wave, at } => self.edit(*wave, |run| run.apply_retry(*at)),
            Change::LaunchQueued {
                wave,
                target,
                servers,
            } => self.edit(*wave, |run| run.apply_launch(QUEUED, target, servers, at)),
            Change::LaunchIntended {
                wave,
                target,
                servers,
            } => self.edit(*wave, |run| run.apply_launch(ASKING, target, servers, at)),
            Change::LaunchMoved {
                wave,
                launch,
                to,
                reason,
            } => self.apply_launch_moved(*wave, *launch, to, reason, at),
            Change::ServerMoved {
                wave,
                server,
                to,
                instance,
                reason,
            } => self.edit_server(*wave, *server, |run| {
                run.apply_moved(*to, instance.as_ref(), reason, at);
            }),
            Change::ServerWarned {
                wave,
                server,
                warning,
            } => self.edit_server(*wave, *server, |run| run.warnings.push(Arc::clone(warning))),
        }
    }

    fn apply_hold_placed(&mut self, hold: &Hold, at: Timestamp) {
        self.held_since.get_or_insert(at);
        self.holds.push(hold.clone());
    }

    fn apply_owner(&mut self, epoch: u64, owner: &OwnerId) {
        self.epoch = epoch;
        self.owner = Some(owner.clone());
    }

    fn edit(&mut self, wave: WaveIx, change: impl FnOnce(&mut WaveRun)) {
        if let Some(run) = self.waves.get_mut(wave.index()) {
            change(Arc::make_mut(run));
        }
    }

    fn edit_server(&mut self, wave: WaveIx, server: ServerIx, change: impl FnOnce(&mut ServerRun)) {
        self.edit(wave, |run| {
            if let Some(server) = run.servers.get_mut(server.index()) {
                change(server);
            }
        });
    }

    fn apply_moved(&mut self, to: ExecutionState, reason: &Reason, at: Timestamp) {
        if self.state == ExecutionState::Pending {
            self.started_at = Some(at);
            // No timeout ran before, so no hold counts from before.
            self.held = Span::ZERO;
            self.held_since = self.held_since.map(|_| at);
        }
        if to.is_terminal() {
            self.ended_at = Some(at);
        }
        self.state = to;
        self.reason = reason.clone();
    }

    fn apply_hold_lifted(&mut self, cause: HoldCause, at: Timestamp) {
        self.holds.retain(|hold| hold.cause != cause);
        if self.holds.is_empty()
            && let Some(since) = self.held_since.take()
        {
            self.held = self.held.saturating_add(at.since(since));
            for wave in self.active.clone() {
                if matches!(self.wave(wave).stage, Stage::Hook(_)) {
                    self.edit(wave, |run| run.pass_over_hold(since, at));
                }
            }
        }
    }

    fn apply_wave_moved(&mut self, wave: WaveIx, to: WaveState, reason: &Reason, at: Timestamp) {
        let held = self.held(at);
        let Some(run) = self.waves.get(wave.index()) else {
            return;
        };
        let (from, reached) = (run.state, run.blocked_by == 0);
        self.edit(wave, |run| {
            run.state = to;
            run.reason = reason.clone();
            run.stage = Stage::Idle;
            run.ended_at = to.is_settled().then_some(at);
            if from == WaveState::Waiting && !to.is_settled() {
                run.started_at = Some(at);
                run.held_at_start = held;
            }
            if from.is_settled() && !to.is_settled() {
                // A person decided: time and automatic retries count anew.
                run.started_at = Some(at);
                run.held_at_start = held;
                run.auto_retries = 0;
            }
        });
        match (from.is_settled(), to.is_settled()) {
            (false, true) => self.unsettled = self.unsettled.saturating_sub(1),
            (true, false) => self.unsettled += 1,
            (true, true) | (false, false) => {}
        }
        if reached && self.releases(wave, to) && !self.releases(wave, from) {
            self.release_dependents(wave);
        }
        self.refresh_active(wave);
    }

    /// Whether waves that wait for this one may start when it is in `state`.
    fn releases(&self, wave: WaveIx, state: WaveState) -> bool {
        let continues = self.plan().wave(wave).on_failure == FailurePolicy::Continue;
        state.satisfies() || (state == WaveState::Failed && continues)
    }

    /// A wave that was skipped while it still waited releases its own
    /// dependents only now: they wait for what it waited for.
    fn release_dependents(&mut self, wave: WaveIx) {
        let plan = Arc::clone(&self.genesis.plan);
        let mut released = vec![wave];
        while let Some(wave) = released.pop() {
            for &dependent in &plan.wave(wave).before {
                self.edit(dependent, |run| {
                    run.blocked_by = run.blocked_by.saturating_sub(1);
                });
                let run = self.wave(dependent);
                if run.blocked_by == 0 && run.state == WaveState::Skipped {
                    released.push(dependent);
                }
            }
        }
    }

    fn apply_launch_moved(
        &mut self,
        wave: WaveIx,
        launch: LaunchIx,
        to: &LaunchState,
        reason: &Reason,
        at: Timestamp,
    ) {
        self.edit(wave, |run| {
            if let Some(launch) = run.launches.get_mut(launch.index()) {
                if launch.state == (LaunchState::Queued { attempt: 1 }) {
                    launch.intended_at = at;
                }
                launch.state = to.clone();
                launch.reason = reason.clone();
                launch.state_at = at;
            }
        });
        self.refresh_active(wave);
    }

    fn refresh_active(&mut self, wave: WaveIx) {
        let Some(run) = self.waves.get(wave.index()) else {
            return;
        };
        let under_way = run.state != WaveState::Waiting && !run.state.is_settled();
        if under_way || run.has_launch_in_flight() {
            self.active.insert(wave);
        } else {
            self.active.remove(&wave);
        }
    }
}
