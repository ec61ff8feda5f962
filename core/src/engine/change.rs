//! Changes: what was decided. They are journaled, watched, audited and
//! replayed; applying one cannot fail.

use alloc::{sync::Arc, vec::Vec};

use super::{
    ExecutionState, Hold, HookEvidence, HookOutcome, LaunchState, Reason, SelectedServer,
    ServerState, WaveState,
};
use crate::{
    HookIx, InstanceId, LaunchIx, OwnerId, ServerIx, WaveIx, plan::HookPhase, plan::Target,
};

/// One decided change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The execution's state.
    ExecutionMoved {
        /// The new state.
        to: ExecutionState,
        /// Why.
        reason: Reason,
    },
    /// Another process took over. Hooks and look-ups that ran are wanted
    /// anew; launches whose answer was not recorded are unknown.
    OwnerChanged {
        /// Counts the owners.
        epoch: u64,
        /// The new owner.
        owner: OwnerId,
    },
    /// No further wave will start.
    Closing {
        /// What the execution will end as.
        to: Closing,
        /// Why.
        reason: Reason,
    },
    /// A hold was placed.
    HoldPlaced(Hold),
    /// A hold was lifted.
    HoldLifted(Hold),
    /// A wave's state.
    WaveMoved {
        /// Which wave.
        wave: WaveIx,
        /// The new state.
        to: WaveState,
        /// Why.
        reason: Reason,
    },
    /// A wave's planned pause is over.
    GateOpened {
        /// Which wave.
        wave: WaveIx,
    },
    /// A wave's servers are being looked up.
    SelectionStarted {
        /// Which wave.
        wave: WaveIx,
    },
    /// A wave's servers are known from now on.
    ServersSelected {
        /// Which wave.
        wave: WaveIx,
        /// Its servers.
        servers: Vec<SelectedServer>,
    },
    /// A hook runs.
    HookStarted {
        /// Of which wave.
        wave: WaveIx,
        /// On which side of the launch.
        phase: HookPhase,
        /// Which of that side's hooks.
        hook: HookIx,
        /// Counts the runs of this use, from 1.
        attempt: u32,
    },
    /// The wave's running hook ended.
    HookEnded {
        /// Of which wave.
        wave: WaveIx,
        /// What came of it.
        outcome: HookOutcome,
        /// For people.
        message: Arc<str>,
        /// What it found, said and used; empty where no answer was heard. No
        /// decision reads it.
        evidence: Arc<HookEvidence>,
    },
    /// A wave begins an attempt at launching what is still to be launched.
    AttemptStarted {
        /// Which wave.
        wave: WaveIx,
        /// Counts the attempts, from 1.
        attempt: u32,
    },
    /// The failed servers of a wave will be asked for again.
    RetryScheduled {
        /// Which wave.
        wave: WaveIx,
        /// When.
        at: crate::Timestamp,
    },
    /// A launch is wanted, and waits for its turn: DRS was surely not asked.
    LaunchQueued {
        /// Of which wave.
        wave: WaveIx,
        /// Where.
        target: Arc<Target>,
        /// For which servers.
        servers: Vec<ServerIx>,
    },
    /// A launch is intended, without having waited for its turn: from now on
    /// DRS may have been asked. Engines that knew no queue decided this; it
    /// is folded, and not decided any more.
    LaunchIntended {
        /// Of which wave.
        wave: WaveIx,
        /// Where.
        target: Arc<Target>,
        /// For which servers.
        servers: Vec<ServerIx>,
    },
    /// A launch's state.
    LaunchMoved {
        /// Of which wave.
        wave: WaveIx,
        /// Which launch.
        launch: LaunchIx,
        /// The new state.
        to: LaunchState,
        /// Why.
        reason: Reason,
    },
    /// A server's state.
    ServerMoved {
        /// Of which wave.
        wave: WaveIx,
        /// Which server.
        server: ServerIx,
        /// The new state.
        to: ServerState,
        /// Its instance, where it became known.
        instance: Option<InstanceId>,
        /// Why.
        reason: Reason,
    },
    /// A server got a warning.
    ServerWarned {
        /// Of which wave.
        wave: WaveIx,
        /// Which server.
        server: ServerIx,
        /// The warning.
        warning: Arc<str>,
    },
}

impl Change {
    /// What kind of change it is, for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ExecutionMoved { .. } => "ExecutionMoved",
            Self::OwnerChanged { .. } => "OwnerChanged",
            Self::Closing { .. } => "Closing",
            Self::HoldPlaced(_) => "HoldPlaced",
            Self::HoldLifted(_) => "HoldLifted",
            Self::WaveMoved { .. } => "WaveMoved",
            Self::GateOpened { .. } => "GateOpened",
            Self::SelectionStarted { .. } => "SelectionStarted",
            Self::ServersSelected { .. } => "ServersSelected",
            Self::HookStarted { .. } => "HookStarted",
            Self::HookEnded { .. } => "HookEnded",
            Self::AttemptStarted { .. } => "AttemptStarted",
            Self::RetryScheduled { .. } => "RetryScheduled",
            Self::LaunchQueued { .. } => "LaunchQueued",
            Self::LaunchIntended { .. } => "LaunchIntended",
            Self::LaunchMoved { .. } => "LaunchMoved",
            Self::ServerMoved { .. } => "ServerMoved",
            Self::ServerWarned { .. } => "ServerWarned",
        }
    }
}

/// Why no further wave starts, and what the execution will end as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closing {
    /// A wave failed and its policy is to stop: ends as failed, after running
    /// waves have ended.
    Stop,
    /// Time ran out: ends as failed, after running DRS jobs have ended.
    Timeout,
    /// A person cancelled: ends as cancelled, after running DRS jobs have
    /// ended.
    Cancel,
}
