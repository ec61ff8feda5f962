//! Bounds of what a status says: it travels in HTTP/2 headers, of which a
//! client takes 16 KiB in all. The details are among them as base64, a third
//! more than they are, and the message a second time, where a byte may become
//! three.

use tidegate_proto::v1;
use tonic_types::{FieldViolation, PreconditionViolation};

use crate::ports::hooks::Unarmed;

/// Bytes of a message for people.
const MESSAGE: usize = 1 << 10;
/// Bytes of a name or an id.
const NAME: usize = 256;
/// Bytes of one mistake in a plan.
const MISTAKE: usize = 512;
/// Bytes of all mistakes that are listed.
const MISTAKES: usize = 5 << 10;
/// Bytes of the metadata `allowed_actions`.
const ACTIONS: usize = 2 << 10;
/// What protobuf adds to the texts of a mistake, at most.
const FRAME: usize = 12;

/// Stands for what was cut off.
const CUT: &str = "...";

/// A message for people.
pub(super) fn message(text: impl Into<String>) -> String {
    cut(text.into(), MESSAGE)
}

/// A name, or what a request gave for one.
pub(super) fn name(text: impl Into<String>) -> String {
    cut(text.into(), NAME)
}

/// A value of the metadata. The keys are ours.
pub(super) fn metadata(key: &str, value: String) -> String {
    match key {
        "allowed_actions" => actions(value),
        _ => name(value),
    }
}

/// The mistakes of a plan that fit, and how many do not.
pub(super) fn mistakes(violations: Vec<v1::FieldViolation>) -> Vec<FieldViolation> {
    let mistakes = violations
        .into_iter()
        .map(|it| (format!("plan.{}", it.field), it.description));
    that_fit(mistakes, FRAME, "ValidatePlan")
        .into_iter()
        .map(|(field, description)| FieldViolation::new(field, description))
        .collect()
}

/// The problems of a plan's hooks that fit, and how many do not.
pub(super) fn problems(kind: &str, unarmed: &[Unarmed]) -> Vec<PreconditionViolation> {
    let problems = unarmed
        .iter()
        .map(|it| (format!("plan.{}", it.field), it.problem.clone()));
    that_fit(problems, FRAME + kind.len(), "CheckReadiness")
        .into_iter()
        .map(|(field, problem)| PreconditionViolation::new(kind, field, problem))
        .collect()
}

/// What fits of fields of a plan, each with a text, and who lists all of it.
/// `frame` is what each takes beside its two texts.
fn that_fit(
    all: impl ExactSizeIterator<Item = (String, String)>,
    frame: usize,
    lister: &str,
) -> Vec<(String, String)> {
    let count = all.len();
    let mut listed = Vec::new();
    let mut bytes = 0;
    for (field, text) in all {
        let (field, text) = (name(field), cut(text, MISTAKE));
        bytes += field.len() + text.len() + frame;
        if bytes > MISTAKES {
            let left = count - listed.len();
            listed.push((
                "plan".to_owned(),
                format!("and {left} more; {lister} lists all"),
            ));
            break;
        }
        listed.push((field, text));
    }
    listed
}

/// A list with commas, cut between two entries.
fn actions(mut line: String) -> String {
    if line.len() > ACTIONS {
        let room = line.floor_char_boundary(ACTIONS - CUT.len());
        let end = line[..room].rfind(',').map_or(0, |comma| comma + 1);
        line.truncate(end);
        line.push_str(CUT);
    }
    line
}

fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit - CUT.len()));
        text.push_str(CUT);
    }
    text
}
