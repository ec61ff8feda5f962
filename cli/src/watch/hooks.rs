//! Hooks in the live view: those that run, and those that did not say *go on*.

use anstyle::Style;
use tidegate_proto::v1::{Execution, HookOutcome, HookRun, Wave};

use super::{
    hook_runs,
    paint::{BAD, BUSY, LOOK, Line, PLAIN},
};
use crate::names;

/// Hooks that are named; the rest is counted.
const NAMED: usize = 8;

/// A line for each hook that deserves one, and below it what it found.
pub(super) fn lines(execution: &Execution) -> Vec<Line> {
    let waves = execution.waves.iter();
    let runs = waves.flat_map(|wave| wave.hook_runs.iter().map(move |run| (wave, run)));
    let shown: Vec<_> = runs
        .filter_map(|(wave, run)| Some((style(run)?, wave, run)))
        .collect();
    let mut lines: Vec<Line> = shown
        .iter()
        .take(NAMED)
        .flat_map(|(style, wave, run)| of_run(*style, wave, run))
        .collect();
    if shown.len() > NAMED {
        let more = format!("  and {} more hooks", shown.len() - NAMED);
        lines.push(Line::plain(more));
    }
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    lines
}

/// How a run is painted; `None` for one that is not worth a line.
fn style(run: &HookRun) -> Option<Style> {
    match run.outcome() {
        HookOutcome::Unspecified | HookOutcome::Proceed | HookOutcome::Dropped => None,
        HookOutcome::Running => Some(BUSY),
        HookOutcome::Retry | HookOutcome::Hold | HookOutcome::Skip | HookOutcome::Waived => {
            Some(LOOK)
        }
        HookOutcome::Abort | HookOutcome::Failed => Some(BAD),
    }
}

fn of_run(style: Style, wave: &Wave, run: &HookRun) -> Vec<Line> {
    let head = Line::default()
        .with(PLAIN, "  hook    ")
        .with(PLAIN, format!("{}/{} ", wave.name, run.hook))
        .with(PLAIN, format!("{} ", names::hook_phase(run.phase())))
        .with(style, hook_runs::outcome(run))
        .with(PLAIN, format!(" attempt {}  {}", run.attempt, run.message));
    let found = hook_runs::told(run);
    let found = found
        .into_iter()
        .map(|text| Line::plain(format!("          {text}")));
    std::iter::once(head).chain(found).collect()
}
