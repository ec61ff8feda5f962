//! The ways in which an attempt ends without a verdict.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An attempt that gave no verdict. What it means stands in the plan; it is
/// never *proceed*.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{kind}: {message}")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Failure {
    /// Which way.
    pub kind: FailureKind,
    /// For people: what happened and, where that is known, what to do.
    pub message: String,
}

/// Which way an attempt failed. A plan gives an answer to each by this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The guest answered with an error of its own (a panic that the guest
    /// SDK turned into one as well).
    Error,
    /// The guest trapped: `unreachable`, a bad access, a division by zero,
    /// or `exit`, with whatever code.
    Trap,
    /// The guest's stack is exhausted.
    Stack,
    /// The guest used up its instructions.
    Fuel,
    /// The attempt took longer than it may.
    Timeout,
    /// The guest asked for more memory than it may have, and ended badly.
    Memory,
    /// The guest asked for a larger table than it may have, and ended badly.
    Table,
    /// What the guest returned breaks the contract or its bounds: a wrong
    /// enum value, a string that is not UTF-8, a pointer out of range, more
    /// findings than allowed, a skip after the launch.
    BadOutput,
    /// The component is not of a contract that this host runs.
    ContractMismatch,
    /// The stored bytes are not those that the plan pins.
    DigestMismatch,
    /// The guest asked for a probe that it is not granted.
    ProbeDenied,
    /// The host could not run it, and the guest is not to blame.
    Host,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Error,
        Self::Trap,
        Self::Stack,
        Self::Fuel,
        Self::Timeout,
        Self::Memory,
        Self::Table,
        Self::BadOutput,
        Self::ContractMismatch,
        Self::DigestMismatch,
        Self::ProbeDenied,
        Self::Host,
    ];

    /// As it is written in a plan.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Trap => "trap",
            Self::Stack => "stack",
            Self::Fuel => "fuel",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Table => "table",
            Self::BadOutput => "bad-output",
            Self::ContractMismatch => "contract-mismatch",
            Self::DigestMismatch => "digest-mismatch",
            Self::ProbeDenied => "probe-denied",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Failure {
    /// An attempt that failed in this way.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}
