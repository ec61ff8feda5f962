//! `tidegate hook get`.

use super::{described, stored};
use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Show a registered hook.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Get {
    /// A digest, or a name for the newest of that name.
    #[arg(value_name = "DIGEST|NAME")]
    hook: String,
}

impl Get {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let hook = stored::get(session, &self.hook).await?;
        session
            .printer
            .one(&hook, &hook.name, described::as_table)?;
        Ok(Exit::Ok)
    }
}
