//! The rules that no interleaving may break, as checks on one state.
//! Property tests and simulations assert them after every step; rules about
//! steps (a terminal state stays, nothing new while held) are asserted there.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::{
    Closing, Execution, ExecutionState, HoldCause, HookOutcome, Kind, Launch, LaunchState,
    ServerState, WaveState,
};
use crate::{
    HookIx, SourceServerId, WaveIx,
    plan::{HookFailure, HookPhase, HookUse},
};

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name.
    pub rule: &'static str,
    /// What was found.
    pub found: String,
}

impl Execution {
    /// Every rule that this state breaks; none, unless the engine is wrong.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        self.starts_only_when_satisfied(&mut found);
        self.asks_once_per_attempt(&mut found);
        self.one_live_job_per_server(&mut found);
        self.asks_only_in_turn(&mut found);
        self.judged_when_settled(&mut found);
        self.passed_its_hooks(&mut found);
        self.over_means_over(&mut found);
        self.waits_for_something(&mut found);
        found
    }

    /// A wave starts only when its dependencies are satisfied and its gates
    /// are open.
    fn starts_only_when_satisfied(&self, found: &mut Vec<Violation>) {
        for (plan, run) in self.plan().waves().iter().zip(self.waves()) {
            let begun = run.started_at().is_some() && !run.state.is_settled();
            let gate = !plan.pause_before || run.gate_open || run.state == WaveState::Gated;
            if begun && (run.blocked_by > 0 || !gate) {
                found.push(Violation {
                    rule: "a wave starts only when its dependencies are satisfied and its gates are open",
                    found: format!("{} is {:?}", plan.name, run.state),
                });
            }
        }
    }

    /// One attempt asks for each server at most once.
    fn asks_once_per_attempt(&self, found: &mut Vec<Violation>) {
        for (plan, run) in self.plan().waves().iter().zip(self.waves()) {
            let mut asked = BTreeMap::new();
            // A launch that is abandoned was not taken; it may have been
            // queued again in smaller parts.
            let taken = |launch: &&Launch| launch.state != LaunchState::Abandoned;
            for launch in run.launches.iter().filter(taken) {
                for server in &launch.servers {
                    let times = asked.entry((launch.attempt, *server)).or_insert(0_u32);
                    *times += 1;
                    if *times > 1 {
                        found.push(Violation {
                            rule: "one attempt asks for each server at most once",
                            found: format!(
                                "{} server {} attempt {}",
                                plan.name, server.0, launch.attempt
                            ),
                        });
                    }
                }
            }
        }
    }

    /// A server is never in two live launches of ours.
    fn one_live_job_per_server(&self, found: &mut Vec<Violation>) {
        let mut live: BTreeMap<&SourceServerId, u32> = BTreeMap::new();
        for run in self.waves() {
            for launch in run.launches.iter().filter(|launch| !launch.state.is_over()) {
                for server in &launch.servers {
                    let id = &run.servers[server.index()].selected.id;
                    *live.entry(id).or_default() += 1;
                }
            }
        }
        for (id, _) in live.into_iter().filter(|&(_, times)| times > 1) {
            found.push(Violation {
                rule: "a server is never in two live launches",
                found: format!("{id}"),
            });
        }
    }

    /// DRS was not asked for a launch that still waits for its first turn.
    fn asks_only_in_turn(&self, found: &mut Vec<Violation>) {
        for (plan, run) in self.plan().waves().iter().zip(self.waves()) {
            let waiting = |launch: &&Launch| launch.state == (LaunchState::Queued { attempt: 1 });
            for launch in run.launches.iter().filter(waiting) {
                let open = launch.servers.iter().find(|server| {
                    let state = run.servers[server.index()].state;
                    !matches!(state, ServerState::Pending | ServerState::Failed)
                });
                if run.state.is_settled() || open.is_some() {
                    found.push(Violation {
                        rule: "a queued launch waits in a wave under way, and its servers with it",
                        found: format!("{} is {:?}, {open:?}", plan.name, run.state),
                    });
                }
            }
        }
    }

    /// A wave that succeeded has heard of every server.
    fn judged_when_settled(&self, found: &mut Vec<Violation>) {
        for (plan, run) in self.plan().waves().iter().zip(self.waves()) {
            let judged = matches!(
                run.state,
                WaveState::Verifying | WaveState::Succeeded | WaveState::SucceededWithWarnings
            );
            let open = run.servers.iter().any(|server| !server.state.is_settled());
            if judged && (open || run.has_launch_in_flight()) {
                found.push(Violation {
                    rule: "a wave is judged when every server has settled",
                    found: format!("{} is {:?}", plan.name, run.state),
                });
            }
        }
    }

    /// A hook that failed lets its wave go on only where the plan waives that
    /// kind of failure, and a waiver is shown.
    fn passed_its_hooks(&self, found: &mut Vec<Violation>) {
        if self.kind() == Kind::Cleanup {
            return;
        }
        for (plan, run) in self.plan().waves().iter().zip(self.waves()) {
            let sites = passed_phases(run.state).iter().flat_map(|&phase| {
                let uses = (0..).map(HookIx).zip(plan.hooks(phase));
                uses.map(move |(hook, hook_use)| (run.hook_run(phase, hook), hook_use))
            });
            for (last, hook_use) in sites {
                let outcome = last.and_then(|last| last.outcome);
                if !has_passed(outcome, hook_use) {
                    found.push(Violation {
                        rule: "a failed hook lets its wave go on only where that is waived",
                        found: format!("{} {} {outcome:?}", plan.name, hook_use.hook),
                    });
                }
            }
            let waived = run.hooks.iter().any(|run| run.waived().is_some());
            if waived && run.state == WaveState::Succeeded {
                found.push(Violation {
                    rule: "a waived failure of a hook is shown as a warning",
                    found: format!("{}", plan.name),
                });
            }
        }
    }

    /// A terminal state has nothing left to do.
    fn over_means_over(&self, found: &mut Vec<Violation>) {
        if !self.state.is_terminal() {
            return;
        }
        let open = self.waves().any(|run| !run.state.is_settled());
        if open || !self.outstanding().is_empty() || self.next_deadline().is_some() {
            found.push(Violation {
                rule: "a terminal state has nothing outstanding",
                found: format!("{:?}", self.outstanding()),
            });
        }
    }

    /// Every state that is not terminal waits for something that will come or
    /// for a person who is told.
    fn waits_for_something(&self, found: &mut Vec<Violation>) {
        if self.state.is_terminal() || self.state == ExecutionState::Pending {
            return;
        }
        let person = !self.holds.is_empty();
        let answered = !self.outstanding().is_empty() || self.next_deadline().is_some();
        if !person && !answered {
            found.push(Violation {
                rule: "something outstanding, a deadline, or a person",
                found: format!("{:?} waits for nothing", self.state),
            });
        }
        if self.state == ExecutionState::Paused && !self.only_observes() {
            found.push(Violation {
                rule: "nothing is in flight while paused",
                found: format!("{:?}", self.outstanding()),
            });
        }
        if self.is_closing(Closing::Timeout) && person {
            found.push(Violation {
                rule: "an execution that ends waits for nobody",
                found: format!("{:?}", self.holds),
            });
        }
    }

    /// While paused, the only thing looked at is a launch that waits for
    /// approval.
    fn only_observes(&self) -> bool {
        self.active.iter().all(|&wave: &WaveIx| {
            let approval = self.has_hold(HoldCause::Approval(wave));
            self.wave(wave)
                .launches
                .iter()
                .all(|launch| match launch.state {
                    LaunchState::Asking { .. } | LaunchState::Running { .. } => false,
                    LaunchState::Reconciling { .. } => approval,
                    LaunchState::Queued { .. }
                    | LaunchState::Deferred { .. }
                    | LaunchState::Ended { .. }
                    | LaunchState::Refused
                    | LaunchState::Abandoned => true,
                })
        })
    }
}

/// The phases whose hooks a wave in this state has passed.
fn passed_phases(state: WaveState) -> &'static [HookPhase] {
    match state {
        WaveState::Launching | WaveState::Recovering | WaveState::Verifying => {
            &[HookPhase::PreWave]
        }
        WaveState::Succeeded | WaveState::SucceededWithWarnings => {
            &[HookPhase::PreWave, HookPhase::PostWave]
        }
        WaveState::Waiting
        | WaveState::Gated
        | WaveState::Checking
        | WaveState::Failed
        | WaveState::Skipped
        | WaveState::Cancelled => &[],
    }
}

fn has_passed(outcome: Option<HookOutcome>, hook: &HookUse) -> bool {
    match outcome {
        Some(HookOutcome::Proceed) => true,
        Some(HookOutcome::Waived { kind }) => {
            kind.is_waivable() && hook.on_failure.kinds.get(&kind) == Some(&HookFailure::Waive)
        }
        Some(
            HookOutcome::Retry { .. }
            | HookOutcome::Hold
            | HookOutcome::Skip
            | HookOutcome::Abort
            | HookOutcome::Failed { .. }
            | HookOutcome::Dropped,
        )
        | None => false,
    }
}
