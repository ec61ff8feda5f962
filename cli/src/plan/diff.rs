//! `tidegate plan diff`.

use similar::TextDiff;
use tidegate_plan_file::{self as plan_file, Written};
use tonic::Code;

use super::stored;
use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Compare a plan file with the stored plan's newest revision.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Diff {
    /// The plan file, or - for the standard input.
    file: String,
    /// Exit with code 12 if there is a difference.
    #[arg(long)]
    exit_code: bool,
}

impl Diff {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let written = Written::read(&self.file)?;
        let name = &written.plan.name;
        let (label, old) = match stored::get(session, name, 0).await {
            Ok(plan) => (
                format!("{name} revision {}", plan.revision),
                plan_file::to_yaml(&plan_file::file(&plan)),
            ),
            Err(Failure::Refused { status, .. }) if status.code() == Code::NotFound => {
                (format!("{name} (not stored)"), String::new())
            }
            Err(failure) => return Err(failure),
        };
        let new = plan_file::to_yaml(&plan_file::file(&written.plan));
        let text = unified(&old, &new, &label, written.name());
        if text.is_empty() {
            session.printer.note(&format!("no difference from {label}"));
            return Ok(Exit::Ok);
        }
        session.printer.data(&text)?;
        Ok(if self.exit_code {
            Exit::Differs
        } else {
            Exit::Ok
        })
    }
}

/// A unified diff; empty if the texts are equal.
fn unified(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(old_name, new_name)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_no_difference() {
        assert_eq!(unified("a\n", "a\n", "x", "y"), "");
    }

    #[test]
    fn a_difference_is_a_unified_diff() {
        assert_eq!(
            unified("a\nb\n", "a\nc\n", "old", "new"),
            "--- old\n+++ new\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        );
    }
}
