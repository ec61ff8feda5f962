//! Events: what was heard from outside.

use alloc::{string::String, sync::Arc, vec::Vec};

use super::{CommandId, HookAnswer, SelectedServer, ServerState};
use crate::{InstanceId, JobId, LaunchIx, OwnerId, SourceServerId, Span, Timestamp, WaveIx};

/// Something heard from outside: a person's request, an answer, or the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Begin.
    Start,
    /// Another process drives this execution from now on. What the one before
    /// had under way, and whose answer it did not record, is unknown.
    OwnerChanged(OwnerId),
    /// A person wants a pause.
    Pause {
        /// Why, for the record.
        comment: Arc<str>,
    },
    /// A person wants to go on.
    Resume,
    /// A person wants an end.
    Cancel {
        /// Why, for the record.
        comment: Arc<str>,
    },
    /// A person wants the failed servers of a wave asked for again.
    RetryWave(WaveIx),
    /// A person wants to go on without a wave.
    SkipWave(WaveIx),
    /// The servers of a wave were looked up.
    Selected {
        /// Whose servers.
        wave: WaveIx,
        /// The servers, or why there are none.
        answer: Result<Vec<SelectedServer>, String>,
    },
    /// A hook ended.
    HookAnswered {
        /// The command that it answers.
        command: CommandId,
        /// What it said.
        answer: HookAnswer,
    },
    /// It is a launch's turn: DRS may be asked.
    Admitted {
        /// The command that it answers.
        command: CommandId,
    },
    /// A queued launch has more servers than DRS takes in one job here.
    TooLarge {
        /// The command that it answers.
        command: CommandId,
        /// Most servers that DRS takes in one job.
        most: u16,
    },
    /// DRS answered a launch (or in a cleanup, a termination), or did not.
    LaunchAnswered {
        /// The command that it answers.
        command: CommandId,
        /// What is known.
        answer: LaunchAnswer,
    },
    /// Tidegate looked whether DRS had accepted a launch.
    LaunchLooked {
        /// Whose launch.
        wave: WaveIx,
        /// Which of the wave's launches.
        launch: LaunchIx,
        /// When the look began. Its answer may be heard much later, and says
        /// nothing of what DRS showed in between.
        began: Timestamp,
        /// What was found.
        found: Looked,
    },
    /// A job was observed.
    JobObserved {
        /// Whose job.
        wave: WaveIx,
        /// Of which launch.
        launch: LaunchIx,
        /// What was seen.
        report: JobReport,
    },
    /// Time passed; deadlines may be due.
    Tick,
}

/// What is known after a launch was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaunchAnswer {
    /// DRS made a job; this is what it said of it.
    Accepted(JobReport),
    /// DRS will not, now or later.
    Refused {
        /// Why.
        reason: Arc<str>,
    },
    /// DRS did not, and may later: throttled, or never reached.
    Deferred {
        /// Why.
        reason: Arc<str>,
        /// Not before this has passed, if DRS said so.
        after: Option<Span>,
    },
    /// DRS did not, because a quota is full: the launch queues again.
    OverQuota {
        /// Which quota, as far as DRS said.
        quota: Quota,
        /// What it said.
        reason: Arc<str>,
    },
    /// DRS may or may not have.
    Unknown {
        /// Why that is not known.
        reason: Arc<str>,
    },
    /// In a cleanup: no instance that was to be terminated is there any more,
    /// so there is no job.
    NothingLeft,
}

/// What DRS limits in each account and Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quota {
    /// Jobs at a time.
    Jobs,
    /// Servers in all jobs at a time.
    Servers,
    /// Servers in one job.
    ServersPerJob,
    /// DRS did not say which.
    Unnamed,
}

/// What looking for a launch found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// DRS had accepted it.
    Found {
        /// The earliest job.
        report: JobReport,
        /// Further jobs with the same servers, which should not exist.
        duplicates: Vec<JobId>,
    },
    /// No trace of it, at this time.
    Nothing,
}

/// What DRS says of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobReport {
    /// The job.
    pub job: JobId,
    /// Whether the job has ended. That it ended says nothing of its servers.
    pub ended: bool,
    /// What it says of each server; servers that it does not name are as they
    /// were.
    pub servers: Vec<ServerReport>,
}

/// What DRS says of a server in a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerReport {
    /// The server.
    pub server: SourceServerId,
    /// How far it is: any state from `Requested` to `Terminated`.
    pub state: ServerState,
    /// Its instance, if known.
    pub instance: Option<InstanceId>,
    /// Why it failed, or what else is worth showing.
    pub detail: Arc<str>,
    /// What is worth a warning.
    pub warnings: Vec<Arc<str>>,
}
