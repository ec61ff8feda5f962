//! Jobs and their logs.

use jiff::Timestamp;

use super::fleet::Tags;
use super::id::{InstanceId, JobId, SourceServerId};
use super::source_server::{LaunchStatus, Purpose};

/// A job: launches or terminations that were asked for in one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What started it.
    pub initiated_by: Initiator,
    /// When the call was accepted.
    pub created_at: Timestamp,
    /// Where it is.
    pub phase: JobPhase,
    /// Its servers, in the order of the call.
    pub participants: Vec<Participant>,
    /// Its tags.
    pub tags: Tags,
    /// Its log, oldest first.
    pub log: Vec<LogItem>,
    /// Whether the service has forgotten it: it goes on, and nothing tells of it.
    pub forgotten: bool,
}

impl Job {
    /// Whether it still holds its servers.
    pub fn is_live(&self) -> bool {
        match self.phase {
            JobPhase::Pending | JobPhase::Started | JobPhase::Unlisted => true,
            JobPhase::Completed { .. } => false,
        }
    }

    /// The part of it that concerns one server.
    pub fn participant_mut(&mut self, server: &SourceServerId) -> Option<&mut Participant> {
        self.participants
            .iter_mut()
            .find(|participant| participant.source_server == *server)
    }
}

/// What started a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// StartRecovery.
    Launch(Purpose),
    /// TerminateRecoveryInstances.
    Termination,
}

/// Where a job is. DRS has no failed jobs: COMPLETED says only that it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobPhase {
    /// Accepted.
    Pending,
    /// Under way.
    Started,
    /// Under way, in a word that no SDK lists. Only ever told (see [`Unlisted`](super::Unlisted)).
    Unlisted,
    /// Ended.
    Completed {
        /// When.
        ended_at: Timestamp,
    },
}

/// One server's part in a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The server.
    pub source_server: SourceServerId,
    /// Where it is.
    pub status: LaunchStatus,
    /// The instance that was launched for it, or is being terminated.
    pub instance: Option<InstanceId>,
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogItem {
    /// When.
    pub at: Timestamp,
    /// The server that it concerns, if it is about one.
    pub source_server: Option<SourceServerId>,
    /// What.
    pub event: JobEvent,
}

/// The events of a job's log that the model writes.
///
/// The service model also lists the events of source networks and launch templates, for which this
/// model has no cause. LAUNCH_END is in no SDK's enum and does occur in real logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEvent {
    /// JOB_START
    JobStart,
    /// SERVER_SKIPPED
    ServerSkipped,
    /// CLEANUP_START: an older instance, or one to terminate, is being removed.
    CleanupStart {
        /// That instance.
        instance: InstanceId,
    },
    /// CLEANUP_END
    CleanupEnd {
        /// That instance.
        instance: InstanceId,
    },
    /// CLEANUP_FAIL
    CleanupFail {
        /// That instance.
        instance: InstanceId,
        /// What the service says of it.
        raw_error: String,
    },
    /// SNAPSHOT_START
    SnapshotStart,
    /// SNAPSHOT_END
    SnapshotEnd,
    /// SNAPSHOT_FAIL
    SnapshotFail {
        /// What the service says of it.
        raw_error: String,
    },
    /// USING_PREVIOUS_SNAPSHOT
    UsingPreviousSnapshot,
    /// USING_PREVIOUS_SNAPSHOT_FAILED: there is none.
    UsingPreviousSnapshotFailed {
        /// What the service says of it.
        raw_error: String,
    },
    /// CONVERSION_START
    ConversionStart,
    /// CONVERSION_END
    ConversionEnd {
        /// The instance that converted.
        conversion_server: InstanceId,
    },
    /// CONVERSION_FAIL
    ConversionFail {
        /// The instance that converted.
        conversion_server: InstanceId,
        /// What the service says of it.
        raw_error: String,
    },
    /// LAUNCH_START
    LaunchStart,
    /// LAUNCH_END
    LaunchEnd {
        /// The launched instance.
        instance: InstanceId,
    },
    /// LAUNCH_FAILED
    LaunchFailed {
        /// What the service says of it.
        raw_error: String,
    },
    /// JOB_CANCEL: there was nothing that could be done.
    JobCancel,
    /// A word that no SDK lists. Only ever told (see [`Unlisted`](super::Unlisted)).
    Unlisted,
    /// JOB_END
    JobEnd,
}

impl JobEvent {
    /// Its name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::JobStart => "JOB_START",
            Self::ServerSkipped => "SERVER_SKIPPED",
            Self::CleanupStart { .. } => "CLEANUP_START",
            Self::CleanupEnd { .. } => "CLEANUP_END",
            Self::CleanupFail { .. } => "CLEANUP_FAIL",
            Self::SnapshotStart => "SNAPSHOT_START",
            Self::SnapshotEnd => "SNAPSHOT_END",
            Self::SnapshotFail { .. } => "SNAPSHOT_FAIL",
            Self::UsingPreviousSnapshot => "USING_PREVIOUS_SNAPSHOT",
            Self::UsingPreviousSnapshotFailed { .. } => "USING_PREVIOUS_SNAPSHOT_FAILED",
            Self::ConversionStart => "CONVERSION_START",
            Self::ConversionEnd { .. } => "CONVERSION_END",
            Self::ConversionFail { .. } => "CONVERSION_FAIL",
            Self::LaunchStart => "LAUNCH_START",
            Self::LaunchEnd { .. } => "LAUNCH_END",
            Self::LaunchFailed { .. } => "LAUNCH_FAILED",
            Self::JobCancel => "JOB_CANCEL",
            Self::Unlisted => "UNLISTED",
            Self::JobEnd => "JOB_END",
        }
    }
}
