//! What happens next, and the exact commands for what only a person can do.

use jiff::Timestamp;
use tidegate_proto::v1::{
    Action, AllowedAction, Execution, ExecutionKind, PauseReason, ServerState,
};

use super::{
    paint::{FAINT, LOOK, Line, PLAIN},
    view::ExecutionView,
};
use crate::{command_line::CommandLine, names, time};

/// Outstanding things that are listed; the rest is counted.
const LISTED: usize = 4;

/// Before every line, so wide.
const LABEL: usize = 7;

/// The foot of the live view, on lines of `width` characters.
pub(super) struct Foot {
    /// What happens by itself.
    pub(super) running: Vec<Line>,
    /// What waits for a person.
    pub(super) held: Vec<Line>,
    /// What that person may type.
    pub(super) commands: Vec<Line>,
}

impl Foot {
    /// The foot of what is known at `now`.
    pub(super) fn new(
        view: &ExecutionView,
        now: Timestamp,
        width: usize,
        commands: &CommandLine,
    ) -> Self {
        let mut running = Vec::new();
        if !view.is_over() {
            running.extend(outstanding(view));
            running.extend(deadline(view, now));
        }
        let holds = view.execution().holds.iter();
        Self {
            running,
            held: holds
                .map(|hold| labelled("held", names::hold(hold)))
                .collect(),
            commands: human(view, commands)
                .iter()
                .flat_map(|command| typed(command, width))
                .collect(),
        }
    }

    /// Its lines.
    pub(super) fn height(&self) -> usize {
        self.running.len() + self.held.len() + self.commands.len()
    }
}

fn labelled(label: &str, text: String) -> Line {
    Line::default()
        .with(LOOK, format!("{label:LABEL$}"))
        .with(PLAIN, text)
}

/// A command, whole: where it is wider than the view, it goes on in the next
/// line, as a shell reads it.
fn typed(command: &str, width: usize) -> Vec<Line> {
    const GOES_ON: &str = " \\";
    if LABEL + command.chars().count() <= width {
        return vec![labelled("you", command.to_owned())];
    }
    let room = width.saturating_sub(LABEL + GOES_ON.len());
    let mut parts: Vec<String> = Vec::new();
    for word in command.split(' ') {
        match parts.last_mut() {
            Some(part) if part.chars().count() + 1 + word.chars().count() <= room => {
                part.push(' ');
                part.push_str(word);
            }
            Some(_) | None => parts.push(word.to_owned()),
        }
    }
    let last = parts.len().saturating_sub(1);
    for part in parts.iter_mut().take(last) {
        part.push_str(GOES_ON);
    }
    let mut labels = ["you"].into_iter().chain(std::iter::repeat(""));
    let lines = parts.into_iter().zip(&mut labels);
    lines.map(|(part, label)| labelled(label, part)).collect()
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
/// They follow from the holds, which every commit carries. The gateway's list
/// of allowed actions may be a bookmark old; as long as it is not, nothing is
/// offered that is not in it.
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
    let mut wanted = wanted(execution);
    if let Some(allowed) = view.allowed_actions() {
        wanted.retain(|action| allowed.contains(action));
    }
    let each = wanted.iter().map(std::slice::from_ref);
    each.flat_map(|action| commands.allowed(action, id))
        .collect()
}

/// What lifts the holds: a failed wave wants a word of its own, all others
/// are lifted together.
fn wanted(execution: &Execution) -> Vec<AllowedAction> {
    let action = |action: Action, wave: &str| AllowedAction {
        action: action.into(),
        wave: wave.to_owned(),
    };
    let (failed, others): (Vec<_>, Vec<_>) = execution
        .holds
        .iter()
        .partition(|hold| hold.reason() == PauseReason::WaveFailed);
    let mut all = Vec::new();
    for hold in failed {
        all.push(action(Action::RetryWave, &hold.wave));
        all.push(action(Action::SkipWave, &hold.wave));
    }
    if !others.is_empty() {
        all.push(action(Action::Resume, ""));
    }
    all
}

/// Whether a drill left instances behind that somebody pays for.
fn is_drill_that_costs(execution: &Execution) -> bool {
    let mut servers = execution.waves.iter().flat_map(|wave| &wave.servers);
    execution.kind() == ExecutionKind::Drill
        && servers.any(|server| server.state() == ServerState::Launched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample;

    const ID: &str = "01JAAAAAAAAAAAAAAAAAAAAAAA";

    fn offered(view: &ExecutionView) -> Vec<String> {
        let lines = human(view, &CommandLine::default());
        let bare = lines.iter().map(|line| {
            let line = line.replace("tidegate execution ", "");
            line.replace(ID, "ID")
        });
        bare.collect()
    }

    #[test]
    fn a_failed_wave_is_retried_or_skipped_and_never_resumed() {
        let view = sample::failed(&["database"], &[]);
        assert_eq!(offered(&view), ["retry ID database", "skip ID database"]);
    }

    #[test]
    fn a_wave_that_failed_and_holds_nothing_is_not_offered() {
        // `database` failed under another policy; only `cache` waits for a word.
        let view = sample::failed(&["cache"], &[]);
        assert_eq!(view.execution().waves[0].name, "database");
        assert_eq!(offered(&view), ["retry ID cache", "skip ID cache"]);
    }

    #[test]
    fn resume_is_for_the_holds_that_it_lifts() {
        let view = sample::failed(&["database"], &[PauseReason::Planned]);
        assert_eq!(
            offered(&view),
            ["retry ID database", "skip ID database", "resume ID"]
        );
        assert_eq!(offered(&sample::paused()), ["resume ID"]);
    }

    #[test]
    fn what_the_gateway_does_not_allow_now_is_not_offered() {
        let mut view = sample::failed(&["database", "cache"], &[]);
        let allowed = [
            (Action::Cancel, ""),
            (Action::RetryWave, "cache"),
            (Action::SkipWave, "cache"),
        ];
        sample::allow(&mut view, &allowed);
        assert_eq!(offered(&view), ["retry ID cache", "skip ID cache"]);
        // A commit later, the list is old.
        let revision = view.execution().revision + 1;
        view.commit(&tidegate_proto::v1::Commit {
            revision,
            ..tidegate_proto::v1::Commit::default()
        });
        assert_eq!(offered(&view).len(), 4);
    }

    #[test]
    fn a_long_command_is_shown_whole_as_a_shell_reads_it() {
        let command = format!("tidegate execution resume {ID} --address https://gateway.example");
        let shown = super::super::paint::render(&typed(&command, 50), 50);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(
            lines,
            [
                "you    tidegate execution resume \\",
                "       01JAAAAAAAAAAAAAAAAAAAAAAA --address \\",
                "       https://gateway.example",
            ]
        );
    }
}
