//! `tidegate execution resume`.

use tidegate_proto::v1::ResumeRequest;

use super::shown;
use crate::{
    connect::RequestId,
    failure::{Exit, Failure},
    session::Session,
};

/// Go on after a pause.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Resume {
    /// The execution's id.
    id: String,
    #[command(flatten)]
    request: RequestId,
}

impl Resume {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let request = ResumeRequest {
            execution: self.id,
            request_id: self.request.get(),
        };
        let answer = session
            .gateway
            .ask(async || {
                let mut executions = session.gateway.executions();
                executions.resume(request.clone()).await
            })
            .await?;
        let execution = shown::expected(answer.execution)?;
        shown::after_request(session, &execution)?;
        Ok(Exit::Ok)
    }
}
