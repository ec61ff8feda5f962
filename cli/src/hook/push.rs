//! `tidegate hook push`.

use std::{path::PathBuf, time::Duration};

use tidegate_hooks::Digest;
use tidegate_proto::v1::{Hook, RegisterHookRequest, RegisterHookResponse};

use super::{component::Component, stored};
use crate::{
    built_in,
    failure::{Exit, Failure},
    print::Format,
    session::Session,
};

/// Bytes of a component in one message.
const PART: usize = 256 << 10;

/// The gateway compiles before it answers, which may take a minute, after
/// others have had their turn.
const PATIENCE: Duration = Duration::from_secs(180);

/// Register a component with the gateway.
///
/// The same bytes again are found there already. Plans pin the digest that is
/// printed.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Push {
    /// The component, the folder in which `hook build` left it, or the name of
    /// a hook that comes with the program: http-healthy, launch-fresh, quorum
    /// or tcp-reachable.
    #[arg(value_name = "FILE|DIR|NAME")]
    component: PathBuf,
}

impl Push {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let bytes = self.bytes()?;
        let answer = send(session, &bytes).await?;
        show(session, &answer)?;
        Ok(Exit::Ok)
    }

    /// A file or folder of that name counts more than a hook that comes with
    /// the program.
    fn bytes(&self) -> Result<Vec<u8>, Failure> {
        let name = self.component.to_str().unwrap_or_default();
        match built_in::find(name) {
            Some(hook) if !self.component.exists() => Ok(hook.component()?),
            Some(_) | None => Ok(Component::read(&self.component)?.bytes),
        }
    }
}

/// Registers a component.
///
/// # Errors
/// The gateway refuses it.
pub(crate) async fn register(session: &Session, component: &[u8]) -> Result<Hook, Failure> {
    let answer = send(session, component).await?;
    stored::expected(answer.hook)
}

async fn send(session: &Session, component: &[u8]) -> Result<RegisterHookResponse, Failure> {
    let parts = parts(component);
    let send = async || {
        let mut hooks = session.gateway.hooks();
        let parts = tokio_stream::iter(parts.clone());
        hooks.register_hook(parts).await
    };
    session.gateway.ask_within(PATIENCE, send).await
}

fn parts(component: &[u8]) -> Vec<RegisterHookRequest> {
    let mut parts: Vec<RegisterHookRequest> = component
        .chunks(PART)
        .map(|part| RegisterHookRequest {
            data: part.to_vec(),
            ..RegisterHookRequest::default()
        })
        .collect();
    if let Some(first) = parts.first_mut() {
        first.digest = Digest::of(component).to_string();
        first.size_bytes = component.len() as u64;
    }
    parts
}

fn show(session: &Session, answer: &RegisterHookResponse) -> Result<(), Failure> {
    let hook = stored::expected(answer.hook.clone())?;
    if session.printer.format() == Format::Name {
        return session.printer.data(&hook.name);
    }
    session.printer.one(answer, &hook.name, |answer| {
        let word = if answer.created {
            "registered"
        } else {
            "there already"
        };
        format!(
            "hook {} version {} {word}\n{}",
            hook.name, hook.version, hook.digest
        )
    })
}
