//! The state of one execution: a pure fold of its changes.

use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};

use super::{Closing, ExecutionState, Hold, HoldCause, Kind, Planted, Reason, Settings, WaveRun};
use crate::{
    ExecutionId, InstanceId, OwnerId, SourceServerId, Span, Timestamp, WaveIx, plan::Plan,
};

/// What an execution is before its first change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Its id.
    pub id: ExecutionId,
    /// What kind of run it is.
    pub kind: Kind,
    /// The pinned plan.
    pub plan: Arc<Plan>,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// One execution.
///
/// Cloning is cheap: waves are shared until one of them changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    pub(crate) genesis: Genesis,
    pub(crate) settings: Settings,
    pub(crate) state: ExecutionState,
    pub(crate) reason: Reason,
    pub(crate) closing: Option<(Closing, Reason)>,
    pub(crate) holds: Vec<Hold>,
    pub(crate) held_since: Option<Timestamp>,
    /// How long it was held before `held_since`.
    pub(crate) held: Span,
    pub(crate) epoch: u64,
    pub(crate) owner: Option<OwnerId>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) waves: Vec<Arc<WaveRun>>,
    /// Waves under way, and waves with a launch in flight: all that queries
    /// have to look at.
    pub(crate) active: BTreeSet<WaveIx>,
    /// Waves that are not settled.
    pub(crate) unsettled: usize,
    pub(crate) changes: u64,
}

impl Execution {
    /// An execution to which nothing has happened.
    #[must_use]
    pub fn new(genesis: Genesis, settings: Settings) -> Self {
        let waves: Vec<Arc<WaveRun>> = genesis
            .plan
            .waves()
            .iter()
            .map(|wave| {
                let blocked_by = u16::try_from(wave.after.len()).unwrap_or(u16::MAX);
                Arc::new(WaveRun::new(blocked_by))
            })
            .collect();
        Self {
            unsettled: waves.len(),
            genesis,
            settings,
            state: ExecutionState::Pending,
            reason: Reason::none(),
            closing: None,
            holds: Vec::new(),
            held_since: None,
            held: Span::ZERO,
            epoch: 0,
            owner: None,
            started_at: None,
            ended_at: None,
            waves,
            active: BTreeSet::new(),
            changes: 0,
        }
    }

    /// What it was before its first change.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The settings that its decisions are made with.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &ExecutionId {
        &self.genesis.id
    }

    /// What kind of run it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.genesis.kind
    }

    /// The pinned plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.genesis.plan
    }

    /// When it was accepted.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.genesis.created_at
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> ExecutionState {
        self.state
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Whether it was decided that no further wave starts, and why.
    #[must_use]
    pub fn closing(&self) -> Option<(Closing, &Reason)> {
        self.closing.as_ref().map(|(to, reason)| (*to, reason))
    }

    /// What holds it.
    #[must_use]
    pub fn holds(&self) -> &[Hold] {
        &self.holds
    }

    /// When it began.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.started_at
    }

    /// When it ended.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }

    /// Counts the owners.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The process that drives it, as far as the log says.
    #[must_use]
    pub fn owner(&self) -> Option<&OwnerId> {
        self.owner.as_ref()
    }

    /// How many changes were applied.
    #[must_use]
    pub fn change_count(&self) -> u64 {
        self.changes
    }

    /// The waves, in the order of the plan.
    pub fn waves(&self) -> impl ExactSizeIterator<Item = &WaveRun> {
        self.waves.iter().map(Arc::as_ref)
    }

    /// One wave.
    ///
    /// # Panics
    /// If the position is of another plan.
    #[must_use]
    pub fn wave(&self, wave: WaveIx) -> &WaveRun {
        &self.waves[wave.index()]
    }

    /// Since when something holds it, if anything does. A new owner does not
    /// change it.
    #[must_use]
    pub fn held_since(&self) -> Option<Timestamp> {
        self.held_since
    }

    /// How long it has been held, at `now`.
    #[must_use]
    pub fn held(&self, now: Timestamp) -> Span {
        match self.held_since {
            Some(since) => self.held.saturating_add(now.since(since)),
            None => self.held,
        }
    }

    /// Every server that DRS launched an instance for and that is not known
    /// to be terminated, with its instance if that is known.
    pub fn launched(&self) -> impl Iterator<Item = (&SourceServerId, Option<&InstanceId>)> {
        self.waves()
            .flat_map(WaveRun::servers)
            .filter(|server| server.state == super::ServerState::Launched)
            .map(|server| (&server.selected.id, server.instance.as_ref()))
    }

    /// Whether new work may begin.
    pub(crate) fn offers(&self) -> bool {
        let held = self.is_held() && !self.settings.has(Planted::ForgetsPause);
        !held && !self.is_closing(Closing::Timeout)
    }

    pub(crate) fn is_held(&self) -> bool {
        !self.holds.is_empty()
    }

    pub(crate) fn has_hold(&self, cause: HoldCause) -> bool {
        self.holds.iter().any(|hold| hold.cause == cause)
    }

    pub(crate) fn is_closing(&self, at_least: Closing) -> bool {
        self.closing.as_ref().is_some_and(|(to, _)| *to >= at_least)
    }
}
