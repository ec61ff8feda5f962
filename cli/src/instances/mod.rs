//! `tidegate instances`: what DRS has running, and what it costs somebody.

mod list;

use clap::Subcommand;

use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Verbs of `tidegate instances`.
#[derive(Debug, Subcommand)]
pub(crate) enum InstancesCommand {
    /// List recovery instances with who launched them, and how long ago.
    List(list::List),
}

impl InstancesCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self {
            Self::List(verb) => verb.run(session).await,
        }
    }
}
