//! One wave as it runs: folded from changes, read by everybody.

use alloc::{sync::Arc, vec::Vec};

use super::{Finding, HookOutcome, LaunchState, Reason, SelectedServer, ServerState, WaveState};
use crate::{
    HookIx, InstanceId, JobId, LaunchIx, ServerIx, Span, Timestamp,
    plan::{HookFailureKind, HookPhase, Target},
};

/// A wave's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveRun {
    pub(crate) state: WaveState,
    pub(crate) reason: Reason,
    pub(crate) stage: Stage,
    /// How many of the waves that it waits for are not satisfied yet.
    pub(crate) blocked_by: u16,
    pub(crate) gate_open: bool,
    pub(crate) selected: bool,
    pub(crate) attempt: u32,
    /// Automatic retries since a person last decided.
    pub(crate) auto_retries: u32,
    pub(crate) started_at: Option<Timestamp>,
    /// How long the execution had been held when the wave started.
    pub(crate) held_at_start: Span,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) servers: Vec<ServerRun>,
    pub(crate) launches: Vec<Launch>,
    pub(crate) hooks: Vec<HookRun>,
}

/// What a wave is at, within its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The next step has not begun.
    Idle,
    /// Servers are being looked up.
    Selecting,
    /// Hooks run, one after the other.
    Hook(HookStep),
    /// An attempt's launches are under way.
    Attempt,
    /// Failed servers are asked for again at this instant.
    Backoff {
        /// When.
        at: Timestamp,
    },
}

/// Which hook it is, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookStep {
    /// On which side of the launch.
    pub phase: HookPhase,
    /// Which of that side's hooks.
    pub hook: HookIx,
    /// Where it stands.
    pub status: HookStatus,
    /// When its first run began, since a person last decided; moved on by
    /// the time that the execution was held since then.
    pub since: Option<Timestamp>,
    /// How often it was asked again since then.
    pub retries: u32,
    /// When the first run of the phase's hooks began, since a person last
    /// decided; moved on in the same way.
    pub gate_since: Option<Timestamp>,
}

/// Where a hook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookStatus {
    /// To be run.
    Wanted,
    /// Runs.
    Running {
        /// Counts the runs of this use, from 1.
        attempt: u32,
    },
    /// To be run again at this instant.
    Delayed {
        /// When.
        until: Timestamp,
    },
    /// Waits for a person; to be run again when the hold is lifted.
    Held,
}

/// A server's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRun {
    /// Which server.
    pub selected: SelectedServer,
    /// Where it stands.
    pub state: ServerState,
    /// Why.
    pub reason: Reason,
    /// Its instance, once known.
    pub instance: Option<InstanceId>,
    /// The last launch that it was in.
    pub launch: Option<LaunchIx>,
    /// What is worth knowing.
    pub warnings: Vec<Arc<str>>,
    /// When it entered its state.
    pub state_at: Timestamp,
}

/// A launch: one job wanted of DRS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The wave's attempt that it belongs to.
    pub attempt: u32,
    /// Where.
    pub target: Arc<Target>,
    /// For which servers.
    pub servers: Vec<ServerIx>,
    /// Where it stands.
    pub state: LaunchState,
    /// Why.
    pub reason: Reason,
    /// When it was first intended to ask DRS; until then, when it was queued.
    pub intended_at: Timestamp,
    /// When it entered its state.
    pub state_at: Timestamp,
}

/// The newest run of one use of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRun {
    /// On which side of the launch.
    pub phase: HookPhase,
    /// Which of that side's hooks.
    pub hook: HookIx,
    /// Counts the runs of this use, from 1.
    pub attempt: u32,
    /// What came of it; `None` while it runs.
    pub outcome: Option<HookOutcome>,
    /// For people.
    pub message: Arc<str>,
    /// What it found: the most severe of it, at most
    /// [`super::FINDINGS_KEPT`].
    pub findings: Arc<[Finding]>,
    /// How many findings there were.
    pub finding_count: u32,
    /// Instructions used, roughly.
    pub fuel: u64,
    /// Most bytes of memory at once.
    pub peak_memory: u64,
    /// Probes that it made.
    pub probes: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl HookRun {
    /// The kind of its failure, if the plan waives it.
    #[must_use]
    pub fn waived(&self) -> Option<HookFailureKind> {
        match self.outcome? {
            HookOutcome::Waived { kind } => Some(kind),
            HookOutcome::Proceed
            | HookOutcome::Retry { .. }
            | HookOutcome::Hold
            | HookOutcome::Skip
            | HookOutcome::Abort
            | HookOutcome::Failed { .. }
            | HookOutcome::Dropped => None,
        }
    }
}

impl WaveRun {
    pub(crate) fn new(blocked_by: u16) -> Self {
        Self {
            state: WaveState::Waiting,
            reason: Reason::none(),
            stage: Stage::Idle,
            blocked_by,
            gate_open: false,
            selected: false,
            attempt: 0,
            auto_retries: 0,
            started_at: None,
            held_at_start: Span::ZERO,
            ended_at: None,
            servers: Vec::new(),
            launches: Vec::new(),
            hooks: Vec::new(),
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> WaveState {
        self.state
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// What it is at, within its state.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Counts the attempts at launching, from 1; 0 before the first.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When it left WAITING.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.started_at
    }

    /// When it settled.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }

    /// Whether its planned pause is over.
    #[must_use]
    pub fn is_gate_open(&self) -> bool {
        self.gate_open
    }

    /// Whether its servers are known.
    #[must_use]
    pub fn is_selected(&self) -> bool {
        self.selected
    }

    /// Its servers; empty until they are selected.
    #[must_use]
    pub fn servers(&self) -> &[ServerRun] {
        &self.servers
    }

    /// Its launches, oldest first.
    #[must_use]
    pub fn launches(&self) -> &[Launch] {
        &self.launches
    }

    /// One launch.
    #[must_use]
    pub fn launch(&self, launch: LaunchIx) -> Option<&Launch> {
        self.launches.get(launch.index())
    }

    /// The newest run of each hook that ran.
    #[must_use]
    pub fn hooks(&self) -> &[HookRun] {
        &self.hooks
    }

    /// The newest run of one hook, if it ran.
    #[must_use]
    pub fn hook_run(&self, phase: HookPhase, hook: HookIx) -> Option<&HookRun> {
        self.hooks
            .iter()
            .find(|run| (run.phase, run.hook) == (phase, hook))
    }

    /// What the hooks before this one of the same phase came to, in the
    /// order of the plan.
    pub fn earlier_hooks(&self, phase: HookPhase, hook: HookIx) -> impl Iterator<Item = &HookRun> {
        let before = (0..hook.0).map(HookIx);
        before.filter_map(move |earlier| self.hook_run(phase, earlier))
    }

    /// The job that a server is or was in.
    #[must_use]
    pub fn job_of(&self, server: &ServerRun) -> Option<&JobId> {
        self.launch(server.launch?)?.state.job()
    }

    /// Whether DRS has, or may have, a live job of this wave.
    #[must_use]
    pub fn has_launch_in_flight(&self) -> bool {
        self.launches
            .iter()
            .any(|launch| launch.state.is_in_flight())
    }

    /// Launches with their positions.
    pub(crate) fn numbered_launches(&self) -> impl Iterator<Item = (LaunchIx, &Launch)> {
        (0..).map(LaunchIx).zip(&self.launches)
    }

    /// Servers with their positions.
    pub(crate) fn numbered_servers(&self) -> impl Iterator<Item = (ServerIx, &ServerRun)> {
        (0..).map(ServerIx).zip(&self.servers)
    }
}
