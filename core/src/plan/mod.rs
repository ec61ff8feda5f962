//! Plans: a draft becomes a checked [`Plan`] once, at the edge.
//!
//! A [`Plan`] can only be made by [`Plan::check`], so whoever holds one holds
//! an acyclic graph of waves with known dependencies, no server twice, hooks
//! that are granted only what the plan declares, and every number within its
//! bounds.

mod check;
mod draft;
mod endpoint;
mod error;
mod graph;
mod hook;
mod limits;
mod select;
#[cfg(test)]
mod tests;

use alloc::{collections::BTreeMap, string::String, vec::Vec};

pub use draft::{
    DraftEndpoint, DraftGroup, DraftHook, DraftRetry, DraftServer, DraftTarget, DraftWave,
    PlanDraft,
};
pub use endpoint::{Cidr, EndpointPlan, NoCidr, Scheme};
pub use error::{Mistake, PlanError};
pub use hook::{HookFailure, HookFailureKind, HookPhase, HookSite, HookUse, OnFailure};
pub use limits::Limits;

use crate::{PlanName, SnapshotId, SourceServerId, Span, WaveIx, WaveName};

/// A checked plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(crate) name: PlanName,
    pub(crate) objectives: Objectives,
    pub(crate) waves: Vec<WavePlan>,
    pub(crate) timeout: Option<Span>,
    pub(crate) unknown_launch: Option<UnknownLaunch>,
    pub(crate) priority: Priority,
    pub(crate) endpoints: Vec<EndpointPlan>,
}

/// What the business expects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Objectives {
    /// From the start to the last wave's success.
    pub rto: Option<Span>,
    /// Oldest acceptable snapshot.
    pub rpo: Option<Span>,
}

/// What to do when it stays unknown whether DRS accepted a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownLaunch {
    /// Ask DRS again after the settle window.
    AskAgain,
    /// Pause; a resume asks DRS again.
    AskPerson,
}

/// Whose launches go first where quotas of DRS make executions wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// After everything else.
    Low,
    /// Unless a plan says otherwise.
    #[default]
    Normal,
    /// Before everything else.
    High,
}

/// One wave of a checked plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WavePlan {
    /// Unique in the plan.
    pub name: WaveName,
    /// Waves that this one waits for.
    pub after: Vec<WaveIx>,
    /// Waves that wait for this one.
    pub before: Vec<WaveIx>,
    /// Its servers; at least one group.
    pub groups: Vec<Group>,
    /// Hooks before the launch.
    pub check: Vec<HookUse>,
    /// Hooks after the launch.
    pub verify: Vec<HookUse>,
    /// Whether the execution pauses when this wave could start.
    pub pause_before: bool,
    /// What its failure means for the rest.
    pub on_failure: FailurePolicy,
    /// How many required servers may fail.
    pub tolerance: u32,
    /// Automatic retries of failed servers.
    pub retry: Retry,
    /// Fails the wave, measured from its start.
    pub timeout: Option<Span>,
    /// How long all hooks of one phase may take together, waits between
    /// attempts included. Time on hold does not count, and a person who lets
    /// a held hook be asked again grants the time anew.
    pub gate_timeout: Span,
}

/// An account and Region in which DRS is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Twelve digits.
    pub account: String,
    /// For example `us-west-2`.
    pub region: String,
    /// Role to assume; `None` for the gateway's own credentials.
    pub role: Option<String>,
}

/// Servers of one wave in one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Where they are recovered.
    pub target: Target,
    /// Which they are.
    pub selection: Selection,
}

/// How a group names its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// By id.
    Servers(Vec<PlannedServer>),
    /// Every server with all these tags, resolved when the wave starts.
    Tags {
        /// Key and value, all of which must match.
        tags: BTreeMap<String, String>,
        /// Their failures do not count.
        optional: bool,
    },
}

/// A server named by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedServer {
    /// Its id.
    pub id: SourceServerId,
    /// Its failure does not count.
    pub optional: bool,
    /// Snapshot to launch from; `None` for the latest.
    pub snapshot: Option<SnapshotId>,
}

/// What a wave's failure means for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// Start no further wave.
    Stop,
    /// Go on as though it had succeeded; the execution fails in the end.
    Continue,
    /// Pause until a person decides.
    Pause,
}

/// Automatic retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many times failed servers are asked for again.
    pub limit: u32,
    /// Wait before the first retry, doubled each time.
    pub backoff: Span,
    /// Longest wait.
    pub max_backoff: Span,
}

impl Plan {
    /// The plan's name.
    #[must_use]
    pub fn name(&self) -> &PlanName {
        &self.name
    }

    /// What the business expects.
    #[must_use]
    pub fn objectives(&self) -> Objectives {
        self.objectives
    }

    /// The waves, in the order of the plan.
    #[must_use]
    pub fn waves(&self) -> &[WavePlan] {
        &self.waves
    }

    /// One wave.
    ///
    /// # Panics
    /// If the position is of another plan.
    #[must_use]
    pub fn wave(&self, wave: WaveIx) -> &WavePlan {
        &self.waves[wave.index()]
    }

    /// The position of a wave.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<WaveIx> {
        let position = self.waves.iter().position(|w| w.name.as_str() == name)?;
        u16::try_from(position).ok().map(WaveIx)
    }

    /// Longest time that an execution may take, if it is limited.
    #[must_use]
    pub fn timeout(&self) -> Option<Span> {
        self.timeout
    }

    /// What to do about an unknown launch, if the plan says so.
    #[must_use]
    pub fn unknown_launch(&self) -> Option<UnknownLaunch> {
        self.unknown_launch
    }

    /// Whose launches go first.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority
    }
}
