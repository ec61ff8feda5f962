//! Scenarios: what an emulator begins with.
//!
//! A scenario is a file (YAML or JSON, see [`from_file`](Scenario::from_file) and
//! `scenarios/README.md`), one of those built in, or generated from a seed. Files are drafts: they
//! become a checked [`Fleet`] once, here.

mod built_in;
mod check;
mod error;
mod file;
mod generated;
mod workload;

use std::path::Path;

use jiff::Timestamp;

use crate::faults::Faults;
use crate::model::{AccountId, Ailment, Fleet, Loopback, SourceServerId};
pub use error::ScenarioError;
pub use generated::GeneratedSpec;

/// What an emulator begins with.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The emulated time at which it begins; `None`: see [`EmulatorClock`](crate::EmulatorClock).
    pub start: Option<Timestamp>,
    /// The account of a caller whose access key names none.
    pub default_account: AccountId,
    /// The places, servers and limits.
    pub fleet: Fleet,
    /// What goes wrong.
    pub faults: Faults,
}

impl Scenario {
    /// A scenario that is part of the emulator, by its name.
    pub fn built_in(name: &str) -> Option<Self> {
        built_in::scenario(name)
    }

    /// The names of the built-in scenarios; the first is the default.
    pub fn names() -> &'static [&'static str] {
        built_in::NAMES
    }

    /// Reads a scenario file: JSON if its name ends so, otherwise YAML.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ScenarioError> {
        let path = path.as_ref();
        let unreadable = |source| ScenarioError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            Self::from_json(&text)
        } else {
            Self::from_yaml(&text)
        }
    }

    /// Reads a scenario from YAML text.
    pub fn from_yaml(text: &str) -> Result<Self, ScenarioError> {
        let draft: file::ScenarioFile = serde_saphyr::from_str(text)
            .map_err(|error| ScenarioError::Syntax(error.to_string()))?;
        draft.check()
    }

    /// Reads a scenario from JSON text.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        let draft: file::ScenarioFile =
            serde_json::from_str(text).map_err(|error| ScenarioError::Syntax(error.to_string()))?;
        draft.check()
    }

    /// A fleet of any size, the same for the same seed.
    pub fn generated(seed: u64, spec: &GeneratedSpec) -> Self {
        generated::scenario(seed, spec)
    }

    /// The same, with recovery instances that really listen on addresses of that network.
    pub fn listening_on(mut self, loopback: Loopback) -> Self {
        self.fleet.loopback = Some(loopback);
        self
    }

    /// The same, with the workload of one server unhealthy on every instance until a person says
    /// otherwise.
    pub fn unhealthy_until_told(mut self, id: &SourceServerId) -> Result<Self, ScenarioError> {
        let mut servers = self.fleet.servers.values_mut().flatten();
        let server = servers.find(|server| server.id == *id);
        let workload = server.and_then(|server| server.workload.as_mut());
        let workload = workload.ok_or_else(|| ScenarioError::NoWorkload(id.clone()))?;
        workload.ailment = Ailment::UntilTold;
        Ok(self)
    }
}
