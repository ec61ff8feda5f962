//! What a hook is told, from the state of the execution and what DRS says.

use std::time::Duration;

use jiff::Timestamp as Instant;
use tidegate_core::{
    HookIx, Timestamp, WaveIx,
    engine::{CommandId, Execution, HookOutcome, Kind, ServerRun, ServerState},
    plan::HookPhase,
};
use tidegate_hooks::{Context, Earlier, Entries, Launch, Limits, Mode, Phase, Server};

use crate::{
    ports::hooks::{HookCall, ServerFacts},
    telemetry::ids,
};

/// The context of one attempt; `None` if the command names no hook.
pub(super) fn context(call: &HookCall, limits: &Limits) -> Option<Context> {
    let CommandId::Hook {
        wave,
        phase,
        hook,
        attempt,
    } = call.command
    else {
        return None;
    };
    let plan = call.state.plan();
    let wall = u64::try_from(limits.wall.as_millis()).unwrap_or(u64::MAX);
    Some(Context {
        plan: plan.name().to_string(),
        execution: call.execution.to_string(),
        wave: plan.wave(wave).name.to_string(),
        phase: phase_of(phase),
        mode: match call.state.kind() {
            Kind::Drill | Kind::Cleanup => Mode::Drill,
            Kind::Recovery => Mode::Recovery,
        },
        attempt,
        now: rfc3339(call.now),
        deadline: rfc3339(Timestamp::from_millis(
            call.now.as_millis().saturating_add(wall),
        )),
        remaining_ms: u32::try_from(wall).unwrap_or(u32::MAX),
        servers: servers(call, [wave]),
        upstream: servers(call, plan.upstream(wave)),
        parameters: call.hook.config.clone(),
        facts: facts(call),
        earlier: earlier(&call.state, wave, phase, hook),
    })
}

pub(super) fn phase_of(phase: HookPhase) -> Phase {
    match phase {
        HookPhase::PreWave => Phase::PreWave,
        HookPhase::PostWave => Phase::PostWave,
    }
}

fn servers(call: &HookCall, waves: impl IntoIterator<Item = WaveIx>) -> Vec<Server> {
    let mut servers: Vec<Server> = waves
        .into_iter()
        .flat_map(|wave| {
            let name = &call.state.plan().wave(wave).name;
            let runs = call.state.wave(wave).servers().iter();
            runs.map(move |run| server(call, name.as_str(), run))
        })
        .collect();
    servers.sort_by(|one, other| one.id.cmp(&other.id));
    servers
}

fn server(call: &HookCall, wave: &str, run: &ServerRun) -> Server {
    let unknown = ServerFacts::default();
    let known = call.servers.get(&run.selected.id).unwrap_or(&unknown);
    let hostname = if known.hostname.is_empty() {
        run.selected.hostname.to_string()
    } else {
        known.hostname.clone()
    };
    let mut facts = Entries::from([("wave".to_owned(), wave.to_owned())]);
    if !known.replication_state.is_empty() {
        let state = known.replication_state.clone();
        facts.insert("replication-state".to_owned(), state);
    }
    if let Some(lag) = known.lag {
        facts.insert("lag-seconds".to_owned(), seconds(lag.as_millis()));
    }
    if let Some(taken) = known.snapshot_time {
        facts.insert("snapshot-time".to_owned(), rfc3339(taken));
        let age = call.now.since(taken);
        facts.insert("snapshot-age-seconds".to_owned(), seconds(age.as_millis()));
    }
    Server {
        id: run.selected.id.to_string(),
        hostname,
        launch: launch(run),
        tags: known.tags.clone(),
        facts,
    }
}

fn launch(run: &ServerRun) -> Launch {
    match run.state {
        ServerState::Launched => Launch::Launched(
            run.instance
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
        ),
        ServerState::Failed => Launch::Failed(run.reason.to_string()),
        ServerState::Skipped => Launch::Failed("skipped".to_owned()),
        ServerState::Terminated => Launch::Failed("terminated".to_owned()),
        ServerState::Pending
        | ServerState::Requested
        | ServerState::Snapshot
        | ServerState::Conversion
        | ServerState::Launch => Launch::Pending,
    }
}

fn facts(call: &HookCall) -> Entries {
    let mut facts = Entries::new();
    let objectives = call.state.plan().objectives();
    if let Some(rto) = objectives.rto {
        facts.insert("rto-seconds".to_owned(), seconds(rto.as_millis()));
    }
    if let Some(rpo) = objectives.rpo {
        facts.insert("rpo-seconds".to_owned(), seconds(rpo.as_millis()));
    }
    if let Some(started) = call.state.started_at() {
        let elapsed = call.now.since(started);
        facts.insert("elapsed-seconds".to_owned(), seconds(elapsed.as_millis()));
    }
    // It follows from the attempt's id: a second run of the attempt, and a
    // replay, are told the same.
    let span = ids::hook(&call.execution, call.command);
    facts.insert("traceparent".to_owned(), span.to_string());
    facts
}

/// What the hooks before this one answered, in their order.
fn earlier(state: &Execution, wave: WaveIx, phase: HookPhase, hook: HookIx) -> Vec<Earlier> {
    let runs = state.wave(wave).earlier_hooks(phase, hook);
    runs.filter_map(|run| {
        let used = state.plan().wave(wave).hook(phase, run.hook)?;
        Some(Earlier {
            hook: used.hook.to_string(),
            outcome: outcome(run.outcome?).to_owned(),
            reason: run.message.to_string(),
        })
    })
    .collect()
}

fn outcome(outcome: HookOutcome) -> &'static str {
    match outcome {
        HookOutcome::Proceed => "proceed",
        HookOutcome::Retry { .. } => "retry",
        HookOutcome::Hold => "hold",
        HookOutcome::Skip => "skip",
        HookOutcome::Abort => "abort",
        HookOutcome::Failed { .. } => "failed",
        HookOutcome::Waived { .. } => "waived",
        HookOutcome::Dropped => "dropped",
    }
}

fn seconds(millis: u64) -> String {
    (millis / 1_000).to_string()
}

/// RFC 3339 in UTC, with milliseconds.
fn rfc3339(at: Timestamp) -> String {
    let since = Duration::from_millis(at.as_millis());
    Instant::UNIX_EPOCH.checked_add(since).map_or_else(
        |_| "9999-12-30T22:00:00Z".to_owned(),
        |at| format!("{at:.3}"),
    )
}
