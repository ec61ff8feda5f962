//! Validation of requests: every problem of a request is told at once, each with its member.

use jiff::Timestamp;

use super::error::{FieldProblem, ServiceError};
use crate::model::{InvalidId, Tags};

/// How many problems an error tells of; it counts the others.
const TOLD: usize = 10;

/// The problems of one request.
#[derive(Debug, Default)]
pub(super) struct Fields {
    problems: Vec<FieldProblem>,
}

impl Fields {
    /// Notes a problem.
    pub(super) fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(FieldProblem {
            name: name.to_owned(),
            message: message.into(),
        });
    }

    /// An id that must be there.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        text: Option<&String>,
        parse: fn(&str) -> Result<T, InvalidId>,
    ) -> Option<T> {
        if text.is_none() {
            self.problem(name, "Member must not be null");
        }
        self.optional(name, text, parse)
    }

    /// An id that may be there.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        text: Option<&String>,
        parse: fn(&str) -> Result<T, InvalidId>,
    ) -> Option<T> {
        match parse(text?) {
            Ok(id) => Some(id),
            Err(error) => {
                let pattern = error.expected;
                let message = format!("Member must satisfy regular expression pattern: {pattern}");
                self.problem(name, message);
                None
            }
        }
    }

    /// A list of ids with at most so many members.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        texts: &[String],
        max: usize,
        parse: fn(&str) -> Result<T, InvalidId>,
    ) -> Vec<T> {
        if texts.len() > max {
            let message = format!("Member must have length less than or equal to {max}");
            self.problem(name, message);
            return Vec::new();
        }
        texts
            .iter()
            .filter_map(|text| self.optional(name, Some(text), parse))
            .collect()
    }

    /// A time.
    pub(super) fn time(&mut self, name: &str, text: Option<&String>) -> Option<Timestamp> {
        let parsed = text?.parse();
        if parsed.is_err() {
            self.problem(name, "Member must be an ISO 8601 date and time");
        }
        parsed.ok()
    }

    /// Tags. The service reserves keys that begin with `aws:`.
    pub(super) fn tags(&mut self, name: &str, tags: &Tags) {
        for (key, value) in tags {
            if key.chars().count() > 256 || value.chars().count() > 256 {
                self.problem(name, "Member must have length less than or equal to 256");
            }
            if key.is_empty() || key.to_ascii_lowercase().starts_with("aws:") {
                self.problem(name, format!("{key:?} is not a key that may be set"));
            }
        }
    }

    /// Refuses the request if there was any problem.
    pub(super) fn finish(self) -> Result<(), ServiceError> {
        if self.problems.is_empty() {
            return Ok(());
        }
        let count = self.problems.len();
        let mut problems = self.problems;
        problems.truncate(TOLD);
        let told: Vec<String> = problems
            .iter()
            .map(|field| {
                format!(
                    "Value at '{}' failed to satisfy constraint: {}",
                    field.name, field.message
                )
            })
            .collect();
        let noun = if count == 1 { "error" } else { "errors" };
        let message = format!("{count} validation {noun} detected: {}", told.join("; "));
        Err(ServiceError::Validation {
            message,
            fields: problems,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobId;

    #[test]
    fn all_problems_are_told_at_once() {
        let mut fields = Fields::default();
        assert_eq!(fields.required("jobID", None, JobId::parse), None);
        assert_eq!(
            fields.time("filters.fromDate", Some(&"yesterday".to_owned())),
            None
        );
        let ServiceError::Validation { fields, message } = fields.finish().unwrap_err() else {
            panic!("a ValidationException");
        };
        assert_eq!(fields.len(), 2);
        assert!(
            message.starts_with("2 validation errors detected: Value at 'jobID'"),
            "{message}"
        );
    }
}
