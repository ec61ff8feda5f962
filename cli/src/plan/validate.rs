//! `tidegate plan validate`.

use tidegate_plan_file::Written;

use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Check a plan file without a gateway: its syntax, its graph, its limits.
///
/// What only DRS knows (do the servers exist, do they replicate) is checked by
/// `plan ready`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Validate {
    /// The plan file, or - for the standard input.
    file: String,
}

impl Validate {
    /// Runs the verb.
    pub(super) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let written = Written::read(&self.file)?;
        written.check()?;
        session
            .printer
            .one(&written.plan, &written.plan.name, |plan| {
                let waves = plan.spec.as_ref().map_or(0, |spec| spec.waves.len());
                format!(
                    "{}: plan {} is valid ({waves} waves)",
                    written.name(),
                    plan.name
                )
            })?;
        Ok(Exit::Ok)
    }
}
