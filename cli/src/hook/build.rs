//! `tidegate hook build`.

use std::path::PathBuf;

use super::{
    component::{Component, Folder},
    described, numbers,
};
use crate::{
    failure::{Exit, Failure},
    print::{Format, Printer},
};

/// Make the component: run the project's own build, add the manifest.
///
/// hook.toml says which command that is. A core module becomes a component.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Build {
    /// The project's folder.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

impl Build {
    /// Runs the verb.
    pub(super) async fn run(self, printer: Printer) -> Result<Exit, Failure> {
        let built = build(&self.dir, printer).await?;
        let path = built.path.display().to_string();
        if printer.format() == Format::Name {
            printer.data(&path)?;
            return Ok(Exit::Ok);
        }
        let size = built.bytes.len() as u64;
        let hook = described::hook(&built.inspection, size);
        printer.one(&hook, &path, |hook| {
            format!("{path}\n{}\n{}", numbers::bytes(size), hook.digest)
        })?;
        Ok(Exit::Ok)
    }
}

/// Builds a project's component, and says what is run.
pub(super) async fn build(dir: &std::path::Path, printer: Printer) -> Result<Component, Failure> {
    let folder = Folder::open(dir)?;
    printer.note(&format!(
        "running {}",
        folder.project.build.command.join(" ")
    ));
    folder.build().await
}
