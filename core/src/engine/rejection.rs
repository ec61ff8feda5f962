//! Why a request is refused.

use alloc::vec::Vec;
use core::fmt;

use super::{Action, Execution, ExecutionState};

/// A refused request, with what would be accepted instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// What was asked for.
    pub request: Request,
    /// Why it is refused.
    pub why: Why,
    /// The state that forbids it.
    pub state: ExecutionState,
    /// What would be accepted now.
    pub allowed: Vec<Action>,
}

/// A request of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Begin.
    Start,
    /// Hold.
    Pause,
    /// Go on.
    Resume,
    /// End.
    Cancel,
    /// Retry a wave.
    RetryWave,
    /// Skip a wave.
    SkipWave,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The execution is over.
    Over,
    /// It has begun already.
    Begun,
    /// It is ending already.
    Ending,
    /// A person has paused it already.
    AlreadyPaused,
    /// Nothing holds it that a resume would lift.
    NothingToResume,
    /// A failed wave wants a decision first.
    WaveUndecided,
    /// The wave has not failed, or nobody was asked about it.
    WaveNotFailed,
    /// A DRS job of the wave may still run.
    JobRuns,
    /// The wave is launched or over.
    WavePastSkipping,
}

impl Rejection {
    pub(super) fn new(execution: &Execution, request: Request, why: Why) -> Self {
        Self {
            request,
            why,
            state: execution.state(),
            allowed: execution.allowed_actions(),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            Why::Over => "the execution is over",
            Why::Begun => "the execution has begun already",
            Why::Ending => "the execution is ending",
            Why::AlreadyPaused => "the execution is already paused by an operator",
            Why::NothingToResume => "nothing holds the execution",
            Why::WaveUndecided => "a failed wave wants a decision: retry it, skip it, or cancel",
            Why::WaveNotFailed => "the wave does not wait for a decision about its failure",
            Why::JobRuns => "a DRS job of the wave may still run; it must end first",
            Why::WavePastSkipping => "the wave is being launched or is over",
        })
    }
}

impl core::error::Error for Rejection {}
