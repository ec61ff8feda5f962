//! What happens next, and the exact commands for what only a person can do.

use jiff::Timestamp;
use tidegate_proto::v1::{Execution, ExecutionKind, ServerState, WaveState};

use super::{
    paint::{FAINT, LOOK, Line, PLAIN},
    view::ExecutionView,
};
use crate::{command_line::CommandLine, names, time};

/// Outstanding things that are listed; the rest is counted.
const LISTED: usize = 4;

/// The foot of the live view.
pub(super) fn lines(view: &ExecutionView, now: Timestamp, commands: &CommandLine) -> Vec<Line> {
    let mut lines = Vec::new();
    if !view.is_over() {
        lines.extend(outstanding(view));
        lines.extend(deadline(view, now));
    }
    for hold in &view.execution().holds {
        lines.push(
            Line::default()
                .with(LOOK, "held   ")
                .with(PLAIN, names::hold(hold)),
        );
    }
    for command in human(view, commands) {
        lines.push(Line::default().with(LOOK, "you    ").with(PLAIN, command));
    }
    lines
}

fn outstanding(view: &ExecutionView) -> Vec<Line> {
    let all = view.outstanding();
    let mut lines: Vec<Line> = all
        .iter()
        .take(LISTED)
        .map(|text| {
            Line::default()
                .with(FAINT, "now    ")
                .with(PLAIN, text.clone())
        })
        .collect();
    if all.len() > LISTED {
        lines.push(Line::default().with(FAINT, format!("       and {} more", all.len() - LISTED)));
    }
    lines
}

fn deadline(view: &ExecutionView, now: Timestamp) -> Option<Line> {
    let (at, reason) = view.next_deadline()?;
    let wait = time::span(time::between(now, at));
    Some(
        Line::default()
            .with(FAINT, "next   ")
            .with(PLAIN, format!("in {wait}: {reason}")),
    )
}

/// The commands for what the execution waits for.
///
/// They follow from the state, which every commit carries, and not from the
/// gateway's list of allowed actions, which may be a bookmark old.
pub(crate) fn human(view: &ExecutionView, commands: &CommandLine) -> Vec<String> {
    let execution = view.execution();
    let id = &execution.id;
    if view.is_over() {
        return if is_drill_that_costs(execution) {
            vec![commands.line(&format!("execution cleanup {id}"))]
        } else {
            Vec::new()
        };
    }
    if !view.is_paused() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for wave in &execution.waves {
        if wave.state() == WaveState::Failed {
            let name = &wave.name;
            all.push(commands.line(&format!("execution retry {id} {name}")));
            all.push(commands.line(&format!("execution skip {id} {name}")));
        }
    }
    all.push(commands.resume(id));
    all
}

/// Whether a drill left instances behind that somebody pays for.
fn is_drill_that_costs(execution: &Execution) -> bool {
    let mut servers = execution.waves.iter().flat_map(|wave| &wave.servers);
    execution.kind() == ExecutionKind::Drill
        && servers.any(|server| server.state() == ServerState::Launched)
}
