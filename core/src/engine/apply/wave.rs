//! Folding what concerns one wave alone: its hooks, launches and servers.

use alloc::{sync::Arc, vec};

use super::super::{
    HookEvidence, HookOutcome, HookRun, HookStatus, HookStep, Launch, LaunchState, Reason,
    SelectedServer, ServerRun, ServerState, Stage, WaveRun,
};
use crate::{
    HookIx, InstanceId, LaunchIx, ServerIx, Timestamp,
    plan::{HookPhase, Target},
};

impl ServerRun {
    fn new(selected: SelectedServer, at: Timestamp) -> Self {
        Self {
            instance: selected.instance.clone(),
            selected,
            state: ServerState::Pending,
            reason: Reason::none(),
            launch: None,
            warnings: vec![],
            state_at: at,
        }
    }

    pub(super) fn apply_moved(
        &mut self,
        to: ServerState,
        instance: Option<&InstanceId>,
        reason: &Reason,
        at: Timestamp,
    ) {
        self.state = to;
        self.state_at = at;
        self.reason = reason.clone();
        if let Some(instance) = instance {
            self.instance = Some(instance.clone());
        }
    }
}

impl WaveRun {
    pub(super) fn apply_selected(&mut self, servers: &[SelectedServer], at: Timestamp) {
        self.stage = Stage::Idle;
        self.selected = true;
        let servers = servers.iter().cloned();
        self.servers = servers.map(|server| ServerRun::new(server, at)).collect();
    }

    pub(super) fn apply_attempt(&mut self, attempt: u32) {
        self.attempt = attempt;
        self.stage = Stage::Attempt;
    }

    pub(super) fn apply_retry(&mut self, at: Timestamp) {
        self.auto_retries += 1;
        self.stage = Stage::Backoff { at };
    }

    pub(super) fn apply_hook_started(
        &mut self,
        phase: HookPhase,
        hook: HookIx,
        attempt: u32,
        at: Timestamp,
    ) {
        let phase_step = match self.stage {
            Stage::Hook(step) if step.phase == phase => Some(step),
            Stage::Hook(_)
            | Stage::Idle
            | Stage::Selecting
            | Stage::Attempt
            | Stage::Backoff { .. } => None,
        };
        let hook_step = phase_step.filter(|step| step.hook == hook);
        self.stage = Stage::Hook(HookStep {
            phase,
            hook,
            status: HookStatus::Running { attempt },
            since: hook_step.and_then(|step| step.since).or(Some(at)),
            retries: hook_step.map_or(0, |step| step.retries),
            gate_since: phase_step.and_then(|step| step.gate_since).or(Some(at)),
        });
        self.hooks
            .retain(|run| (run.phase, run.hook) != (phase, hook));
        self.hooks.push(HookRun {
            phase,
            hook,
            attempt,
            outcome: None,
            message: Arc::from(""),
            findings: Arc::default(),
            finding_count: 0,
            fuel: 0,
            peak_memory: 0,
            probes: 0,
            started_at: at,
            ended_at: None,
        });
    }

    pub(super) fn apply_hook_ended(
        &mut self,
        outcome: HookOutcome,
        message: &Arc<str>,
        evidence: &HookEvidence,
        at: Timestamp,
    ) {
        let Stage::Hook(mut step) = self.stage else {
            return;
        };
        let running = (step.phase, step.hook);
        for run in self
            .hooks
            .iter_mut()
            .filter(|run| (run.phase, run.hook) == running)
        {
            run.outcome = Some(outcome);
            run.message = Arc::clone(message);
            run.findings = evidence.worst();
            run.finding_count = evidence.finding_count();
            run.fuel = evidence.fuel;
            run.peak_memory = evidence.peak_memory;
            run.probes = evidence.probes;
            run.ended_at = Some(at);
        }
        step.status = match outcome {
            HookOutcome::Proceed | HookOutcome::Waived { .. } => {
                step.hook = HookIx(step.hook.0.saturating_add(1));
                step.since = None;
                step.retries = 0;
                HookStatus::Wanted
            }
            HookOutcome::Retry { at } => {
                step.retries += 1;
                HookStatus::Delayed { until: at }
            }
            HookOutcome::Hold | HookOutcome::Failed { .. } => {
                // A person decides: time and retries count anew.
                step.since = None;
                step.gate_since = None;
                step.retries = 0;
                HookStatus::Held
            }
            HookOutcome::Skip | HookOutcome::Abort | HookOutcome::Dropped => HookStatus::Held,
        };
        self.stage = Stage::Hook(step);
    }

    /// Time on hold counts neither against a hook's timeout nor against that
    /// of its phase.
    pub(super) fn pass_over_hold(&mut self, from: Timestamp, to: Timestamp) {
        if let Stage::Hook(step) = &mut self.stage {
            let moved = |since: Timestamp| since + to.since(since.max(from));
            step.since = step.since.map(moved);
            step.gate_since = step.gate_since.map(moved);
        }
    }

    pub(super) fn apply_launch(
        &mut self,
        state: LaunchState,
        target: &Arc<Target>,
        servers: &[ServerIx],
        at: Timestamp,
    ) {
        let launch = u16::try_from(self.launches.len()).unwrap_or(u16::MAX);
        self.launches.push(Launch {
            attempt: self.attempt,
            target: Arc::clone(target),
            servers: servers.to_vec(),
            state,
            reason: Reason::none(),
            intended_at: at,
            state_at: at,
        });
        for server in servers {
            if let Some(server) = self.servers.get_mut(server.index()) {
                server.launch = Some(LaunchIx(launch));
            }
        }
    }
}
