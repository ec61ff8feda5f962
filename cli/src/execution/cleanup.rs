//! `tidegate execution cleanup`.

use tidegate_proto::v1::{CleanUpRequest, Execution, ExecutionKind, GetExecutionRequest};

use super::shown;
use crate::{
    connect::RequestId,
    failure::{Exit, Failure},
    recovery,
    session::Session,
    watch::{Show, Watch},
};

/// Terminate the recovery instances that an execution launched.
///
/// The instances of a drill cost money until somebody does. Those of a real
/// recovery are production: the plan's name is asked for, or given with
/// --confirm.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Cleanup {
    /// The execution whose instances are terminated.
    id: String,
    /// The plan's name; needed for a recovery.
    #[arg(long, value_name = "PLAN")]
    confirm: Option<String>,
    /// Follow the cleanup to its end.
    #[arg(long, short)]
    watch: bool,
    #[command(flatten)]
    request: RequestId,
}

impl Cleanup {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let source = get(session, &self.id).await?;
        let confirm = if source.kind() == ExecutionKind::Recovery {
            let what = "the end of the instances that a real recovery launched, a cleanup";
            recovery::confirmed(what, &source.plan, self.confirm, session)?
        } else {
            self.confirm.unwrap_or_default()
        };
        let request = CleanUpRequest {
            execution: self.id,
            request_id: self.request.get(),
            confirm,
        };
        let answer = session
            .gateway
            .ask(async || {
                let mut executions = session.gateway.executions();
                executions.clean_up(request.clone()).await
            })
            .await?;
        let execution = shown::expected(answer.execution)?;
        shown::after_request(session, &execution)?;
        if !self.watch {
            return Ok(Exit::Ok);
        }
        let show = Show::fitting(session.printer.format());
        let watch = Watch::new(&execution.id, show);
        watch.run(&session.gateway, session.printer).await
    }
}

async fn get(session: &Session, id: &str) -> Result<Execution, Failure> {
    let request = GetExecutionRequest {
        execution: id.to_owned(),
    };
    let answer = session
        .gateway
        .ask(async || {
            let mut executions = session.gateway.executions();
            executions.get_execution(request.clone()).await
        })
        .await?;
    shown::expected(answer.execution)
}
