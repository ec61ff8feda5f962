//! `tidegate execution skip`.

use tidegate_proto::v1::SkipWaveRequest;

use super::shown;
use crate::{
    connect::RequestId,
    failure::{Exit, Failure},
    session::Session,
};

/// Go on without a wave; what waits for it may start.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Skip {
    /// The execution's id.
    id: String,
    /// The wave's name.
    wave: String,
    #[command(flatten)]
    request: RequestId,
}

impl Skip {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let request = SkipWaveRequest {
            execution: self.id,
            wave: self.wave,
            request_id: self.request.get(),
        };
        let answer = session
            .gateway
            .ask(async || {
                let mut executions = session.gateway.executions();
                executions.skip_wave(request.clone()).await
            })
            .await?;
        let execution = shown::expected(answer.execution)?;
        shown::after_request(session, &execution)?;
        Ok(Exit::Ok)
    }
}
