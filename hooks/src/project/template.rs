//! The folder that a new hook begins with.

use super::encode::CONTRACT;

/// What templates call the hook, in the two spellings that occur.
const PLACEHOLDERS: [&str; 2] = ["my-hook", "my_hook"];

/// Where the contract goes in a new folder. The Rust crate finds it from
/// `tidegate/guest`.
const CONTRACT_FOLDER: &str = "tidegate/wit/v1";

/// A language that there is a template for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// With the crate `tidegate-hook`, by cargo.
    Rust,
    /// With generated bindings, by zig.
    C,
    /// On QuickJS.
    Js,
    /// On CPython, which needs WASI.
    Python,
}

type File = (&'static str, &'static str);

macro_rules! files {
    ($from:literal: $($path:literal $(as $to:literal)?),* $(,)?) => {
        &[$((files!(@to $path $($to)?), include_str!(concat!("../../", $from, $path)))),*]
    };
    (@to $path:literal) => { $path };
    (@to $path:literal $to:literal) => { $to };
}

const ALL: &[File] = files!("templates/": "vectors.yaml");
const RUST: &[File] = files!("templates/rust/":
    "README.md", "Cargo.toml", "hook.toml", "src/lib.rs", "gitignore" as ".gitignore");
const C: &[File] = files!("templates/c/":
    "README.md", "hook.toml", "hook.c", "gitignore" as ".gitignore");
const JS: &[File] = files!("templates/js/":
    "README.md", "hook.toml", "hook.js", "gitignore" as ".gitignore");
const PYTHON: &[File] = files!("templates/python/":
    "README.md", "hook.toml", "app.py", "gitignore" as ".gitignore");

const RUST_SDK: &[File] = files!("guest/":
    "Cargo.toml" as "tidegate/guest/Cargo.toml",
    "src/lib.rs" as "tidegate/guest/src/lib.rs",
    "src/bindings.rs" as "tidegate/guest/src/bindings.rs",
    "src/context.rs" as "tidegate/guest/src/context.rs",
    "src/entries.rs" as "tidegate/guest/src/entries.rs",
    "src/error.rs" as "tidegate/guest/src/error.rs",
    "src/export.rs" as "tidegate/guest/src/export.rs",
    "src/log.rs" as "tidegate/guest/src/log.rs",
    "src/parameters.rs" as "tidegate/guest/src/parameters.rs",
    "src/probe.rs" as "tidegate/guest/src/probe.rs",
    "src/report.rs" as "tidegate/guest/src/report.rs",
    "src/testing.rs" as "tidegate/guest/src/testing.rs");
const C_SDK: &[File] = files!("guest-c/":
    "gate.c" as "tidegate/guest-c/gate.c",
    "gate.h" as "tidegate/guest-c/gate.h",
    "tidegate.c" as "tidegate/guest-c/tidegate.c",
    "tidegate.h" as "tidegate/guest-c/tidegate.h");

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::Rust, Self::C, Self::Js, Self::Python];

    /// As it is written on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Js => "js",
            Self::Python => "python",
        }
    }

    /// The files of a new hook of this name, by their paths in its folder. The
    /// name must be one that a manifest may have.
    #[must_use]
    pub fn files(self, hook: &str) -> Vec<(String, String)> {
        let (own, sdk): (&[File], &[File]) = match self {
            Self::Rust => (RUST, RUST_SDK),
            Self::C => (C, C_SDK),
            Self::Js => (JS, &[]),
            Self::Python => (PYTHON, &[]),
        };
        let names = [hook.to_owned(), hook.replace('-', "_")];
        let named = own.iter().chain(ALL).map(|(path, text)| {
            let mut text = (*text).to_owned();
            for (placeholder, name) in PLACEHOLDERS.iter().zip(&names) {
                text = text.replace(placeholder, name);
            }
            ((*path).to_owned(), text)
        });
        let verbatim = sdk
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let contract = CONTRACT
            .iter()
            .map(|(name, text)| (format!("{CONTRACT_FOLDER}/{name}"), (*text).to_owned()));
        named.chain(verbatim).chain(contract).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;
    use crate::Project;

    #[test]
    fn every_language_gives_a_project_of_the_name_asked_for() {
        for language in Language::ALL {
            let files = language.files("db-ready");
            let text = |path: &str| &files.iter().find(|file| file.0 == path).unwrap().1;
            let project = Project::parse(text("hook.toml")).unwrap();
            assert_eq!(project.hook.name, "db-ready", "{}", language.name());
            crate::VectorFile::parse(text("vectors.yaml")).unwrap();
            for (path, text) in &files {
                for placeholder in PLACEHOLDERS {
                    assert!(!text.contains(placeholder), "{path}: {placeholder}");
                }
            }
        }
    }

    #[test]
    fn no_source_file_of_the_rust_crate_is_left_out() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/guest/src");
        let there: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                format!("tidegate/guest/src/{name}")
            })
            .collect();
        let vendored: BTreeSet<String> = RUST_SDK
            .iter()
            .map(|(path, _)| (*path).to_owned())
            .filter(|path| path.contains("/src/"))
            .collect();
        assert_eq!(vendored, there);
    }
}
