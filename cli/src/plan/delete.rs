//! `tidegate plan delete`.

use tidegate_proto::v1::DeletePlanRequest;

use crate::{
    connect::RequestId,
    failure::{Exit, Failure},
    print::Format,
    session::Session,
};

/// Delete a plan with all its revisions.
///
/// Executions keep the revision that they pinned. Refused while one of them is
/// not over.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Delete {
    /// Name of the plan.
    plan: String,
    /// Do not fail if there is no such plan.
    #[arg(long)]
    allow_missing: bool,
    #[command(flatten)]
    request: RequestId,
}

impl Delete {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let request = DeletePlanRequest {
            name: self.plan,
            allow_missing: self.allow_missing,
            request_id: self.request.get(),
        };
        session
            .gateway
            .ask(async || {
                let mut plans = session.gateway.plans();
                plans.delete_plan(request.clone()).await
            })
            .await?;
        match session.printer.format() {
            Format::Name => session.printer.data(&request.name)?,
            Format::Table => session
                .printer
                .data(&format!("plan {} deleted", request.name))?,
            Format::Json | Format::Jsonl | Format::Yaml => session.printer.data("{}")?,
        }
        Ok(Exit::Ok)
    }
}
