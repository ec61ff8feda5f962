//! `tidegate execution cancel`.

use tidegate_proto::v1::CancelRequest;

use super::shown;
use crate::{
    connect::RequestId,
    failure::{Exit, Failure},
    session::Session,
};

/// Start nothing further, follow running DRS jobs, end as CANCELLED.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Cancel {
    /// The execution's id.
    id: String,
    /// Why, for the record.
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    comment: String,
    #[command(flatten)]
    request: RequestId,
}

impl Cancel {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let request = CancelRequest {
            execution: self.id,
            request_id: self.request.get(),
            comment: self.comment,
        };
        let answer = session
            .gateway
            .ask(async || {
                let mut executions = session.gateway.executions();
                executions.cancel(request.clone()).await
            })
            .await?;
        let execution = shown::expected(answer.execution)?;
        shown::after_request(session, &execution)?;
        Ok(Exit::Ok)
    }
}
