//! An execution as text. It says everything that a client, a driver or the
//! engine itself can read of a state.
//!
//! What is stored beside a history of an earlier version must stay the same
//! text for ever: something new is shown only where it is there.

use std::fmt::Write as _;

use tidegate_core::{
    OwnerId, Timestamp, WaveIx,
    engine::{
        Action, Execution, Finding, HookOutcome, HookRun, HookStatus, HookStep, Launch,
        LaunchState, Reason, ServerRun, Stage, WaveRun,
    },
    plan::Target,
};

/// What is wanted and possible now, in a few lines.
pub(super) fn wants(execution: &Execution) -> String {
    let mut out = format!("  {:?}", execution.state());
    for wave in execution.waves() {
        let _ = write!(out, " {:?}", wave.state());
    }
    let outstanding = execution.outstanding();
    let outstanding: Vec<String> = outstanding.iter().map(ToString::to_string).collect();
    let _ = write!(out, "\n  outstanding [{}]", outstanding.join(" "));
    if let Some(deadline) = execution.next_deadline() {
        let _ = write!(out, "\n  due {} {:?}", at(deadline.at), deadline.reason);
    }
    let actions: Vec<String> = execution
        .allowed_actions()
        .into_iter()
        .map(action)
        .collect();
    let _ = writeln!(out, "\n  allowed [{}]", actions.join(" "));
    out
}

fn action(action: Action) -> String {
    match action {
        Action::RetryWave(wave) => format!("RetryWave/{}", wave.0),
        Action::SkipWave(wave) => format!("SkipWave/{}", wave.0),
        Action::Pause | Action::Resume | Action::Cancel | Action::CleanUp => format!("{action:?}"),
    }
}

/// The whole state.
pub(super) fn whole(execution: &Execution, now: Timestamp) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "execution {} {:?} {:?}{}",
        execution.id(),
        execution.kind(),
        execution.state(),
        why(execution.reason())
    );
    let _ = writeln!(
        out,
        "created {} started {} ended {} held {}ms",
        at(execution.created_at()),
        opt(execution.started_at()),
        opt(execution.ended_at()),
        execution.held(now).as_millis()
    );
    let _ = writeln!(
        out,
        "epoch {} owner {} changes {}",
        execution.epoch(),
        execution.owner().map_or("-", OwnerId::as_str),
        execution.change_count()
    );
    if let Some((to, reason)) = execution.closing() {
        let _ = writeln!(out, "closing {to:?}{}", why(reason));
    }
    for hold in execution.holds() {
        let _ = writeln!(out, "hold {:?} {:?}", hold.cause, &*hold.detail);
    }
    for (ix, run) in (0..).map(WaveIx).zip(execution.waves()) {
        wave(&mut out, execution, ix, run);
    }
    out
}

fn wave(out: &mut String, execution: &Execution, ix: WaveIx, run: &WaveRun) {
    let _ = writeln!(
        out,
        "wave {} {} {:?}{}",
        ix.0,
        execution.plan().wave(ix).name,
        run.state(),
        why(run.reason())
    );
    let _ = writeln!(
        out,
        "  stage {} attempt {} gate-open {} selected {} started {} ended {}",
        stage(run.stage()),
        run.attempt(),
        run.is_gate_open(),
        run.is_selected(),
        opt(run.started_at()),
        opt(run.ended_at())
    );
    for it in run.servers() {
        server(out, run, it);
    }
    for it in run.launches() {
        launch(out, it);
    }
    for it in run.hooks() {
        hook(out, it);
    }
}

fn server(out: &mut String, run: &WaveRun, it: &ServerRun) {
    let selected = &it.selected;
    let _ = writeln!(
        out,
        "  server {} {:?} {} optional {} snapshot {} instance {}",
        selected.id,
        &*selected.hostname,
        target(&selected.target),
        selected.optional,
        selected.snapshot.as_ref().map_or("-", |id| id.as_str()),
        selected.instance.as_ref().map_or("-", |id| id.as_str())
    );
    let _ = writeln!(
        out,
        "    {:?} {} instance {} launch {} job {}{}",
        it.state,
        at(it.state_at),
        it.instance.as_ref().map_or("-", |id| id.as_str()),
        it.launch
            .map_or("-".to_owned(), |launch| launch.0.to_string()),
        run.job_of(it).map_or("-", |id| id.as_str()),
        why(&it.reason)
    );
    for warning in &it.warnings {
        let _ = writeln!(out, "    warning {warning:?}");
    }
}

fn launch(out: &mut String, it: &Launch) {
    let servers: Vec<u16> = it.servers.iter().map(|server| server.0).collect();
    let _ = writeln!(
        out,
        "  launch {} {} {servers:?} {} intended {} since {}{}",
        it.attempt,
        target(&it.target),
        launch_state(&it.state),
        at(it.intended_at),
        at(it.state_at),
        why(&it.reason)
    );
}

fn launch_state(state: &LaunchState) -> String {
    match state {
        LaunchState::Queued { attempt } => format!("queued/{attempt}"),
        LaunchState::Asking { attempt } => format!("asking/{attempt}"),
        LaunchState::Reconciling { attempt } => format!("reconciling/{attempt}"),
        LaunchState::Deferred { attempt, until } => format!("deferred/{attempt} {}", at(*until)),
        LaunchState::Running { job } => format!("running {job}"),
        LaunchState::Ended { job } => format!("ended {job}"),
        LaunchState::Refused => "refused".to_owned(),
        LaunchState::Abandoned => "abandoned".to_owned(),
    }
}

fn hook(out: &mut String, it: &HookRun) {
    let _ = writeln!(
        out,
        "  hook {}/{} attempt {} {} {:?} started {} ended {}",
        it.phase.name(),
        it.hook.0,
        it.attempt,
        outcome(it.outcome),
        &*it.message,
        at(it.started_at),
        opt(it.ended_at)
    );
    let _ = writeln!(
        out,
        "    findings {} fuel {} memory {} probes {}",
        it.finding_count, it.fuel, it.peak_memory, it.probes
    );
    for finding in it.findings.iter() {
        let Finding {
            code,
            severity,
            subject,
            message,
            evidence,
        } = finding;
        let _ = writeln!(
            out,
            "    {severity:?} {code:?} {subject:?} {message:?} {evidence:?}"
        );
    }
}

fn outcome(outcome: Option<HookOutcome>) -> String {
    let Some(outcome) = outcome else {
        return "running".to_owned();
    };
    match outcome {
        HookOutcome::Retry { at: when } => format!("retry {}", at(when)),
        HookOutcome::Failed { kind } => format!("failed/{kind}"),
        HookOutcome::Waived { kind } => format!("waived/{kind}"),
        HookOutcome::Proceed
        | HookOutcome::Hold
        | HookOutcome::Skip
        | HookOutcome::Abort
        | HookOutcome::Dropped => format!("{outcome:?}").to_lowercase(),
    }
}

fn stage(stage: Stage) -> String {
    match stage {
        Stage::Idle => "idle".to_owned(),
        Stage::Selecting => "selecting".to_owned(),
        Stage::Attempt => "attempt".to_owned(),
        Stage::Backoff { at: when } => format!("backoff {}", at(when)),
        Stage::Hook(step) => hook_step(step),
    }
}

fn hook_step(step: HookStep) -> String {
    let HookStep {
        phase,
        hook,
        status,
        since,
        retries,
        gate_since,
    } = step;
    let status = match status {
        HookStatus::Wanted => "wanted".to_owned(),
        HookStatus::Running { attempt } => format!("running/{attempt}"),
        HookStatus::Delayed { until } => format!("delayed {}", at(until)),
        HookStatus::Held => "held".to_owned(),
    };
    format!(
        "hook {}/{} {status} since {} retries {retries} gate-since {}",
        phase.name(),
        hook.0,
        opt(since),
        opt(gate_since)
    )
}

fn target(target: &Target) -> String {
    let role = target.role.as_deref().unwrap_or("-");
    format!("{}/{}/{role}", target.account, target.region)
}

fn why(reason: &Reason) -> String {
    format!(" ({:?} {:?})", reason.code, &*reason.text)
}

fn at(at: Timestamp) -> String {
    at.as_millis().to_string()
}

fn opt(when: Option<Timestamp>) -> String {
    when.map_or("-".to_owned(), at)
}
