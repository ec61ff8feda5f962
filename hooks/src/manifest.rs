//! What a component says about itself: the custom section `tidegate-hook`,
//! one JSON object, read without compiling or running anything. `hook build`
//! makes it from the author's `hook.toml`, which has the same fields.

mod attach;
mod check;

use serde::{Deserialize, Serialize};

pub use self::{attach::attach, check::ManifestError};
use crate::Phase;

/// Name of the custom section, at the top of the component.
pub const SECTION: &str = "tidegate-hook";

/// A hook's description of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// What plans call it: lower case letters, digits and `-`, at most 63.
    pub name: String,
    /// The author's version, for people; a plan pins the digest.
    pub version: String,
    /// One line.
    #[serde(default)]
    pub description: String,
    /// Where it can be used; at least one.
    pub phases: Vec<Phase>,
    /// Whether it imports WASI, which a plan must allow.
    #[serde(default)]
    pub profile: Profile,
    /// What it must be granted.
    #[serde(default)]
    pub needs: Vec<Need>,
}

impl Manifest {
    /// Reads what stands in the section.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        check::parse(json)
    }

    /// Whether it keeps its bounds. [`Manifest::parse`] asks this; whoever
    /// reads a manifest in another format, such as an author's `hook.toml`,
    /// asks it before [`attach`].
    pub fn check(&self) -> Result<(), ManifestError> {
        check::check(self)
    }

    /// What is to stand in the section.
    #[must_use]
    pub fn to_section(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a manifest has string keys only")
    }
}

/// What a component may import beside the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Nothing.
    #[default]
    Plain,
    /// WASI 0.2 with everything denied, a frozen clock and seeded random, for
    /// languages whose runtime cannot do without.
    Wasi,
}

/// A probe that the hook makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Need {
    /// Which probe.
    pub probe: ProbeKind,
    /// Of what.
    pub target: NeedTarget,
    /// Why, for whoever grants it; not empty.
    pub reason: String,
}

/// The kinds of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeKind {
    /// A TCP connection.
    Tcp,
    /// An HTTP request.
    Http,
}

/// What a hook probes. Where a parameter is named, the plan grants by setting
/// it: nobody has to write the same port twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedTarget {
    /// This port of the servers; the plan must grant it.
    Port(u16),
    /// The port of the servers that this parameter names. A parameter that is
    /// not set needs nothing.
    PortParameter(String),
    /// The endpoint that this parameter names; the plan must declare it. A
    /// parameter that is not set needs nothing.
    EndpointParameter(String),
}
