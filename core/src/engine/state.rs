//! The closed sets of states and reasons, and what belongs to each.

use alloc::sync::Arc;
use core::fmt;

use crate::{
    InstanceId, JobId, SnapshotId, SourceServerId, Timestamp, WaveIx,
    plan::{HookFailureKind, Target},
};

/// What kind of run an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Instances are launched beside the running source.
    Drill,
    /// A real failover.
    Recovery,
    /// Terminates the instances of an earlier execution.
    Cleanup,
}

/// States of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExecutionState {
    /// Accepted, not yet begun.
    Pending,
    /// Going on by itself.
    Running,
    /// Held; what is in flight is still followed.
    Pausing,
    /// Held, and nothing is in flight.
    Paused,
    /// Cancelled; running DRS jobs are followed to their end.
    Cancelling,
    /// Over: cancelled.
    Cancelled,
    /// Over: every wave succeeded.
    Succeeded,
    /// Over: succeeded with tolerated failures, skipped waves or warnings.
    SucceededWithWarnings,
    /// Over: a wave failed or time ran out.
    Failed,
}

impl ExecutionState {
    /// Whether it is over.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Cancelled | Self::Succeeded | Self::SucceededWithWarnings | Self::Failed
        )
    }
}

/// States of a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaveState {
    /// Waits for other waves.
    Waiting,
    /// Could start, and waits for a person.
    Gated,
    /// Servers are selected and pre-wave hooks run.
    Checking,
    /// DRS is being asked.
    Launching,
    /// DRS jobs run.
    Recovering,
    /// Post-wave hooks run.
    Verifying,
    /// Every server launched and every check passed.
    Succeeded,
    /// Succeeded with tolerated failures or warnings.
    SucceededWithWarnings,
    /// Failed.
    Failed,
    /// Not wanted.
    Skipped,
    /// The execution was cancelled or stopped before it could end.
    Cancelled,
}

impl WaveState {
    /// Whether the wave is over. A failed wave may still be retried or
    /// skipped while its execution is held for it.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(
            self,
            Self::Succeeded
                | Self::SucceededWithWarnings
                | Self::Failed
                | Self::Skipped
                | Self::Cancelled
        )
    }

    /// Whether waves that wait for this one may start.
    #[must_use]
    pub const fn satisfies(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::SucceededWithWarnings | Self::Skipped
        )
    }
}

/// States of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerState {
    /// Not asked for yet.
    Pending,
    /// DRS was asked.
    Requested,
    /// A snapshot is taken.
    Snapshot,
    /// The snapshot is converted.
    Conversion,
    /// The instance is launched (in a cleanup: terminated).
    Launch,
    /// DRS launched an instance.
    Launched,
    /// DRS could not, or did not in time.
    Failed,
    /// Never asked for.
    Skipped,
    /// The instance was terminated.
    Terminated,
}

impl ServerState {
    /// Whether nothing more is expected for the server in this attempt.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(
            self,
            Self::Launched | Self::Failed | Self::Skipped | Self::Terminated
        )
    }
}

/// Where a launch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaunchState {
    /// It waits for its turn under the quotas of DRS, which was surely not
    /// asked for this attempt.
    Queued {
        /// The attempt that it will be.
        attempt: u32,
    },
    /// The intent is recorded and DRS is asked.
    Asking {
        /// Counts how often DRS was asked, from 1.
        attempt: u32,
    },
    /// It is unknown whether DRS accepted it.
    Reconciling {
        /// The attempt whose answer is unknown.
        attempt: u32,
    },
    /// DRS did not take it; asked again later.
    Deferred {
        /// The attempt that was not taken.
        attempt: u32,
        /// When it is asked again.
        until: Timestamp,
    },
    /// The job runs.
    Running {
        /// The job.
        job: JobId,
    },
    /// The job ended.
    Ended {
        /// The job.
        job: JobId,
    },
    /// DRS refused it.
    Refused,
    /// Given up before DRS accepted it.
    Abandoned,
}

impl LaunchState {
    /// Whether DRS has, or may have, a live job for it.
    #[must_use]
    pub const fn is_in_flight(&self) -> bool {
        matches!(
            self,
            Self::Asking { .. } | Self::Reconciling { .. } | Self::Running { .. }
        )
    }

    /// Whether nothing more will come of it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::Refused | Self::Abandoned)
    }

    /// The job, once it is known.
    #[must_use]
    pub const fn job(&self) -> Option<&JobId> {
        match self {
            Self::Running { job } | Self::Ended { job } => Some(job),
            Self::Queued { .. }
            | Self::Asking { .. }
            | Self::Reconciling { .. }
            | Self::Deferred { .. }
            | Self::Refused
            | Self::Abandoned => None,
        }
    }
}

/// What came of a hook's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookOutcome {
    /// Go on.
    Proceed,
    /// Asked again, not before this instant: because it said so, or because
    /// the plan answers its failure so.
    Retry {
        /// When.
        at: Timestamp,
    },
    /// A person must look; a resume runs it again.
    Hold,
    /// The wave is skipped.
    Skip,
    /// The wave fails.
    Abort,
    /// The hook itself failed, for which the plan wants a person to look or
    /// the wave to fail.
    Failed {
        /// In which way.
        kind: HookFailureKind,
    },
    /// The hook itself failed, in a way that the plan waives: go on, and end
    /// with warnings.
    Waived {
        /// In which way.
        kind: HookFailureKind,
    },
    /// Its answer is no longer wanted.
    Dropped,
}

/// Why an execution is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The kind.
    pub cause: HoldCause,
    /// For people.
    pub detail: Arc<str>,
}

/// What holds an execution. Each cause is placed at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldCause {
    /// A person asked for it.
    Operator,
    /// The plan says so before this wave.
    Planned(WaveIx),
    /// It is unknown whether DRS accepted a launch of this wave.
    Approval(WaveIx),
    /// This wave failed and its policy is to pause.
    WaveFailed(WaveIx),
    /// A hook of this wave wants a person to look.
    Hook(WaveIx),
}

impl HoldCause {
    /// The wave that it concerns.
    #[must_use]
    pub const fn wave(self) -> Option<WaveIx> {
        match self {
            Self::Operator => None,
            Self::Planned(wave)
            | Self::Approval(wave)
            | Self::WaveFailed(wave)
            | Self::Hook(wave) => Some(wave),
        }
    }
}

/// Why something is as it is: a closed code, and text from outside if there
/// is any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// Text from outside: of DRS, of a hook, of a person.
    pub text: Arc<str>,
}

/// Codes of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonCode {
    /// The state says it all.
    None,
    /// A person wanted it.
    Operator,
    /// The plan wants it.
    Planned,
    /// A wave that this one waits for did not succeed, or the plan stopped.
    NotReached,
    /// Time ran out.
    Timeout,
    /// More required servers failed than the wave tolerates.
    ServersFailed,
    /// A tolerated failure or a warning.
    Tolerated,
    /// A hook decided.
    Hook,
    /// A hook itself failed.
    HookFailed,
    /// Servers could not be selected.
    Selection,
    /// DRS refused.
    Refused,
    /// DRS did not take it now.
    Deferred,
    /// The answer of DRS was lost.
    AnswerLost,
    /// The process that asked is gone.
    OwnerLost,
    /// DRS shows no trace of it.
    NoTrace,
    /// Found at DRS and adopted.
    Adopted,
    /// DRS says so.
    Drs,
    /// The job ended and said nothing final of the server.
    JobEndedEarly,
    /// A quota of DRS is full.
    Quota,
}

impl Reason {
    /// The state says it all.
    #[must_use]
    pub fn none() -> Self {
        Self::of(ReasonCode::None)
    }

    /// A code without text.
    #[must_use]
    pub fn of(code: ReasonCode) -> Self {
        Self {
            code,
            text: Arc::from(""),
        }
    }

    /// A code with text.
    #[must_use]
    pub fn with(code: ReasonCode, text: impl Into<Arc<str>>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.code {
            ReasonCode::None => "",
            ReasonCode::Operator => "requested by an operator",
            ReasonCode::Planned => "planned pause",
            ReasonCode::NotReached => "not reached",
            ReasonCode::Timeout => "timed out",
            ReasonCode::ServersFailed => "servers failed",
            ReasonCode::Tolerated => "with tolerated failures",
            ReasonCode::Hook => "decided by a hook",
            ReasonCode::HookFailed => "a hook failed",
            ReasonCode::Selection => "servers could not be selected",
            ReasonCode::Refused => "refused by DRS",
            ReasonCode::Deferred => "not taken by DRS now",
            ReasonCode::AnswerLost => "the answer of DRS was lost",
            ReasonCode::OwnerLost => "the gateway restarted while DRS was asked",
            ReasonCode::NoTrace => "DRS shows no trace of it",
            ReasonCode::Adopted => "found at DRS and adopted",
            ReasonCode::Drs => "reported by DRS",
            ReasonCode::Quota => "a quota of DRS is full",
            ReasonCode::JobEndedEarly => "the DRS job ended without a result for this server",
        };
        match (code, &*self.text) {
            (code, "") => f.write_str(code),
            ("", text) => f.write_str(text),
            (code, text) => write!(f, "{code}: {text}"),
        }
    }
}

/// What is due at a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadlineReason {
    /// The execution has taken too long.
    ExecutionTimeout,
    /// The wave has taken too long.
    WaveTimeout(WaveIx),
    /// The wave's failed servers are asked for again.
    WaveRetry(WaveIx),
    /// A launch is asked for again.
    LaunchRetry(WaveIx),
    /// A hook is asked again.
    HookRetry(WaveIx),
    /// The hooks of the wave's phase have taken too long together.
    GateTimeout(WaveIx),
}

/// A server as it was selected for a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedServer {
    /// Its id.
    pub id: SourceServerId,
    /// Host name, or empty.
    pub hostname: Arc<str>,
    /// Where it is recovered.
    pub target: Arc<Target>,
    /// Its failure does not count.
    pub optional: bool,
    /// Snapshot to launch from; `None` for the latest.
    pub snapshot: Option<SnapshotId>,
    /// In a cleanup: the instance to terminate.
    pub instance: Option<InstanceId>,
}
