//! `tidegate execution retry`.

use tidegate_proto::v1::RetryWaveRequest;

use super::shown;
use crate::{
    connect::RequestId,
    failure::{Exit, Failure},
    session::Session,
};

/// Ask again for a wave's failed servers, or its failed checks.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Retry {
    /// The execution's id.
    id: String,
    /// The wave's name.
    wave: String,
    #[command(flatten)]
    request: RequestId,
}

impl Retry {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let request = RetryWaveRequest {
            execution: self.id,
            wave: self.wave,
            request_id: self.request.get(),
        };
        let answer = session
            .gateway
            .ask(async || {
                let mut executions = session.gateway.executions();
                executions.retry_wave(request.clone()).await
            })
            .await?;
        let execution = shown::expected(answer.execution)?;
        shown::after_request(session, &execution)?;
        Ok(Exit::Ok)
    }
}
