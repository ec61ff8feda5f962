//! A gateway's refusal in words: the message, its details, and the command to
//! type next.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::command_line::CommandLine;

/// Keys of `ErrorInfo.metadata` that are shown in a form of their own.
const SHOWN_APART: [&str; 4] = ["state", "allowed_actions", "execution", "plan"];

/// The refusal as people read it.
pub(super) fn render(status: &Status, commands: &CommandLine) -> String {
    let details = status.get_error_details();
    let mut lines = vec![headline(status, &details)];
    lines.extend(fields(&details, status.message()));
    if let Some(info) = details.error_info() {
        lines.extend(state(&info.metadata, commands));
        lines.extend(other_facts(&info.metadata, status.message()));
    }
    if let Some(retry) = details.retry_info().and_then(|info| info.retry_delay) {
        lines.push(format!("try again in {} s", retry.as_secs().max(1)));
    }
    if status.code() == Code::NotFound {
        lines.extend(where_to_look(&details, commands));
    }
    lines.join("\n  ")
}

/// The message, with the stable reason that scripts and issues can name.
fn headline(status: &Status, details: &ErrorDetails) -> String {
    let message = match status.message() {
        "" => status.code().description(),
        message => message,
    };
    match details.error_info() {
        Some(info) if !info.reason.is_empty() => format!("{message} [{}]", info.reason),
        _ => message.to_owned(),
    }
}

/// What is wrong, field by field, subject by subject, unless the message says it.
fn fields(details: &ErrorDetails, message: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for violation in details
        .bad_request()
        .iter()
        .flat_map(|d| &d.field_violations)
    {
        lines.push(format!("{}: {}", violation.field, violation.description));
    }
    for violation in details
        .precondition_failure()
        .iter()
        .flat_map(|d| &d.violations)
    {
        lines.push(subject(&violation.subject, &violation.description));
    }
    for violation in details.quota_failure().iter().flat_map(|d| &d.violations) {
        lines.push(subject(&violation.subject, &violation.description));
    }
    lines.retain(|line| !message.ends_with(line.rsplit(": ").next().unwrap_or(line)));
    lines
}

fn subject(subject: &str, description: &str) -> String {
    if subject.is_empty() {
        description.to_owned()
    } else {
        format!("{subject}: {description}")
    }
}

/// The state, and what may be asked for in it.
fn state(metadata: &HashMap<String, String>, commands: &CommandLine) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(state) = metadata.get("state") {
        lines.push(format!("state: {state}"));
    }
    let id = metadata.get("execution").map_or("ID", String::as_str);
    let Some(actions) = metadata.get("allowed_actions") else {
        return lines;
    };
    let next = commands.named(actions, id);
    if next.is_empty() {
        lines.push("nothing can be asked for in this state".to_owned());
    }
    lines.extend(
        next.into_iter()
            .map(|command| format!("possible now: {command}")),
    );
    lines
}

/// The remaining metadata, sorted, unless the message says it.
fn other_facts(metadata: &HashMap<String, String>, message: &str) -> Vec<String> {
    let mut facts: Vec<String> = metadata
        .iter()
        .filter(|(key, value)| {
            !SHOWN_APART.contains(&key.as_str()) && !message.contains(value.as_str())
        })
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    facts.sort();
    facts
}

/// How to see what there is.
fn where_to_look(details: &ErrorDetails, commands: &CommandLine) -> Option<String> {
    let resource = details.resource_info()?;
    let kind = resource.resource_type.to_lowercase();
    let list = if kind.contains("plan") {
        commands.line("plan list")
    } else if kind.contains("hook") {
        commands.line("hook list")
    } else {
        commands.line("execution list")
    };
    Some(format!("what there is: {list}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(code: Code, message: &str, details: ErrorDetails) -> String {
        let status = Status::with_error_details(code, message, details);
        render(&status, &CommandLine::default())
    }

    #[test]
    fn a_forbidden_transition_shows_the_command_to_type() {
        let metadata = [
            ("state", "PAUSED"),
            ("execution", "01J"),
            ("allowed_actions", "RESUME,CANCEL,SKIP_WAVE:web"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let details =
            ErrorDetails::with_error_info("STATE_FORBIDS", "tidegate", HashMap::from(metadata));
        insta::assert_snapshot!(
            rendered(Code::FailedPrecondition, "it is paused already", details),
            @r#"
        it is paused already [STATE_FORBIDS]
          state: PAUSED
          possible now: tidegate execution resume 01J
          possible now: tidegate execution cancel 01J
          possible now: tidegate execution skip 01J web
        "#
        );
    }

    #[test]
    fn field_violations_show_their_paths() {
        let mut details = ErrorDetails::with_bad_request_violation("spec.waves[0].name", "no");
        details.set_retry_info(Some(std::time::Duration::from_secs(3)));
        insta::assert_snapshot!(rendered(Code::InvalidArgument, "the plan is invalid", details), @r#"
        the plan is invalid
          spec.waves[0].name: no
          try again in 3 s
        "#);
    }

    #[test]
    fn what_does_not_exist_shows_where_to_look() {
        let details = ErrorDetails::with_resource_info("plan", "shop", "", "");
        insta::assert_snapshot!(rendered(Code::NotFound, "there is no plan \"shop\"", details), @r#"
        there is no plan "shop"
          what there is: tidegate plan list
        "#);
    }

    #[test]
    fn a_bare_status_still_says_something() {
        let text = rendered(Code::Internal, "", ErrorDetails::new());
        assert!(!text.is_empty());
    }
}
