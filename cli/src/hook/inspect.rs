//! `tidegate hook inspect`.

use std::path::Path;

use super::{component::Component, described, stored};
use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Say what a component is, needs and imports.
///
/// A file or folder is read without a gateway; a digest or a name is asked of
/// the gateway. Nothing is run.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Inspect {
    /// A component's file, a built project's folder, a digest or a name.
    #[arg(value_name = "FILE|DIGEST|NAME")]
    hook: String,
}

impl Inspect {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let path = Path::new(&self.hook);
        let hook = if path.exists() || looks_like_a_path(&self.hook) {
            let component = Component::read(path)?;
            described::hook(&component.inspection, component.bytes.len() as u64)
        } else {
            stored::get(session, &self.hook).await?
        };
        session
            .printer
            .one(&hook, &hook.name, described::as_table)?;
        Ok(Exit::Ok)
    }
}

/// Neither a hook's name nor a digest has a dot or a slash, so a mistyped path
/// is not asked of a gateway.
fn looks_like_a_path(text: &str) -> bool {
    text.contains(['.', '/'])
}
