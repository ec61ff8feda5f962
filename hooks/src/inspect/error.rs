//! Why a component is refused.

use thiserror::Error;

use super::{Bound, Contract};
use crate::{COMPONENT_BYTES, ManifestError};

/// Why a component is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InspectError {
    /// More bytes than are read.
    #[error(
        "the component has {bytes} bytes; at most {COMPONENT_BYTES} are allowed. Strip debug \
         sections, or build it for size"
    )]
    TooLarge {
        /// What it has.
        bytes: usize,
    },
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// Something else entirely.
    #[error(
        "this is not WebAssembly: it does not begin with the bytes 00 61 73 6d. A text file \
         (.wat) must be assembled first"
    )]
    NotWasm,
    /// A module, not a component.
    #[error("this is a core module; make a component of it with `tidegate hook build`")]
    CoreModule,
    /// The bytes end too early.
    #[error(
        "the component is truncated: it ends at byte {at}, in the middle of something. Fetch or \
         build it again"
    )]
    Truncated {
        /// Its length.
        at: usize,
    },
    /// It breaks the rules of the format, or needs a feature that is off.
    #[error("the component is malformed or uses a WebAssembly feature that hooks do not have: {0}")]
    Malformed(String),
    /// It has more of something than any hook needs.
    #[error("the component has more than {} {bound}, which no hook needs", bound.most())]
    Bound {
        /// Of what.
        bound: Bound,
    },
    /// It does not claim to be a hook.
    #[error(
        "the component is of another contract: it does not export `{}`, but {}",
        Contract::V1.interface(),
        list(exports)
    )]
    AnotherContract {
        /// What it exports.
        exports: Vec<String>,
    },
    /// It claims a version of the contract that this host does not run.
    #[error(
        "the component uses `{found}`, and this host runs version {} of tidegate:hooks. Build it \
         against that, or update Tidegate",
        Contract::versions()
    )]
    OtherVersion {
        /// The name that it exports or imports.
        found: String,
    },
    /// It claims the contract and does not keep it.
    #[error("the component claims `{interface}`, but its {item} {problem}")]
    Signature {
        /// Of the contract.
        interface: String,
        /// A function.
        item: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It imports something that no host gives.
    #[error(
        "the component imports `{name}`, which hooks do not get; they get tidegate:hooks/types, \
         probe and log. Remove what needs it"
    )]
    Import {
        /// What.
        name: String,
    },
    /// It imports WASI without saying so.
    #[error(
        "the component imports `{name}`. Remove what needs it, or write `profile = \"wasi\"` in \
         hook.toml: the plan must then allow that"
    )]
    Wasi {
        /// What.
        name: String,
    },
    /// It has no manifest.
    #[error(
        "the component has no manifest (custom section `{}`); add one with `tidegate hook build`",
        crate::manifest::SECTION
    )]
    NoManifest,
    /// It has more than one.
    #[error("the component has {count} manifests; build it again with `tidegate hook build`")]
    SeveralManifests {
        /// How many.
        count: usize,
    },
    /// Its manifest is not one.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The engine does not start, so nobody knows which features it has.
    #[error("{0}")]
    Engine(String),
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    if names.is_empty() {
        return "exports nothing".to_owned();
    }
    let mut text = names[..names.len().min(SHOWN)].join("`, `");
    text = format!("`{text}`");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}
