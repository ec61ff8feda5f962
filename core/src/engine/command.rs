//! Commands: what is wanted from outside.
//!
//! A command is small: what it is about is read from the execution. Its id
//! does not change while it is outstanding, also across restarts.

use core::fmt;

use super::{DeadlineReason, Execution};
use crate::{HookIx, LaunchIx, Timestamp, WaveIx, plan::HookPhase};

/// Something wanted from outside, identified by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommandId {
    /// Look up the servers of a wave.
    Select {
        /// Whose servers.
        wave: WaveIx,
    },
    /// Run a hook.
    Hook {
        /// Of which wave.
        wave: WaveIx,
        /// On which side of the launch.
        phase: HookPhase,
        /// Which of that side's hooks.
        hook: HookIx,
        /// Counts the runs of this use, from 1.
        attempt: u32,
    },
    /// Find out whether it is a launch's turn under the quotas of DRS; that it
    /// is, is heard as [`super::Event::Admitted`].
    Admit {
        /// Of which wave.
        wave: WaveIx,
        /// Which launch.
        launch: LaunchIx,
        /// The attempt that it will be.
        attempt: u32,
    },
    /// Ask DRS to launch (in a cleanup: to terminate). Not repeatable.
    Launch {
        /// Of which wave.
        wave: WaveIx,
        /// Which launch.
        launch: LaunchIx,
        /// Counts how often DRS was asked for it, from 1.
        attempt: u32,
    },
    /// Look whether DRS accepted a launch.
    Look {
        /// Of which wave.
        wave: WaveIx,
        /// Which launch.
        launch: LaunchIx,
        /// The attempt whose answer is unknown.
        attempt: u32,
    },
    /// Follow a job.
    Follow {
        /// Of which wave.
        wave: WaveIx,
        /// Of which launch.
        launch: LaunchIx,
    },
}

impl CommandId {
    /// Whether this only observes what is already in flight. Everything else
    /// is new work, which is not offered while an execution is held.
    #[must_use]
    pub fn is_observation(self) -> bool {
        match self {
            Self::Look { .. } | Self::Follow { .. } => true,
            Self::Select { .. } | Self::Hook { .. } | Self::Admit { .. } | Self::Launch { .. } => {
                false
            }
        }
    }

    /// The wave that it is for.
    #[must_use]
    pub fn wave(self) -> WaveIx {
        match self {
            Self::Select { wave }
            | Self::Hook { wave, .. }
            | Self::Admit { wave, .. }
            | Self::Launch { wave, .. }
            | Self::Look { wave, .. }
            | Self::Follow { wave, .. } => wave,
        }
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select { wave } => write!(f, "select/{}", wave.0),
            Self::Hook {
                wave,
                phase,
                hook,
                attempt,
            } => {
                let side = phase.name();
                write!(f, "{side}/{}/{}/{attempt}", wave.0, hook.0)
            }
            Self::Admit {
                wave,
                launch,
                attempt,
            } => write!(f, "admit/{}/{}/{attempt}", wave.0, launch.0),
            Self::Launch {
                wave,
                launch,
                attempt,
            } => write!(f, "launch/{}/{}/{attempt}", wave.0, launch.0),
            Self::Look {
                wave,
                launch,
                attempt,
            } => write!(f, "look/{}/{}/{attempt}", wave.0, launch.0),
            Self::Follow { wave, launch } => write!(f, "follow/{}/{}", wave.0, launch.0),
        }
    }
}

/// When something is due by itself, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// When.
    pub at: Timestamp,
    /// What.
    pub reason: DeadlineReason,
}

impl Execution {
    /// The key by which a launch is known at DRS: a tag's value, and the same
    /// for every attempt at this launch.
    #[must_use]
    pub fn launch_key(&self, wave: WaveIx, launch: LaunchIx) -> alloc::string::String {
        alloc::format!("{}/{}/{}", self.id(), self.plan().wave(wave).name, launch.0)
    }
}
