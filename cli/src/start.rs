//! What `drill start` and `recovery start` share once it is settled which of
//! the two it is.

use tidegate_proto::v1::{Execution, ExecutionKind, StartExecutionRequest};

use crate::{
    connect::RequestId,
    execution,
    failure::{Exit, Failure},
    names,
    print::Format,
    session::Session,
    watch::{Show, Watch},
};

/// What to start.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StartArgs {
    /// Name of the plan.
    pub(crate) plan: String,
    /// Revision of the plan [default: the newest].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    revision: u64,
    /// Follow the execution to its end.
    #[arg(long, short)]
    watch: bool,
    #[command(flatten)]
    request: RequestId,
}

impl StartArgs {
    /// Starts it and prints it; then follows it, if that is wanted.
    pub(crate) async fn run(self, kind: ExecutionKind, session: &Session) -> Result<Exit, Failure> {
        let request = StartExecutionRequest {
            plan: self.plan,
            plan_revision: self.revision,
            kind: kind.into(),
            request_id: self.request.get(),
        };
        let execution = start(session, request).await?;
        if !self.watch {
            session
                .printer
                .one(&execution, &execution.id, |execution| {
                    started(execution, session)
                })?;
            return Ok(Exit::Ok);
        }
        announce(&execution, session)?;
        let show = Show::fitting(session.printer.format());
        let watch = Watch::new(&execution.id, show);
        watch.run(&session.gateway, session.printer).await
    }
}

/// Starts an execution.
///
/// # Errors
/// The gateway refuses it or cannot be reached.
pub(crate) async fn start(
    session: &Session,
    request: StartExecutionRequest,
) -> Result<Execution, Failure> {
    let answer = session
        .gateway
        .ask(async || {
            let mut executions = session.gateway.executions();
            executions.start_execution(request.clone()).await
        })
        .await?;
    execution::expected(answer.execution)
}

/// Says what is about to be followed.
///
/// # Errors
/// The standard output is closed.
pub(crate) fn announce(execution: &Execution, session: &Session) -> Result<(), Failure> {
    if session.printer.format() == Format::Name {
        session.printer.data(&execution.id)?;
    }
    session.printer.note(&started(execution, session));
    Ok(())
}

fn started(execution: &Execution, session: &Session) -> String {
    format!(
        "{} of {} revision {} started: {}\n  watch it: {}",
        names::kind(execution.kind()),
        execution.plan,
        execution.plan_revision,
        execution.id,
        session.gateway.commands().watch(&execution.id)
    )
}
