//! Recorded attempts, and the components that decided them.

use std::{collections::BTreeMap, path::PathBuf};

use tidegate_hooks::{Digest, Hook, Host, Tape};
use tidegate_proto::v1::{DownloadTapeRequest, ListTapesRequest, TapeId};

use super::{
    component::{self, Component},
    described, stored,
};
use crate::{failure::Failure, session::Session};

/// Tapes that are listed at once.
const PAGE: i32 = 1_000;

/// Which tapes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct TapeArgs {
    /// All attempts of this execution, from the gateway.
    #[arg(required_unless_present = "tape", conflicts_with = "tape")]
    execution: Option<String>,
    /// A tape that `hook run` wrote; once for each.
    #[arg(long, value_name = "FILE")]
    tape: Vec<PathBuf>,
    /// The component of the tapes [default: asked of the gateway by the tape's digest].
    #[arg(
        long,
        value_name = "FILE",
        requires = "tape",
        conflicts_with = "execution"
    )]
    component: Option<PathBuf>,
}

/// Where a tape is.
#[derive(Clone, Debug)]
enum Place {
    Gateway(TapeId),
    File(PathBuf),
}

/// One recorded attempt.
#[derive(Debug)]
pub(super) struct Take {
    /// What people call it.
    pub(super) label: String,
    /// The record.
    pub(super) tape: Tape,
    /// The component.
    pub(super) hook: Hook,
}

/// Takes, one at a time: a tape can have some MiB, and an execution thousands.
pub(super) struct Takes<'a> {
    session: &'a Session,
    host: &'a Host,
    places: std::vec::IntoIter<Place>,
    /// What `--component` says.
    component: Option<Hook>,
    hooks: BTreeMap<Digest, Hook>,
}

impl TapeArgs {
    /// Finds the tapes.
    ///
    /// # Errors
    /// The gateway does not know the execution, or there is no such component.
    pub(super) async fn takes<'a>(
        &self,
        session: &'a Session,
        host: &'a Host,
    ) -> Result<Takes<'a>, Failure> {
        let places = match &self.execution {
            Some(execution) => recorded(session, execution).await?,
            None => self.tape.iter().cloned().map(Place::File).collect(),
        };
        let component = match &self.component {
            Some(path) => Some(Component::read(path)?.prepare(host).await?),
            None => None,
        };
        Ok(Takes {
            session,
            host,
            places: places.into_iter(),
            component,
            hooks: BTreeMap::new(),
        })
    }
}

impl Takes<'_> {
    /// The next take.
    ///
    /// # Errors
    /// Its tape or its component cannot be had.
    pub(super) async fn next(&mut self) -> Result<Option<Take>, Failure> {
        let Some(place) = self.places.next() else {
            return Ok(None);
        };
        let (label, text) = match &place {
            Place::File(path) => (path.display().to_string(), component::read_text(path)?),
            Place::Gateway(id) => (label(id), get(self.session, id).await?),
        };
        let tape = parse(&text).map_err(|why| Failure::Invalid(format!("{label}: {why}")))?;
        let hook = self.hook(&tape.digest).await?;
        Ok(Some(Take { label, tape, hook }))
    }

    async fn hook(&mut self, digest: &Digest) -> Result<Hook, Failure> {
        if let Some(hook) = self.component.as_ref().or_else(|| self.hooks.get(digest)) {
            return Ok(hook.clone());
        }
        let bytes = stored::download(self.session, digest).await?;
        let hook = component::prepare(self.host, &digest.to_string(), &bytes).await?;
        self.hooks.insert(*digest, hook.clone());
        Ok(hook)
    }
}

async fn recorded(session: &Session, execution: &str) -> Result<Vec<Place>, Failure> {
    let mut request = ListTapesRequest {
        execution: execution.to_owned(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut places = Vec::new();
    loop {
        let page = session
            .gateway
            .ask(async || {
                let mut hooks = session.gateway.hooks();
                hooks.list_tapes(request.clone()).await
            })
            .await?;
        places.extend(page.tapes.into_iter().map(Place::Gateway));
        if page.next_page_token.is_empty() {
            return Ok(places);
        }
        request.page_token = page.next_page_token;
    }
}

async fn get(session: &Session, id: &TapeId) -> Result<String, Failure> {
    let request = DownloadTapeRequest {
        id: Some(id.clone()),
    };
    let mut parts = session
        .gateway
        .ask(async || {
            let mut hooks = session.gateway.hooks();
            hooks.download_tape(request.clone()).await
        })
        .await?;
    let mut bytes = Vec::new();
    while let Some(part) = parts
        .message()
        .await
        .map_err(|status| session.gateway.failure(status))?
    {
        bytes.extend_from_slice(&part.data);
    }
    String::from_utf8(bytes).map_err(|_| {
        let what = format!("the tape of {} is no text; is that a Tidegate?", label(id));
        Failure::Other(what)
    })
}

fn label(id: &TapeId) -> String {
    format!(
        "{} {} {} attempt {}",
        id.wave,
        described::phase_name(id.phase()),
        id.index + 1,
        id.attempt
    )
}

fn parse(text: &str) -> Result<Tape, String> {
    let tape: Tape =
        serde_json::from_str(text).map_err(|error| format!("this is not a tape: {error}"))?;
    if tape.format == Tape::FORMAT {
        Ok(tape)
    } else {
        Err(format!(
            "the tape is of format {}, and this program reads {}",
            tape.format,
            Tape::FORMAT
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_tape_says_so() {
        for text in ["", "{}", "[1]", "\0\0", "{\"format\": 1}"] {
            let said = parse(text).unwrap_err();
            assert!(said.contains("not a tape"), "{said}");
        }
    }

    #[test]
    fn an_attempt_is_called_by_its_wave_and_its_number() {
        let id = TapeId {
            execution: "01J".to_owned(),
            wave: "web".to_owned(),
            phase: tidegate_proto::v1::HookPhase::PostWave.into(),
            index: 0,
            attempt: 2,
        };
        assert_eq!(label(&id), "web post-wave 1 attempt 2");
    }
}
