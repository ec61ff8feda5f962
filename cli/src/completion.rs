//! `tidegate completion`.

use clap_complete::Shell;

use crate::{
    failure::{Exit, Failure},
    print::Printer,
};

/// Print a completion script.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Completion {
    /// The shell that reads it.
    shell: Shell,
}

impl Completion {
    /// Prints the script for the whole tree.
    pub(crate) fn run(self, mut tree: clap::Command, printer: Printer) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut tree, "tidegate", &mut script);
        printer.data(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Ok)
    }
}
