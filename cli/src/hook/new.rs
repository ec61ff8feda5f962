//! `tidegate hook new`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::Serialize;
use tidegate_hooks::{Language, Manifest, PROJECT_FILE, Phase, Profile, Project};

use crate::{
    failure::{Exit, Failure},
    print::Printer,
};

/// Begin a hook: a folder that builds, with the contract and its tests.
///
/// Nothing is fetched: what Tidegate adds to the folder comes out of this
/// program.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct New {
    /// What plans will call it: lower case letters, digits and `-`.
    name: String,
    /// The language that it is written in.
    #[arg(long, value_enum)]
    lang: Lang,
    /// The folder, which must not be there or be empty [default: the name].
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Languages that there is a beginning for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lang {
    Rust,
    C,
    Js,
    Python,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Rust => Self::Rust,
            Lang::C => Self::C,
            Lang::Js => Self::Js,
            Lang::Python => Self::Python,
        }
    }
}

/// What was written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Begun {
    hook: String,
    language: &'static str,
    folder: PathBuf,
    files: Vec<String>,
    /// Commands to type.
    next: Vec<String>,
}

impl New {
    /// Runs the verb.
    pub(super) fn run(self, printer: Printer) -> Result<Exit, Failure> {
        check(&self.name)?;
        let language = Language::from(self.lang);
        let folder = self.dir.unwrap_or_else(|| PathBuf::from(&self.name));
        refuse_if_used(&folder)?;
        let files = language.files(&self.name);
        for (path, text) in &files {
            write(&folder.join(path), text)?;
        }
        let begun = Begun {
            next: next(&folder, &files)?,
            hook: self.name,
            language: language.name(),
            files: files.into_iter().map(|(path, _)| path).collect(),
            folder,
        };
        let name = begun.folder.display().to_string();
        printer.own(&begun, &name, as_text)?;
        Ok(Exit::Ok)
    }
}

/// What a manifest would refuse later is refused before there is anything.
fn check(name: &str) -> Result<(), Failure> {
    let manifest = Manifest {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        description: String::new(),
        phases: vec![Phase::PostWave],
        profile: Profile::Plain,
        needs: Vec::new(),
    };
    manifest
        .check()
        .map_err(|error| Failure::Invalid(format!("{name:?} cannot be a hook's name: {error}")))
}

fn refuse_if_used(folder: &Path) -> Result<(), Failure> {
    let used = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => {
            return Err(Failure::Invalid(format!(
                "cannot use {}: {error}",
                folder.display()
            )));
        }
    };
    if used {
        return Err(Failure::Invalid(format!(
            "{} is not empty; nothing was written. --dir takes another folder",
            folder.display()
        )));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
    parent
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::Other(format!("cannot write {}: {error}", path.display())))
}

fn next(folder: &Path, files: &[(String, String)]) -> Result<Vec<String>, Failure> {
    let text = files
        .iter()
        .find_map(|(path, text)| (path == PROJECT_FILE).then_some(text.as_str()))
        .unwrap_or_default();
    let project = Project::parse(text)
        .map_err(|error| Failure::Other(format!("the template is wrong: {error}")))?;
    Ok(vec![
        format!("cd {}", folder.display()),
        project.build.install,
        "tidegate hook build".to_owned(),
        "tidegate hook test".to_owned(),
        "tidegate hook push .".to_owned(),
    ])
}

fn as_text(begun: &Begun) -> String {
    format!(
        "hook {} ({}) begun in {}\n  next:\n    {}",
        begun.hook,
        begun.language,
        begun.folder.display(),
        begun.next.join("\n    ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_manifest_may_have_is_refused() {
        assert!(check("db-ready").is_ok());
        for name in ["", "DB", "a/b", "..", "a b", &"a".repeat(64)] {
            assert!(matches!(check(name), Err(Failure::Invalid(_))), "{name:?}");
        }
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(refuse_if_used(folder.path()).is_ok());
        assert!(refuse_if_used(&folder.path().join("new")).is_ok());
        let file = folder.path().join("README.md");
        fs::write(&file, "mine").unwrap();
        let failure = refuse_if_used(folder.path()).unwrap_err();
        assert!(failure.to_string().contains("not empty"), "{failure}");
        assert!(matches!(refuse_if_used(&file), Err(Failure::Invalid(_))));
    }

    #[test]
    fn every_language_says_how_its_tools_are_installed() {
        for lang in Lang::value_variants() {
            let language = Language::from(*lang);
            let next = next(Path::new("a"), &language.files("a")).unwrap();
            assert!(next[1].contains("install") || next[1].contains("rustup"));
            let value = lang.to_possible_value().unwrap();
            assert_eq!(value.get_name(), language.name());
        }
    }
}
