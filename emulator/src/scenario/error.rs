//! Why a scenario cannot be used.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::faults::FaultError;
use crate::model::{InvalidId, SourceServerId};

/// A scenario that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file could not be read.
    #[error("cannot read the scenario {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a scenario.
    #[error("not a scenario: {0}")]
    Syntax(String),
    /// A name that does not have its pattern.
    #[error("not a scenario: {0}")]
    Id(#[from] InvalidId),
    /// A duration, fraction or count that makes no sense.
    #[error("{place}: {member} is {value}, which is not {expected}")]
    Number {
        /// Where in the file.
        place: String,
        /// Which member.
        member: &'static str,
        /// What it is.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// A server that appears twice.
    #[error("source server {0} appears more than once")]
    DuplicateServer(SourceServerId),
    /// A server that is to be unhealthy, but that serves nothing or is not there.
    #[error("there is no source server {0} with a workload")]
    NoWorkload(SourceServerId),
    /// A workload that is unhealthy both for a while and until it is told.
    #[error("{0}: unhealthyFor and unhealthyUntilTold exclude each other")]
    TwoAilments(SourceServerId),
    /// Faults that make no sense.
    #[error(transparent)]
    Faults(#[from] FaultError),
    /// A start outside of 1970 to 9000.
    #[error("start is {0}, which is not between 1970 and 9000")]
    Start(Timestamp),
    /// A scenario without any place.
    #[error("the fleet is empty: at least one account and Region is needed")]
    EmptyFleet,
}
