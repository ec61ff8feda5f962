//! Running a project's build command.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use thiserror::Error;

use super::{EncodeError, Project, encode};

/// Folders, beside `hook.toml` or above it, where languages' own package
/// managers put programs. They come first in the search path, so that a
/// project's pinned tools are taken without being activated.
const TOOLS: [&str; 2] = [".venv/bin", "node_modules/.bin"];

/// Why there is no component.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The program of the build command is not there, or one that it runs.
    #[error("{program} cannot be run ({source}); install it with: {install}")]
    NoProgram {
        /// The program.
        program: String,
        /// How to get it.
        install: String,
        /// What the system says.
        source: io::Error,
    },
    /// The command failed.
    #[error("{command} ended with {status}:\n{said}\nIf a tool is missing: {install}")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: String,
        /// What it said, both streams.
        said: String,
        /// How to get its tools.
        install: String,
    },
    /// The command did not leave what it should.
    #[error("the build left no {}: {source}", path.display())]
    NoOutput {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What it left cannot become a component.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Project {
    /// Runs the build command in the project's folder and makes the component,
    /// manifest included, of what it leaves. Blocks while the command runs.
    ///
    /// # Errors
    /// What went wrong, with how to install what may be missing.
    pub fn build(&self, folder: &Path) -> Result<Vec<u8>, BuildError> {
        self.run(folder)?;
        let path = folder.join(&self.build.output);
        let output = fs::read(&path).map_err(|source| BuildError::NoOutput { path, source })?;
        Ok(encode(&output, &self.hook)?)
    }

    fn run(&self, folder: &Path) -> Result<(), BuildError> {
        let (program, arguments) = self
            .build
            .command
            .split_first()
            .expect("a parsed project has a command");
        let path = search_path(folder);
        let ended = Command::new(locate(program, &path))
            .args(arguments)
            .current_dir(folder)
            .env("PATH", path)
            .stdin(Stdio::null())
            .output()
            .map_err(|source| BuildError::NoProgram {
                program: program.clone(),
                install: self.build.install.clone(),
                source,
            })?;
        if ended.status.success() {
            return Ok(());
        }
        let said = [&ended.stdout, &ended.stderr].map(|said| String::from_utf8_lossy(said));
        Err(BuildError::Failed {
            command: self.build.command.join(" "),
            status: ended.status.to_string(),
            said: said.join("").trim_end().to_owned(),
            install: self.build.install.clone(),
        })
    }
}

fn search_path(folder: &Path) -> OsString {
    // A relative path would be looked up from the folder itself.
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let tools = folder
        .ancestors()
        .flat_map(|above| TOOLS.map(|tools| above.join(tools)))
        .filter(|tools| tools.is_dir());
    let inherited = env::var_os("PATH").unwrap_or_default();
    let all: Vec<PathBuf> = tools.chain(env::split_paths(&inherited)).collect();
    // Only a folder with a colon in its name cannot stand in a search path.
    env::join_paths(all).unwrap_or(inherited)
}

/// Where the program is. `Command` itself searches the parent's path, not the
/// child's, on some systems.
fn locate(program: &str, path: &OsString) -> PathBuf {
    if program.contains('/') {
        return PathBuf::from(program);
    }
    env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| PathBuf::from(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(command: &[&str]) -> Project {
        let command: Vec<String> = command.iter().map(|word| format!("{word:?}")).collect();
        Project::parse(&format!(
            "[hook]\nname = \"a\"\nversion = \"1\"\nphases = [\"pre-wave\"]\n\
             [build]\ncommand = [{}]\noutput = \"a.wasm\"\ninstall = \"pip install a-tool\"\n",
            command.join(", ")
        ))
        .unwrap()
    }

    #[test]
    fn a_tool_that_is_not_there_is_named_with_its_install_command() {
        let folder = tempfile::tempdir().unwrap();
        let error = project(&["no-such-tool"]).build(folder.path()).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("no-such-tool cannot be run"), "{text}");
        assert!(
            text.ends_with("install it with: pip install a-tool"),
            "{text}"
        );
    }

    #[test]
    fn what_a_failing_command_said_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let error = project(&["sh", "-c", "echo out; echo err >&2; exit 3"])
            .build(folder.path())
            .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit status: 3:\nout\nerr"), "{text}");
    }

    #[test]
    fn a_command_that_leaves_nothing_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = project(&["true"]).build(folder.path()).unwrap_err();
        assert!(matches!(error, BuildError::NoOutput { .. }), "{error}");
    }

    #[test]
    fn a_tool_of_a_folder_above_comes_before_the_systems() {
        let above = tempfile::tempdir().unwrap();
        let tools = above.path().join(".venv/bin");
        let folder = above.path().join("hooks/mine");
        fs::create_dir_all(&tools).unwrap();
        fs::create_dir_all(&folder).unwrap();
        fs::write(tools.join("true"), "").unwrap();
        let found = locate("true", &search_path(&folder));
        assert_eq!(found, fs::canonicalize(tools).unwrap().join("true"));
    }
}
