//! Components and projects on this machine.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use tidegate_hooks::{
    COMPONENT_BYTES, Hook, Host, InspectError, Inspection, PROJECT_FILE, PrepareError, Project,
    VectorFile, inspect,
};

use crate::failure::Failure;

/// The vectors of a component beside which there is no project.
const VECTORS: &str = "vectors.yaml";

/// A component that is a hook.
#[derive(Debug)]
pub(super) struct Component {
    /// Where it is.
    pub(super) path: PathBuf,
    /// All of it.
    pub(super) bytes: Vec<u8>,
    /// What it says about itself.
    pub(super) inspection: Inspection,
}

/// A folder with a `hook.toml`.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// What the file says.
    pub(super) project: Project,
}

impl Component {
    /// Reads a component, or the one that `hook build` left in a folder.
    ///
    /// # Errors
    /// There is none, or it is no hook; the text says what it is instead.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        if !path.is_dir() {
            return Self::of(path.to_owned(), bytes(path)?);
        }
        let built = Folder::open(path)?.component();
        if !built.exists() {
            return Err(Failure::Invalid(format!(
                "{} is not there; build it first: tidegate hook build {}",
                built.display(),
                path.display()
            )));
        }
        let bytes = bytes(&built)?;
        Self::of(built, bytes)
    }

    /// Takes these bytes for the component at `path`.
    ///
    /// # Errors
    /// They are no hook.
    pub(super) fn of(path: PathBuf, bytes: Vec<u8>) -> Result<Self, Failure> {
        let inspection =
            inspect(&bytes).map_err(|error| no_hook(&path.display().to_string(), &error))?;
        Ok(Self {
            path,
            bytes,
            inspection,
        })
    }

    /// Compiles it.
    ///
    /// # Errors
    /// It does not compile within its limits.
    pub(super) async fn prepare(&self, host: &Host) -> Result<Hook, Failure> {
        prepare(host, &self.path.display().to_string(), &self.bytes).await
    }

    /// Its vectors: those of `file`, or those that lie beside it.
    ///
    /// # Errors
    /// There are none, or they have a mistake.
    pub(super) fn vectors(&self, file: Option<&Path>) -> Result<VectorFile, Failure> {
        let path = match file {
            Some(file) => file.to_owned(),
            None => self.vectors_beside()?,
        };
        let text = read_text(&path).map_err(|failure| match file {
            Some(_) => failure,
            None => Failure::Invalid(format!("{failure}; --vectors says where they are")),
        })?;
        VectorFile::parse(&text)
            .map_err(|error| Failure::Invalid(format!("{}: {error}", path.display())))
    }

    fn vectors_beside(&self) -> Result<PathBuf, Failure> {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        if folder.join(PROJECT_FILE).exists() {
            return Ok(folder.join(Folder::open(folder)?.project.vectors));
        }
        Ok(folder.join(VECTORS))
    }
}

impl Folder {
    /// Reads the project of a folder.
    ///
    /// # Errors
    /// There is none, or it has a mistake.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let file = path.join(PROJECT_FILE);
        let wrong = |error: String| Failure::Invalid(format!("{}: {error}", file.display()));
        if !file.exists() {
            return Err(wrong(
                "there is no such file; tidegate hook new begins a hook".to_owned(),
            ));
        }
        let project =
            Project::parse(&read_text(&file)?).map_err(|error| wrong(error.to_string()))?;
        // Its name becomes a file's name.
        let checked = project.hook.check();
        checked.map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            project,
        })
    }

    /// Where `hook build` leaves the component.
    pub(super) fn component(&self) -> PathBuf {
        self.path.join(format!("{}.wasm", self.project.hook.name))
    }

    /// Runs the project's build and leaves the component.
    ///
    /// # Errors
    /// What went wrong, with how to install what is missing.
    pub(super) async fn build(self) -> Result<Component, Failure> {
        let path = self.component();
        let built = tokio::task::spawn_blocking(move || self.project.build(&self.path)).await;
        let bytes = built
            .map_err(|error| Failure::Other(format!("the build broke off: {error}")))?
            .map_err(|error| Failure::Other(error.to_string()))?;
        let component = Component::of(path, bytes)?;
        fs::write(&component.path, &component.bytes).map_err(|error| {
            Failure::Other(format!(
                "cannot write {}: {error}",
                component.path.display()
            ))
        })?;
        Ok(component)
    }
}

/// Compiles a component that is called so.
///
/// # Errors
/// It is no hook, or does not compile within its limits.
pub(super) async fn prepare(host: &Host, name: &str, bytes: &[u8]) -> Result<Hook, Failure> {
    host.prepare(bytes).await.map_err(|error| match error {
        PrepareError::Inspect(error) => no_hook(name, &error),
        PrepareError::Compile(_) | PrepareError::Load(_) | PrepareError::Link(_) => {
            Failure::Invalid(format!("{name}: {error}"))
        }
    })
}

/// Says what is there instead of a hook.
pub(super) fn no_hook(name: &str, error: &InspectError) -> Failure {
    Failure::Invalid(format!("{name}: {error}"))
}

/// All of a file, unless it is larger than any component.
fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let most = COMPONENT_BYTES as u64 + 1;
    fs::File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

/// All of a text.
///
/// # Errors
/// It cannot be read.
pub(super) fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Invalid(format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[hook]\nname = {name:?}\nversion = \"1\"\nphases = [\"pre-wave\"]\n\
             [build]\ncommand = [\"true\"]\noutput = \"out.wasm\"\ninstall = \"none\"\n"
        );
        fs::write(folder.path().join(PROJECT_FILE), text).unwrap();
        folder
    }

    #[test]
    fn a_folder_that_is_not_built_says_how() {
        let folder = folder("db-ready");
        let said = Component::read(folder.path()).unwrap_err().to_string();
        assert!(said.contains("db-ready.wasm is not there"), "{said}");
        assert!(said.contains("tidegate hook build"), "{said}");
    }

    #[test]
    fn a_folder_without_a_project_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let said = Folder::open(folder.path()).unwrap_err().to_string();
        assert!(said.contains("hook.toml"), "{said}");
        assert!(said.contains("tidegate hook new"), "{said}");
    }

    #[test]
    fn a_name_that_is_a_path_is_refused() {
        let folder = folder("../../evil");
        assert!(matches!(
            Folder::open(folder.path()),
            Err(Failure::Invalid(_))
        ));
    }

    #[test]
    fn what_is_no_component_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.wasm");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        let said = Component::read(&file).unwrap_err().to_string();
        assert!(said.contains("a.wasm: this is not WebAssembly"), "{said}");
        let missing = Component::read(&folder.path().join("b.wasm")).unwrap_err();
        assert!(missing.to_string().contains("cannot read"), "{missing}");
    }

    #[tokio::test]
    async fn a_build_that_fails_leaves_nothing() {
        let folder = folder("db-ready");
        let opened = Folder::open(folder.path()).unwrap();
        let built = opened.component();
        let failure = opened.build().await.unwrap_err();
        assert!(failure.to_string().contains("out.wasm"), "{failure}");
        assert!(!built.exists());
    }
}
