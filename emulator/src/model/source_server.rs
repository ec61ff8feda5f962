//! A source server: what a scenario says of it, and what launches have made of it since.

use jiff::{SignedDuration, Timestamp};

use super::fleet::{ServerSpec, Tags};
use super::id::{InstanceId, JobId};
use super::loopback::Berth;
use super::workload::Health;

/// A source server as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceServer {
    /// What does not change.
    pub spec: ServerSpec,
    /// Its tags.
    pub tags: Tags,
    /// When it was added to the service.
    pub added_at: Timestamp,
    /// Its newest launch, if it ever had one.
    pub last_launch: Option<LastLaunch>,
    /// The one before, as far as it got.
    pub launch_before: Option<LastLaunch>,
    /// The launches that were ever accepted for it.
    pub launches: u32,
    /// The terminations that were ever accepted for it.
    pub terminations: u32,
    /// The job that holds it now: DRS allows one per server.
    pub live_job: Option<JobId>,
    /// Its recovery instance.
    pub recovery_instance: Option<InstanceId>,
    /// Its loopback addresses, if its recovery instances really listen.
    pub berth: Option<Berth>,
    /// What a person said last of its workload.
    pub told: Option<Health>,
}

impl SourceServer {
    /// A server that was never launched, two days into its replication.
    pub fn new(spec: ServerSpec, start: Timestamp) -> Self {
        Self {
            tags: spec.tags.clone(),
            added_at: start - SignedDuration::from_hours(49),
            spec,
            last_launch: None,
            launch_before: None,
            launches: 0,
            terminations: 0,
            live_job: None,
            recovery_instance: None,
            berth: None,
            told: None,
        }
    }

    /// When its first byte arrived: a minute and a half after it was added, as in the recording.
    pub fn first_byte_at(&self) -> Timestamp {
        self.added_at + SignedDuration::from_secs(90)
    }
}

/// The newest launch of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastLaunch {
    /// When the call was accepted.
    pub called_at: Timestamp,
    /// The job that it made.
    pub job: JobId,
    /// What it was for.
    pub purpose: Purpose,
    /// How far it got.
    pub status: LaunchStatus,
}

/// What a launch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// A drill.
    Drill,
    /// A recovery in earnest.
    Recovery,
}

impl Purpose {
    /// The purpose that the flag of the call means.
    pub fn of_drill_flag(is_drill: bool) -> Self {
        if is_drill {
            Self::Drill
        } else {
            Self::Recovery
        }
    }

    /// The flag that means this purpose.
    pub fn is_drill(self) -> bool {
        match self {
            Self::Drill => true,
            Self::Recovery => false,
        }
    }
}

/// Where one server is in a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LaunchStatus {
    /// Nothing was done for it yet.
    Pending,
    /// Something is being done.
    InProgress,
    /// Its instance was launched.
    Launched,
    /// Its instance was not launched.
    Failed,
    /// Its instance was terminated.
    Terminated,
    /// A word that no SDK lists.
    Unlisted,
}
