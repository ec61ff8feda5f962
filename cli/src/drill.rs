//! `tidegate drill`.

use clap::Subcommand;
use tidegate_proto::v1::ExecutionKind;

use crate::{
    failure::{Exit, Failure},
    session::Session,
    start::StartArgs,
};

/// Verbs of `tidegate drill`.
#[derive(Debug, Subcommand)]
pub(crate) enum DrillCommand {
    /// Start a drill of a plan.
    ///
    /// With `-o name`, the last line on the standard output is the execution's
    /// id.
    Start(StartArgs),
}

impl DrillCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self {
            Self::Start(args) => args.run(ExecutionKind::Drill, session).await,
        }
    }
}
