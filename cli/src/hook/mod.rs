//! `tidegate hook`: for who writes hooks, and for who must show what a hook
//! decided.
//!
//! What runs a hook here is what runs it in a gateway, so a verdict on this
//! machine is the verdict there.

mod bench;
mod build;
mod compiler;
mod component;
mod delete;
mod described;
mod get;
mod headroom;
mod inspect;
mod limits;
mod list;
mod new;
mod numbers;
mod push;
mod replay;
mod run;
mod sensitivity;
mod stored;
mod tapes;
mod targets;
mod test;

use clap::Subcommand;
pub(crate) use compiler::is_compiler;
pub(crate) use push::register;

use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Verbs of `tidegate hook`.
#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    /// Begin a hook: a folder that builds, with the contract and its tests.
    New(new::New),
    /// Make the component: run the project's own build, add the manifest.
    Build(build::Build),
    /// Say what a component is, needs and imports.
    Inspect(inspect::Inspect),
    /// Run a hook's vectors, and see how far it is from its limits.
    Test(test::Test),
    /// Ask a hook once about live servers and endpoints.
    Run(run::Run),
    /// Make recorded decisions again and compare.
    Replay(replay::Replay),
    /// Find out what moves recorded decisions; a hook that nothing moves is no gate.
    Sensitivity(sensitivity::Sensitivity),
    /// Measure how long a hook takes.
    Bench(bench::Bench),
    /// Register a component with the gateway.
    Push(push::Push),
    /// List registered hooks.
    List,
    /// Show a registered hook.
    Get(get::Get),
    /// Delete a registered hook.
    Delete(delete::Delete),
}

impl HookCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self {
            Self::New(verb) => verb.run(session.printer),
            Self::Build(verb) => verb.run(session.printer).await,
            Self::Inspect(verb) => verb.run(session).await,
            Self::Test(verb) => verb.run(session.printer).await,
            Self::Run(verb) => verb.run(session.printer).await,
            Self::Replay(verb) => verb.run(session).await,
            Self::Sensitivity(verb) => verb.run(session).await,
            Self::Bench(verb) => verb.run(session.printer).await,
            Self::Push(verb) => verb.run(session).await,
            Self::List => list::run(session).await,
            Self::Get(verb) => verb.run(session).await,
            Self::Delete(verb) => verb.run(session).await,
        }
    }
}
