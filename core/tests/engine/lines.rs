//! Changes as lines of text: everything that a change says, and nothing else.

use tidegate_core::{
    InstanceId, ServerIx, Timestamp, WaveIx,
    engine::{Change, Closing, Hold, HoldCause, HookOutcome, LaunchState, Reason},
    plan::HookPhase,
};

use crate::run::BEGINNING;

pub(crate) fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(line).collect()
}

fn line(change: &Change) -> String {
    match change {
        Change::ExecutionMoved { to, reason } => format!("execution {to:?}{}", why(reason)),
        Change::OwnerChanged { epoch, owner } => format!("owner {owner} epoch {epoch}"),
        Change::Closing { to, reason } => format!("closing {}{}", closing(*to), why(reason)),
        Change::HoldPlaced(hold) => format!("hold {}", held(hold)),
        Change::HoldLifted(hold) => format!("lift {}", held(hold)),
        Change::WaveMoved { wave, to, reason } => format!("{} {to:?}{}", at(*wave), why(reason)),
        Change::GateOpened { wave } => format!("{} gate open", at(*wave)),
        Change::SelectionStarted { wave } => format!("{} selecting", at(*wave)),
        Change::ServersSelected { wave, servers } => {
            format!("{} selected {} servers", at(*wave), servers.len())
        }
        Change::HookStarted {
            wave,
            phase,
            hook,
            attempt,
        } => format!(
            "{} {} hook {} run {attempt}",
            at(*wave),
            side(*phase),
            hook.0
        ),
        Change::HookEnded {
            wave,
            outcome,
            message,
            evidence: _,
        } => format!("{} hook {}{}", at(*wave), ended(*outcome), quoted(message)),
        Change::AttemptStarted { wave, attempt } => format!("{} attempt {attempt}", at(*wave)),
        Change::RetryScheduled { wave, at: when } => format!("{} retry {}", at(*wave), time(*when)),
        Change::LaunchQueued { .. }
        | Change::LaunchIntended { .. }
        | Change::LaunchMoved { .. }
        | Change::ServerMoved { .. }
        | Change::ServerWarned { .. } => drs_line(change),
    }
}

/// What concerns launches and servers.
fn drs_line(change: &Change) -> String {
    if let Change::LaunchQueued {
        wave,
        target,
        servers,
    } = change
    {
        format!(
            "{} queue {} {:?}",
            at(*wave),
            target.region,
            numbers(servers)
        )
    } else if let Change::LaunchIntended {
        wave,
        target,
        servers,
    } = change
    {
        format!(
            "{} launch {} {:?}",
            at(*wave),
            target.region,
            numbers(servers)
        )
    } else if let Change::LaunchMoved {
        wave,
        launch,
        to,
        reason,
    } = change
    {
        format!("{}/{} {}{}", at(*wave), launch.0, launched(to), why(reason))
    } else if let Change::ServerMoved {
        wave,
        server,
        to,
        instance,
        reason,
    } = change
    {
        let instance = shown(instance.as_ref());
        format!(
            "{} server {} {to:?}{instance}{}",
            at(*wave),
            server.0,
            why(reason)
        )
    } else if let Change::ServerWarned {
        wave,
        server,
        warning,
    } = change
    {
        format!(
            "{} server {} warned{}",
            at(*wave),
            server.0,
            quoted(warning)
        )
    } else {
        unreachable!("the caller sends no other change")
    }
}

fn numbers(servers: &[ServerIx]) -> Vec<u16> {
    servers.iter().map(|server| server.0).collect()
}

fn shown(instance: Option<&InstanceId>) -> String {
    instance.map(|id| format!(" {id}")).unwrap_or_default()
}

fn at(wave: WaveIx) -> String {
    format!("w{}", wave.0)
}

fn side(phase: HookPhase) -> &'static str {
    match phase {
        HookPhase::PreWave => "check",
        HookPhase::PostWave => "verify",
    }
}

fn closing(to: Closing) -> &'static str {
    match to {
        Closing::Stop => "stop",
        Closing::Timeout => "timeout",
        Closing::Cancel => "cancel",
    }
}

pub(crate) fn cause(cause: HoldCause) -> String {
    match cause {
        HoldCause::Operator => "operator".to_string(),
        HoldCause::Planned(wave) => format!("planned {}", at(wave)),
        HoldCause::Approval(wave) => format!("approval {}", at(wave)),
        HoldCause::WaveFailed(wave) => format!("failed {}", at(wave)),
        HoldCause::Hook(wave) => format!("hook {}", at(wave)),
    }
}

fn held(hold: &Hold) -> String {
    format!("{}{}", cause(hold.cause), quoted(&hold.detail))
}

fn ended(outcome: HookOutcome) -> String {
    match outcome {
        HookOutcome::Retry { at } => format!("Retry {}", time(at)),
        HookOutcome::Failed { kind } => format!("Failed {kind}"),
        HookOutcome::Waived { kind } => format!("Waived {kind}"),
        HookOutcome::Proceed
        | HookOutcome::Hold
        | HookOutcome::Skip
        | HookOutcome::Abort
        | HookOutcome::Dropped => format!("{outcome:?}"),
    }
}

fn launched(state: &LaunchState) -> String {
    match state {
        LaunchState::Queued { attempt } => format!("queued {attempt}"),
        LaunchState::Asking { attempt } => format!("asking {attempt}"),
        LaunchState::Reconciling { attempt } => format!("reconciling {attempt}"),
        LaunchState::Deferred { attempt, until } => format!("deferred {attempt} {}", time(*until)),
        LaunchState::Running { job } => format!("running {job}"),
        LaunchState::Ended { job } => format!("ended {job}"),
        LaunchState::Refused => "refused".to_string(),
        LaunchState::Abandoned => "abandoned".to_string(),
    }
}

/// Relative to the beginning of the test.
fn time(at: Timestamp) -> String {
    let millis = at.since(BEGINNING).as_millis();
    format!("+{}.{:03}s", millis / 1000, millis % 1000).replace(".000s", "s")
}

fn why(reason: &Reason) -> String {
    let text = reason.to_string();
    if text.is_empty() {
        text
    } else {
        format!(" ({text})")
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" {text:?}")
    }
}
