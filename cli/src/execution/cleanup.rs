//! `tidegate execution cleanup`.

use tidegate_proto::v1::{CleanUpRequest, Execution, ExecutionKind, GetExecutionRequest};

use super::shown;
use crate::{
    connect::RequestId,
    failure::{Exit, Failure},
    recovery,
    session::Session,
    start,
    watch::{Show, Watch},
};

/// Terminate the recovery instances that an execution launched.
///
/// The instances of a drill cost money until somebody does. Those of a real
/// recovery are production: each is named with --instance, and the plan's name
/// is asked for, or given with --confirm. What the execution did not launch is
/// never terminated.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Cleanup {
    /// The execution whose instances are terminated.
    id: String,
    /// Terminate this instance only; may be repeated. Needed for a recovery.
    #[arg(long = "instance", value_name = "INSTANCE", value_delimiter = ',')]
    instances: Vec<String>,
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
            self.named(session)?;
            let what = "the end of instances that a real recovery launched, a cleanup";
            recovery::confirmed(what, &source.plan, self.confirm, session)?
        } else {
            self.confirm.unwrap_or_default()
        };
        let request = CleanUpRequest {
            execution: self.id,
            request_id: self.request.get(),
            confirm,
            instances: self.instances,
        };
        let answer = session
            .gateway
            .ask(async || {
                let mut executions = session.gateway.executions();
                executions.clean_up(request.clone()).await
            })
            .await?;
        let execution = shown::expected(answer.execution)?;
        if !self.watch {
            shown::after_request(session, &execution)?;
            return Ok(Exit::Ok);
        }
        start::announce(&execution, session)?;
        let show = Show::fitting(session.printer.format());
        let watch = Watch::new(&execution.id, show);
        watch.run(&session.gateway, session.printer).await
    }

    /// Production is never terminated by its execution's name alone.
    fn named(&self, session: &Session) -> Result<(), Failure> {
        if !self.instances.is_empty() {
            return Ok(());
        }
        let list = format!("instances list --execution {}", self.id);
        let list = session.gateway.commands().line(&list);
        Err(Failure::Invalid(format!(
            "{} is a real recovery: name each instance that is to go; nothing was started\n  \
             next: add --instance INSTANCE, as shown by: {list}",
            self.id
        )))
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
