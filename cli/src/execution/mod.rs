//! `tidegate execution`.

mod cancel;
mod cleanup;
mod events;
mod get;
mod hook_runs;
mod list;
mod pause;
mod resume;
mod retry;
mod shown;
mod skip;
mod wait;
mod watch;

use clap::Subcommand;
pub(crate) use shown::expected;

use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Verbs of `tidegate execution`.
#[derive(Debug, Subcommand)]
pub(crate) enum ExecutionCommand {
    /// List executions, newest first.
    List(list::List),
    /// Show an execution with its waves.
    Get(get::Get),
    /// Follow an execution until it is over.
    Watch(watch::WatchArgs),
    /// Wait until an execution is over; exit 0 only if it SUCCEEDED.
    Wait(wait::Wait),
    /// List what happened, oldest first.
    Events(events::Events),
    /// Start nothing further; what is in flight is still followed.
    Pause(pause::Pause),
    /// Go on after a pause.
    Resume(resume::Resume),
    /// Start nothing further and end as CANCELLED.
    Cancel(cancel::Cancel),
    /// Ask again for a wave's failed servers.
    Retry(retry::Retry),
    /// Go on without a wave.
    Skip(skip::Skip),
    /// Terminate the recovery instances that an execution launched.
    Cleanup(cleanup::Cleanup),
}

impl ExecutionCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self {
            Self::List(verb) => verb.run(session).await,
            Self::Get(verb) => verb.run(session).await,
            Self::Watch(verb) => verb.run(session).await,
            Self::Wait(verb) => verb.run(session).await,
            Self::Events(verb) => verb.run(session).await,
            Self::Pause(verb) => verb.run(session).await,
            Self::Resume(verb) => verb.run(session).await,
            Self::Cancel(verb) => verb.run(session).await,
            Self::Retry(verb) => verb.run(session).await,
            Self::Skip(verb) => verb.run(session).await,
            Self::Cleanup(verb) => verb.run(session).await,
        }
    }
}
