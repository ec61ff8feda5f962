//! `tidegate plan apply`.

use tidegate_plan_file::Written;
use tidegate_proto::v1::{Plan, UpdatePlanRequest};
use tonic::Code;
use tonic_types::StatusExt;

use super::stored;
use crate::{
    connect::RequestId,
    failure::{Exit, Failure},
    session::Session,
};

/// Store a plan file as the plan's newest revision.
///
/// Equal content adds no revision.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Apply {
    /// The plan file, or - for the standard input.
    file: String,
    #[command(flatten)]
    request: RequestId,
}

impl Apply {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let written = Written::read(&self.file)?;
        let (plan, changed) = apply(session, &written, self.request.get()).await?;
        session.printer.one(&plan, &plan.name, |plan| {
            let word = if changed { "applied" } else { "unchanged" };
            format!(
                "plan {} revision {} {word}\n{}",
                plan.name, plan.revision, plan.digest
            )
        })?;
        Ok(Exit::Ok)
    }
}

/// Stores a plan; says whether that changed it.
///
/// # Errors
/// The gateway refuses it or cannot be reached. Mistakes are shown in the file.
pub(crate) async fn apply(
    session: &Session,
    written: &Written,
    request_id: String,
) -> Result<(Plan, bool), Failure> {
    let request = UpdatePlanRequest {
        plan: Some(written.plan.clone()),
        allow_missing: true,
        request_id,
    };
    let answer = session
        .gateway
        .ask(async || {
            let mut plans = session.gateway.plans();
            plans.update_plan(request.clone()).await
        })
        .await
        .map_err(|failure| in_the_file(failure, written))?;
    Ok((stored::expected(answer.plan)?, answer.changed))
}

/// Shows field violations where the fields are written.
fn in_the_file(failure: Failure, written: &Written) -> Failure {
    let Failure::Refused { ref status, .. } = failure else {
        return failure;
    };
    let details = status.get_error_details();
    match details.bad_request() {
        Some(bad) if status.code() == Code::InvalidArgument && !bad.is_empty() => {
            let violations = bad.field_violations.iter();
            let pairs = violations.map(|it| (it.field.as_str(), it.description.as_str()));
            written.violations(pairs).into()
        }
        _ => failure,
    }
}
