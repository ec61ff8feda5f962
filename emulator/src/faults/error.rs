//! Why faults cannot be used.

/// Something in a description of faults that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct FaultError {
    /// Where, for example `rules[2].when.probability`.
    pub path: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl FaultError {
    pub(super) fn at(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }

    /// The same, seen from further out.
    pub(crate) fn under(self, parent: &str) -> Self {
        Self {
            path: format!("{parent}.{}", self.path),
            ..self
        }
    }
}
