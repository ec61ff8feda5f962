//! A hook's source folder: what its `hook.toml` says, how its component is
//! built, and the folder that a new hook begins with.
//!
//! Everything that differs between languages is in `hook.toml`: a command and
//! the file that it leaves, which is a component or a core module. Nothing
//! here knows a language's tools.

mod build;
mod encode;
mod template;

use std::path::PathBuf;

use serde::Deserialize;
use thiserror::Error;

pub use build::BuildError;
pub use encode::{EncodeError, encode};
pub use template::Language;

use crate::Manifest;

/// Name of the file in a hook's folder.
pub const PROJECT_FILE: &str = "hook.toml";

/// What `hook.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its vectors, beside `hook.toml`.
    #[serde(default = "default_vectors")]
    pub vectors: PathBuf,
    /// What goes into the component.
    pub hook: Manifest,
    /// How the component comes to be.
    pub build: Build,
}

/// How a component comes to be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// A program and its arguments, run in the hook's folder. No shell.
    pub command: Vec<String>,
    /// What the command leaves, beside `hook.toml`: a component, or a core
    /// module, of which a component is made.
    pub output: PathBuf,
    /// How to get the command's program, for whoever lacks it.
    pub install: String,
}

/// Not a `hook.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ProjectError {
    /// With the line, the column and the field.
    pub message: String,
}

fn default_vectors() -> PathBuf {
    PathBuf::from("vectors.yaml")
}

impl Project {
    /// Reads a `hook.toml`.
    ///
    /// # Errors
    /// The first mistake.
    pub fn parse(text: &str) -> Result<Self, ProjectError> {
        let project: Self = toml::from_str(text).map_err(|error| ProjectError {
            message: error.to_string(),
        })?;
        project.hook.check().map_err(|error| ProjectError {
            message: format!("hook.{error}"),
        })?;
        if project.build.command.is_empty() {
            return Err(ProjectError {
                message: "build.command: write a program and its arguments".to_owned(),
            });
        }
        Ok(project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        let text = "[hook]\nname = \"a\"\nversion = \"1\"\nphases = [\"mid-wave\"]\n";
        let error = Project::parse(text).unwrap_err().to_string();
        assert!(
            error.contains("line 4") && error.contains("mid-wave"),
            "{error}"
        );
    }

    #[test]
    fn a_manifest_that_no_host_would_take_is_refused() {
        let text = "[hook]\nname = \"A\"\nversion = \"1\"\nphases = [\"pre-wave\"]\n\
            [build]\ncommand = [\"true\"]\noutput = \"a.wasm\"\ninstall = \"none\"\n";
        let error = Project::parse(text).unwrap_err().to_string();
        assert!(error.starts_with("hook.name: "), "{error}");
    }

    #[test]
    fn a_project_without_a_command_is_refused() {
        let text = "[hook]\nname = \"a\"\nversion = \"1\"\nphases = [\"pre-wave\"]\n\
            [build]\ncommand = []\noutput = \"a.wasm\"\ninstall = \"none\"\n";
        let error = Project::parse(text).unwrap_err().to_string();
        assert!(error.starts_with("build.command"), "{error}");
    }
}
