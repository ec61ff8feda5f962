//! Why the model refuses a request. The wire turns each into DRS's error for it.

use super::id::{JobId, SourceServerId};

/// A request that was refused; nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account has no DRS in that Region.
    #[error("Account {place} is not initialized for Elastic Disaster Recovery.")]
    Uninitialized {
        /// `account/region`.
        place: String,
    },
    /// A resource that does not exist.
    #[error("{kind} {id} was not found.")]
    NotFound {
        /// What it would have been.
        kind: ResourceKind,
        /// The id or ARN that was given.
        id: String,
    },
    /// A server that already is in a live job.
    #[error("Source server {server} is already part of job {job}, which is in progress.")]
    ServerBusy {
        /// The server.
        server: SourceServerId,
        /// The job that holds it.
        job: JobId,
    },
    /// A quota of the place.
    #[error("{quota} is limited to {limit}; the request would make it {requested}.")]
    QuotaExceeded {
        /// Which.
        quota: Quota,
        /// Its limit.
        limit: usize,
        /// What the request would have made of it.
        requested: usize,
    },
    /// Something in the request that cannot be.
    #[error("{message}")]
    Invalid {
        /// The member of the request.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

/// Kinds of resources that can be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// A source server.
    SourceServer,
    /// A snapshot of a source server.
    RecoverySnapshot,
    /// A recovery instance.
    RecoveryInstance,
    /// What a source server serves once it is recovered.
    Workload,
    /// A job.
    Job,
    /// Anything that an ARN may name.
    Resource,
}

impl ResourceKind {
    /// The name by which errors call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SourceServer => "SourceServer",
            Self::RecoverySnapshot => "RecoverySnapshot",
            Self::RecoveryInstance => "RecoveryInstance",
            Self::Workload => "Workload",
            Self::Job => "Job",
            Self::Resource => "Resource",
        }
    }
}

impl std::fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The quotas of a place, with the names and codes of Service Quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Live jobs.
    ConcurrentJobs,
    /// Servers in one job.
    ServersPerJob,
    /// Servers in all live jobs.
    ServersInAllJobs,
}

impl Quota {
    /// Its code in Service Quotas.
    pub fn code(self) -> &'static str {
        match self {
            Self::ConcurrentJobs => "L-D88FAC3A",
            Self::ServersPerJob => "L-B827C881",
            Self::ServersInAllJobs => "L-05AFA8C6",
        }
    }
}

impl std::fmt::Display for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ConcurrentJobs => "Concurrent jobs in progress",
            Self::ServersPerJob => "Max source servers in a single Job",
            Self::ServersInAllJobs => "Max source servers in all Jobs",
        })
    }
}
