//! `tidegate plan`.

mod apply;
mod delete;
mod diff;
mod get;
mod graph;
mod list;
mod ready;
mod schema;
mod stored;
mod validate;

pub(crate) use apply::apply;
use clap::Subcommand;

use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Verbs of `tidegate plan`.
#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Store a plan file as the plan's newest revision.
    Apply(apply::Apply),
    /// Show a plan; with `-o yaml` as a file that applies back.
    Get(get::Get),
    /// List the newest revision of every plan, or all revisions of one.
    List(list::List),
    /// Check a plan file without a gateway.
    Validate(validate::Validate),
    /// Compare a plan file with the stored plan.
    Diff(diff::Diff),
    /// Print the JSON Schema of plan files, for editors.
    Schema,
    /// Draw the graph of a plan's waves.
    Graph(graph::Graph),
    /// Look at DRS and say what would keep a plan from working now.
    Ready(ready::Ready),
    /// Delete a plan with all its revisions.
    Delete(delete::Delete),
}

impl PlanCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self {
            Self::Apply(verb) => verb.run(session).await,
            Self::Get(verb) => verb.run(session).await,
            Self::List(verb) => verb.run(session).await,
            Self::Validate(verb) => verb.run(session),
            Self::Diff(verb) => verb.run(session).await,
            Self::Schema => schema::run(session.printer),
            Self::Graph(verb) => verb.run(session).await,
            Self::Ready(verb) => verb.run(session).await,
            Self::Delete(verb) => verb.run(session).await,
        }
    }
}
