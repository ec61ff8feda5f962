//! `tidegate recovery`: a real failover. It wants the plan's name a second
//! time, typed or as `--confirm`.

use std::io::{self, BufRead, IsTerminal as _};

use clap::Subcommand;
use tidegate_proto::v1::ExecutionKind;

use crate::{
    failure::{Exit, Failure},
    session::Session,
    start::StartArgs,
};

/// Verbs of `tidegate recovery`.
#[derive(Debug, Subcommand)]
pub(crate) enum RecoveryCommand {
    /// Start a real recovery of a plan.
    ///
    /// At a terminal, the plan's name is asked for; elsewhere, --confirm gives
    /// it.
    Start {
        #[command(flatten)]
        args: StartArgs,
        /// The plan's name, again.
        #[arg(long, value_name = "PLAN")]
        confirm: Option<String>,
    },
}

impl RecoveryCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self {
            Self::Start { args, confirm } => {
                let question = "a real recovery";
                confirmed(question, &args.plan, confirm, session)?;
                args.run(ExecutionKind::Recovery, session).await
            }
        }
    }
}

/// Sees that the plan's name was given a second time, and asks for it if
/// somebody is there.
///
/// # Errors
/// It was not, or differently.
pub(crate) fn confirmed(
    what: &str,
    plan: &str,
    confirm: Option<String>,
    session: &Session,
) -> Result<String, Failure> {
    let typed = match confirm {
        Some(name) => Some(name),
        None if io::stdin().is_terminal() => {
            session.printer.note(&format!(
                "This is {what} of plan {plan}. Type the plan's name to go on:"
            ));
            io::stdin().lock().lines().next().transpose()?
        }
        None => None,
    };
    checked(what, plan, typed)
}

fn checked(what: &str, plan: &str, typed: Option<String>) -> Result<String, Failure> {
    match typed {
        Some(name) if name.trim() == plan => Ok(plan.to_owned()),
        Some(name) => Err(Failure::Invalid(format!(
            "{:?} is not the plan's name {plan:?}; nothing was started",
            name.trim()
        ))),
        None => Err(Failure::Invalid(format!(
            "{what} wants the plan's name a second time; nothing was started\n  \
             next: add --confirm {plan}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plans_own_name_confirms() {
        let check = |typed: Option<&str>| checked("it", "shop", typed.map(str::to_owned)).is_ok();
        assert!(check(Some("shop")));
        assert!(check(Some("shop\n")));
        assert!(!check(Some("shopp")));
        assert!(!check(Some("")));
        assert!(!check(Some("yes")));
        assert!(!check(None));
    }
}
