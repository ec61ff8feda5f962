//! Selections: what a group asks of DRS when its wave starts.

use super::{Group, Plan, Selection, WavePlan};
use crate::SourceServerId;

impl WavePlan {
    /// Whether a group of this wave is selected by tags, so that its servers
    /// are known only when it starts.
    #[must_use]
    pub fn needs_selection(&self) -> bool {
        self.groups.iter().any(Group::is_by_tags)
    }

    /// Every server that the wave names by id.
    pub fn named_servers(&self) -> impl Iterator<Item = &SourceServerId> {
        self.groups
            .iter()
            .flat_map(|group| match &group.selection {
                Selection::Servers(servers) => servers.as_slice(),
                Selection::Tags { .. } => &[],
            })
            .map(|server| &server.id)
    }
}

impl Group {
    /// Whether this group is selected by tags.
    #[must_use]
    pub fn is_by_tags(&self) -> bool {
        match self.selection {
            Selection::Tags { .. } => true,
            Selection::Servers(_) => false,
        }
    }
}

impl Plan {
    /// Every server that the plan names by id.
    pub fn named_servers(&self) -> impl Iterator<Item = &SourceServerId> {
        self.waves.iter().flat_map(WavePlan::named_servers)
    }
}
