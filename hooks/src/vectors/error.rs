//! What is wrong with a vector file.

use serde_saphyr::{Error, Location};
use thiserror::Error as ThisError;

/// A mistake in a vector file.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("line {line}, column {column}: {field}: {message}")]
pub struct VectorFileError {
    /// From 1; 0 if the place is not known.
    pub line: u64,
    /// From 1; 0 if the place is not known.
    pub column: u64,
    /// The path of the field, such as `vectors[2].expect.verdict`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl VectorFileError {
    pub(super) fn new(at: Location, field: String, message: String) -> Self {
        Self {
            line: at.line(),
            column: at.column(),
            field,
            message,
        }
    }

    pub(super) fn of_reader(error: &Error, field: String) -> Self {
        let error = error.without_snippet();
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default();
        // The reader's own words end with the position, which is shown before.
        let message = message.split(" at line ").next().unwrap_or_default();
        Self::new(
            error.location().unwrap_or(Location::UNKNOWN),
            field,
            message.to_owned(),
        )
    }
}
