//! An execution as people read it.

use std::fmt::Write as _;

use tidegate_proto::v1::{Execution, Wave};

use super::hook_runs;
use crate::{
    command_line::CommandLine,
    failure::Failure,
    names,
    print::table,
    session::Session,
    time,
    watch::{server_counts, troubled},
};

/// The execution of an answer.
///
/// # Errors
/// The answer carries none, which its contract forbids.
pub(crate) fn expected(execution: Option<Execution>) -> Result<Execution, Failure> {
    execution.ok_or_else(|| {
        Failure::Other("the gateway's answer carries no execution; is it a Tidegate?".to_owned())
    })
}

/// Prints an execution after a request, in the form that was asked for.
pub(super) fn after_request(session: &Session, execution: &Execution) -> Result<(), Failure> {
    session.printer.one(execution, &execution.id, |execution| {
        brief(execution, session.gateway.commands())
    })
}

/// Its state, what holds it, and what may be asked for.
fn brief(execution: &Execution, commands: &CommandLine) -> String {
    let mut text = format!(
        "execution {}: {}",
        execution.id,
        names::execution_state(execution.state())
    );
    if !execution.state_detail.is_empty() {
        let _ = write!(text, " ({})", execution.state_detail);
    }
    for hold in &execution.holds {
        let _ = write!(text, "\n  held: {}", names::hold(hold));
    }
    for command in commands.allowed(&execution.allowed_actions, &execution.id) {
        let _ = write!(text, "\n  possible: {command}");
    }
    text
}

/// Everything that fits a screen, with what is outstanding; `verbose` is for
/// its hooks.
pub(super) fn full(
    execution: &Execution,
    outstanding: &[String],
    commands: &CommandLine,
    verbose: bool,
) -> String {
    let mut text = format!(
        "{} of {} revision {}\ncreated {}  ended {}\n{}\n",
        names::kind(execution.kind()),
        execution.plan,
        execution.plan_revision,
        time::instant(execution.create_time),
        time::instant(execution.end_time),
        brief(execution, commands)
    );
    let rows = execution.waves.iter().map(|wave| {
        [
            wave.name.clone(),
            names::wave_state(wave.state()).to_owned(),
            wave.attempt.to_string(),
            time::instant(wave.start_time),
            time::instant(wave.end_time),
            servers(wave),
        ]
    });
    let heading = ["WAVE", "STATE", "ATTEMPT", "START", "END", "SERVERS"];
    let _ = write!(text, "\n{}", table(heading, rows));
    for (wave, server) in troubled(execution) {
        let _ = write!(
            text,
            "\n{}/{} {} {} {}",
            wave.name,
            server.id,
            names::server_state(server.state()),
            server.detail,
            server.warnings.join("; ")
        );
    }
    for line in outstanding {
        let _ = write!(text, "\nnow: {line}");
    }
    let hooks = hook_runs::shown(execution, verbose);
    if !hooks.is_empty() {
        let _ = write!(text, "\n\n{hooks}");
    }
    text
}

fn servers(wave: &Wave) -> String {
    let counts: Vec<String> = server_counts(wave)
        .into_iter()
        .map(|(state, count)| format!("{count} {}", names::server_state(state).to_lowercase()))
        .collect();
    counts.join(", ")
}
