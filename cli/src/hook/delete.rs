//! `tidegate hook delete`.

use tidegate_hooks::Digest;
use tidegate_proto::v1::DeleteHookRequest;

use crate::{
    connect::fresh_request_id,
    failure::{Exit, Failure},
    print::Format,
    session::Session,
};

/// Delete a registered hook.
///
/// Refused while a plan, or an execution that is not over, uses it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Delete {
    /// The hook's digest. A name could come to mean another hook.
    digest: Digest,
    /// Do not fail if there is no such hook.
    #[arg(long)]
    allow_missing: bool,
}

impl Delete {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let request = DeleteHookRequest {
            digest: self.digest.to_string(),
            allow_missing: self.allow_missing,
            request_id: fresh_request_id(),
        };
        session
            .gateway
            .ask(async || {
                let mut hooks = session.gateway.hooks();
                hooks.delete_hook(request.clone()).await
            })
            .await?;
        match session.printer.format() {
            Format::Name => session.printer.data(&request.digest)?,
            Format::Table => session
                .printer
                .data(&format!("hook {} deleted", request.digest))?,
            Format::Json | Format::Jsonl | Format::Yaml => session.printer.data("{}")?,
        }
        Ok(Exit::Ok)
    }
}
