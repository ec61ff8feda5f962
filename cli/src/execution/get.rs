//! `tidegate execution get`.

use tidegate_proto::v1::GetExecutionRequest;

use super::shown;
use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Show an execution with its waves.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Get {
    /// The execution's id.
    id: String,
    /// With all that is known of its hooks.
    #[arg(long, short)]
    verbose: bool,
}

impl Get {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let request = GetExecutionRequest { execution: self.id };
        let answer = session
            .gateway
            .ask(async || {
                let mut executions = session.gateway.executions();
                executions.get_execution(request.clone()).await
            })
            .await?;
        let execution = shown::expected(answer.execution)?;
        session
            .printer
            .one(&execution, &execution.id, |execution| {
                let commands = session.gateway.commands();
                shown::full(execution, &answer.outstanding, commands, self.verbose)
            })?;
        Ok(Exit::Ok)
    }
}
