//! What a hook is told. The same nouns as in `wit/v1/types.wit`, which says
//! what each means; here as the host's own, so that no guest contract and no
//! wasmtime type reaches a caller.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Named values, sorted, no name twice.
pub type Entries = BTreeMap<String, String>;

/// Everything that one attempt of a hook knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Context {
    /// The plan's name.
    pub plan: String,
    /// The execution's id.
    pub execution: String,
    /// The wave's name.
    pub wave: String,
    /// Which side of the launch.
    pub phase: Phase,
    /// Drill or recovery.
    pub mode: Mode,
    /// From 1.
    pub attempt: u32,
    /// The instant of the question, RFC 3339 in UTC.
    pub now: String,
    /// When the attempt is stopped, RFC 3339 in UTC.
    pub deadline: String,
    /// From `now` to `deadline`.
    pub remaining_ms: u32,
    /// Servers of this wave, sorted by id.
    #[serde(default)]
    pub servers: Vec<Server>,
    /// Servers of the waves that this one depends on, sorted by id.
    #[serde(default)]
    pub upstream: Vec<Server>,
    /// What the plan configures.
    #[serde(default)]
    pub parameters: Entries,
    /// What is known about the execution.
    #[serde(default)]
    pub facts: Entries,
    /// Verdicts of earlier hooks of the same wave and phase, in order.
    #[serde(default)]
    pub earlier: Vec<Earlier>,
}

impl Context {
    /// How many servers may be probed: those of this wave and of the waves
    /// that it depends on.
    #[must_use]
    pub fn probeable(&self) -> usize {
        self.servers.len() + self.upstream.len()
    }
}

/// Which side of the wave's launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Before DRS is asked to launch.
    PreWave,
    /// After the launch.
    PostWave,
}

/// What the execution is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A rehearsal.
    Drill,
    /// The real thing.
    Recovery,
}

/// A server of a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// Id of its DRS source server.
    pub id: String,
    /// As DRS reports it; may be empty.
    #[serde(default)]
    pub hostname: String,
    /// What became of its launch.
    #[serde(default)]
    pub launch: Launch,
    /// Tags of the source server.
    #[serde(default)]
    pub tags: Entries,
    /// What is known about it, by the names that the contract lists.
    #[serde(default)]
    pub facts: Entries,
}

/// What became of a server's launch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Launch {
    /// Not asked for, or under way.
    #[default]
    Pending,
    /// It runs, as this recovery instance.
    Launched(String),
    /// It did not come up, for this reason.
    Failed(String),
}

/// What another hook of the same wave and phase answered before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Earlier {
    /// Its name.
    pub hook: String,
    /// `proceed`, `hold` and so on, or `waived`.
    pub outcome: String,
    /// Its reason.
    #[serde(default)]
    pub reason: String,
}
