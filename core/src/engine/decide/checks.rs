//! Selecting servers and running hooks.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use super::{
    super::{
        Change, Closing, CommandId, HoldCause, HookAnswer, HookOutcome, HookStatus, HookStep, Kind,
        Reason, ReasonCode, SelectedServer, Stage, WaveState,
    },
    Decision,
    closing::running_hook,
};
use crate::{
    HookIx, SourceServerId, WaveIx,
    plan::{HookFailure, HookPhase, Selection},
};

impl Decision {
    /// Takes the next step of a wave in CHECKING or VERIFYING, if there is
    /// one to take now.
    pub(super) fn step_checks(&mut self, wave: WaveIx, phase: HookPhase) {
        match self.wave(wave).stage {
            Stage::Idle if !self.wave(wave).selected => self.begin_selection(wave),
            Stage::Idle => self.next_hook(wave, phase, HookIx(0)),
            Stage::Hook(step) => self.step_hook(wave, step),
            Stage::Selecting | Stage::Attempt | Stage::Backoff { .. } => {}
        }
    }

    fn step_hook(&mut self, wave: WaveIx, step: HookStep) {
        let due = match step.status {
            HookStatus::Wanted => true,
            HookStatus::Delayed { until } => until <= self.now,
            HookStatus::Held => !self.next.has_hold(HoldCause::Hook(wave)),
            HookStatus::Running { .. } => false,
        };
        if due {
            self.next_hook(wave, step.phase, step.hook);
        }
    }

    /// Runs this hook, or goes on if the list is through.
    fn next_hook(&mut self, wave: WaveIx, phase: HookPhase, hook: HookIx) {
        if !self.has_hook(wave, phase, hook) {
            match phase {
                HookPhase::PreWave => self.move_wave(wave, WaveState::Launching, Reason::none()),
                HookPhase::PostWave => self.succeed(wave),
            }
            return;
        }
        let before = self
            .wave(wave)
            .hooks
            .iter()
            .find(|run| (run.phase, run.hook) == (phase, hook));
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

    /// Servers named by id need no look-up; tags do, and in a cleanup the
    /// instances do.
    fn begin_selection(&mut self, wave: WaveIx) {
        let plan = self.next.plan().wave(wave);
        if plan.needs_selection() || self.next.kind() == Kind::Cleanup {
            self.emit(Change::SelectionStarted { wave });
            return;
        }
        let mut servers = Vec::new();
        for group in &plan.groups {
            let target = Arc::new(group.target.clone());
            if let Selection::Servers(named) = &group.selection {
                servers.extend(named.iter().map(|server| SelectedServer {
                    id: server.id.clone(),
                    hostname: Arc::from(""),
                    target: Arc::clone(&target),
                    optional: server.optional,
                    snapshot: server.snapshot.clone(),
                    instance: None,
                }));
            }
        }
        self.emit(Change::ServersSelected { wave, servers });
    }

    pub(super) fn selected(&mut self, wave: WaveIx, answer: Result<Vec<SelectedServer>, String>) {
        if self
            .known(wave)
            .is_none_or(|run| run.stage != Stage::Selecting)
        {
            return;
        }
        match answer.and_then(|servers| self.acceptable(wave, servers)) {
            Ok(servers) => self.emit(Change::ServersSelected { wave, servers }),
            Err(why) => self.fail(wave, Reason::with(ReasonCode::Selection, why)),
        }
    }

    /// A selection is used as a whole or not at all.
    fn acceptable(
        &self,
        wave: WaveIx,
        servers: Vec<SelectedServer>,
    ) -> Result<Vec<SelectedServer>, String> {
        // Where a cleanup finds nothing, nothing is left to terminate.
        if servers.is_empty() && self.next.kind() != Kind::Cleanup {
            return Err("no server matches".to_string());
        }
        let others: usize = self.next.waves().map(|run| run.servers.len()).sum();
        if others + servers.len() > self.next.settings.servers as usize {
            let limit = self.next.settings.servers;
            return Err(format!("more than {limit} servers in one execution"));
        }
        let mut ids: Vec<&SourceServerId> = servers.iter().map(|server| &server.id).collect();
        ids.sort_unstable();
        if let Some(twice) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("{} is selected twice", twice[0]));
        }
        for other in self.wave_positions().filter(|&other| other != wave) {
            if let Some(id) = self
                .servers_of(other)
                .find(|id| ids.binary_search(id).is_ok())
            {
                let name = &self.next.plan().wave(other).name;
                return Err(format!("{id} is already in wave {name}"));
            }
        }
        Ok(servers)
    }

    /// The servers that a wave has, or will have because the plan names them.
    fn servers_of(&self, wave: WaveIx) -> impl Iterator<Item = &SourceServerId> {
        let named = self.next.plan().wave(wave).named_servers();
        let selected = self.wave(wave).servers.iter();
        named.chain(selected.map(|server| &server.selected.id))
    }

    pub(super) fn hook_answered(&mut self, command: CommandId, answer: HookAnswer) {
        let wave = command.wave();
        if self.known(wave).is_none() || running_hook(&self.next, wave) != Some(command) {
            return;
        }
        match answer {
            HookAnswer::Proceed { message } => {
                self.end_hook(wave, HookOutcome::Proceed, message);
            }
            HookAnswer::Retry { after, message } => {
                self.hook_retry(wave, self.now + after, message);
            }
            HookAnswer::Hold { message } => {
                self.end_hook(wave, HookOutcome::Hold, Arc::clone(&message));
                self.hold_for_hook(wave, message);
            }
            HookAnswer::Skip { message } => self.hook_skip(wave, message),
            HookAnswer::Abort { message } => {
                self.end_hook(wave, HookOutcome::Abort, Arc::clone(&message));
                self.fail(wave, Reason::with(ReasonCode::Hook, message));
            }
            HookAnswer::Failed { message } => self.hook_failed(wave, message),
        }
    }

    fn hook_retry(&mut self, wave: WaveIx, at: crate::Timestamp, message: Arc<str>) {
        let Stage::Hook(step) = self.wave(wave).stage else {
            return;
        };
        let plan = self.next.plan().wave(wave);
        let Some(hook) = plan.hook(step.phase, step.hook) else {
            return;
        };
        let (retries, timeout) = (hook.retries, hook.timeout);
        let late = step.since.is_some_and(|since| at > since + timeout);
        if step.retries >= retries {
            self.hook_failed(
                wave,
                format!("no verdict after {retries} retries: {message}").into(),
            );
        } else if late {
            self.hook_failed(
                wave,
                format!("no verdict within its time: {message}").into(),
            );
        } else {
            self.end_hook(wave, HookOutcome::Retry { at }, message);
        }
    }

    fn hook_skip(&mut self, wave: WaveIx, message: Arc<str>) {
        if self.wave(wave).state != WaveState::Checking {
            self.hook_failed(wave, "a wave cannot be skipped after its launch".into());
            return;
        }
        self.end_hook(wave, HookOutcome::Skip, Arc::clone(&message));
        let reason = Reason::with(ReasonCode::Hook, message);
        self.skip_pending_servers(wave, &reason);
        self.move_wave(wave, WaveState::Skipped, reason);
    }

    /// A failure of the hook itself is never *proceed*.
    fn hook_failed(&mut self, wave: WaveIx, message: Arc<str>) {
        let policy = match self.wave(wave).stage {
            Stage::Hook(step) => self
                .next
                .plan()
                .wave(wave)
                .hook(step.phase, step.hook)
                .map_or(HookFailure::Hold, |hook| hook.on_failure),
            Stage::Idle | Stage::Selecting | Stage::Attempt | Stage::Backoff { .. } => return,
        };
        self.end_hook(wave, HookOutcome::Failed, Arc::clone(&message));
        match policy {
            HookFailure::Hold => self.hold_for_hook(wave, message),
            HookFailure::Abort => self.fail(wave, Reason::with(ReasonCode::HookFailed, message)),
        }
    }

    fn hold_for_hook(&mut self, wave: WaveIx, message: Arc<str>) {
        if !self.next.is_closing(Closing::Timeout) {
            self.hold(HoldCause::Hook(wave), message);
        }
    }

    fn end_hook(&mut self, wave: WaveIx, outcome: HookOutcome, message: Arc<str>) {
        self.emit(Change::HookEnded {
            wave,
            outcome,
            message,
        });
    }
}
