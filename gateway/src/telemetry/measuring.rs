//! What was found in a record, as numbers.

use opentelemetry::KeyValue;
use tidegate_core::{
    Span, Timestamp,
    engine::{CommandId, Execution, ExecutionState, Kind, LaunchState},
    plan::{HookUse, Target},
};

use super::{
    instruments::{Executions, key},
    journey::{Finding, Retried, spent},
    words,
};

/// Measures a finding of a record that was decided at this instant.
pub(super) fn measure(
    instruments: &Executions,
    execution: &Execution,
    at: Timestamp,
    finding: &Finding,
) {
    let whose = whose(execution);
    match finding {
        Finding::Started => instruments.started.add(1, &whose),
        Finding::Ended(state) => ended(instruments, execution, *state, at),
        Finding::Attempt { from, state, .. } => {
            let state = state.map_or("attempted_again", words::wave);
            let attributes = and(whose, [KeyValue::new(key::STATE, state)]);
            instruments.waves.record(secs(at.since(*from)), &attributes);
        }
        Finding::Reached => {
            let since = at.since(execution.created_at());
            instruments.reached.record(secs(since), &whose);
        }
        Finding::Hook {
            command,
            from,
            outcome,
            ..
        } => {
            let used = hook_use(execution, *command);
            let name = used.map_or_else(String::new, |used| used.hook.to_string());
            let attributes = [
                KeyValue::new(key::HOOK, name),
                KeyValue::new(key::PHASE, phase(*command)),
                KeyValue::new(key::OUTCOME, words::outcome(*outcome)),
            ];
            instruments.hooks.record(secs(at.since(*from)), &attributes);
        }
        Finding::LaunchMoved { target, state } => {
            let [account, region] = place(target);
            let state = KeyValue::new(key::STATE, words::launch(state));
            let kind = KeyValue::new(key::KIND, words::kind(execution.kind()));
            instruments.launches.add(1, &[account, region, state, kind]);
        }
        Finding::Admitted(waited) => instruments.queued.record(secs(*waited), &whose),
        Finding::Held(cause) => {
            let cause = KeyValue::new(key::CAUSE, words::cause(*cause));
            instruments.holds.add(1, &and(whose, [cause]));
        }
        Finding::Server(state) => {
            let state = KeyValue::new(key::STATE, words::server(*state));
            instruments.servers.add(1, &and(whose, [state]));
        }
        Finding::Warned => instruments.warnings.add(1, &whose),
        Finding::Retried(what) => {
            let what = match what {
                Retried::Wave => "wave",
                Retried::Hook => "hook",
                Retried::Launch => "launch",
            };
            let what = KeyValue::new(key::RETRIED, what);
            instruments.retries.add(1, &and(whose, [what]));
        }
        // Shown as spans.
        Finding::Launch { .. } | Finding::Hold { .. } => {}
    }
}

fn ended(instruments: &Executions, execution: &Execution, state: ExecutionState, at: Timestamp) {
    let whose = whose(execution);
    let lasted = at.since(execution.created_at());
    let outcome = KeyValue::new(key::STATE, words::execution(state));
    let attributes = and(whose.clone(), [outcome]);
    instruments.ended.record(secs(lasted), &attributes);
    let (machine, human) = spent(execution, at);
    for (by, time) in [("machine", machine), ("human", human)] {
        let by = KeyValue::new(key::SPENT_BY, by);
        instruments
            .spent
            .record(secs(time), &and(whose.clone(), [by]));
    }
    let (Some(rto), true) = (execution.plan().objectives().rto, is_recovery(execution)) else {
        return;
    };
    match state {
        ExecutionState::Succeeded | ExecutionState::SucceededWithWarnings => {
            let ratio = ratio(lasted, rto);
            instruments.rto.record(ratio, &whose);
            instruments.rto_missed.add(u64::from(ratio > 1.0), &whose);
        }
        ExecutionState::Failed => instruments.rto_missed.add(1, &whose),
        // Nobody wanted it to reach the objective any more.
        ExecutionState::Cancelled
        | ExecutionState::Pending
        | ExecutionState::Running
        | ExecutionState::Pausing
        | ExecutionState::Paused
        | ExecutionState::Cancelling => {}
    }
}

/// Whether an objective of recovery applies.
pub(super) fn is_recovery(execution: &Execution) -> bool {
    match execution.kind() {
        Kind::Drill | Kind::Recovery => true,
        Kind::Cleanup => false,
    }
}

/// A length of time over its objective.
pub(super) fn ratio(lasted: Span, objective: Span) -> f64 {
    secs(lasted) / secs(objective).max(0.001)
}

/// Plan and kind.
pub(super) fn whose(execution: &Execution) -> Vec<KeyValue> {
    vec![
        KeyValue::new(key::PLAN, execution.plan().name().to_string()),
        KeyValue::new(key::KIND, words::kind(execution.kind())),
    ]
}

/// Account and Region.
pub(super) fn place(target: &Target) -> [KeyValue; 2] {
    place_of(&target.account, &target.region)
}

/// Account and Region.
pub(super) fn place_of(account: &str, region: &str) -> [KeyValue; 2] {
    [
        KeyValue::new(key::CLOUD_ACCOUNT_ID, account.to_owned()),
        KeyValue::new(key::CLOUD_REGION, region.to_owned()),
    ]
}

/// How the plan uses the hook of a command.
pub(super) fn hook_use(execution: &Execution, command: CommandId) -> Option<&HookUse> {
    match command {
        CommandId::Hook {
            wave, phase, hook, ..
        } => execution.plan().wave(wave).hook(phase, hook),
        CommandId::Select { .. }
        | CommandId::Admit { .. }
        | CommandId::Launch { .. }
        | CommandId::Look { .. }
        | CommandId::Follow { .. } => None,
    }
}

/// The side of the launch that a hook's command is on.
pub(super) fn phase(command: CommandId) -> &'static str {
    match command {
        CommandId::Hook { phase, .. } => words::phase(phase),
        CommandId::Select { .. }
        | CommandId::Admit { .. }
        | CommandId::Launch { .. }
        | CommandId::Look { .. }
        | CommandId::Follow { .. } => "",
    }
}

/// Whether DRS has it, or may have it.
pub(super) fn is_unsettled(state: &LaunchState) -> bool {
    !state.is_over()
}

/// In seconds, the unit of every duration.
pub(super) fn secs(span: Span) -> f64 {
    std::time::Duration::from_millis(span.as_millis()).as_secs_f64()
}

fn and<const N: usize>(mut attributes: Vec<KeyValue>, more: [KeyValue; N]) -> Vec<KeyValue> {
    attributes.extend(more);
    attributes
}
