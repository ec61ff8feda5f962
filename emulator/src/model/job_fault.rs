//! What goes wrong with one launch job, decided when it is accepted.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::chance::Seed;
use super::id::{JobId, SourceServerId};
use super::timing::Effect;

/// A fault of one launch job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobFault {
    /// Something happens to some of its servers. Which is drawn for each job; it goes before what
    /// the scenario says of those servers.
    Servers {
        /// What.
        effect: Effect,
        /// To how many; all of them if the job has fewer.
        count: usize,
    },
    /// The service forgets the job: it is listed no more, and has no log. Its servers go on.
    Forgotten {
        /// How long after its acceptance.
        after: SignedDuration,
    },
}

impl JobFault {
    /// The servers of a job to which the effect happens.
    pub(super) fn stricken<'a>(
        &self,
        seed: Seed,
        job: &JobId,
        servers: impl Iterator<Item = &'a SourceServerId>,
    ) -> Option<(Effect, BTreeSet<&'a SourceServerId>)> {
        let (effect, count) = match self {
            Self::Servers { effect, count } => (*effect, *count),
            Self::Forgotten { .. } => return None,
        };
        let mut drawn: Vec<(u64, &SourceServerId)> = servers
            .map(|id| (seed.draw(&["stricken", job.as_str(), id.as_str()]), id))
            .collect();
        drawn.sort_unstable();
        let stricken = drawn.into_iter().take(count).map(|(_, id)| id).collect();
        Some((effect, stricken))
    }
}
