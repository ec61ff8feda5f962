//! The operations of the service that are emulated.

/// An emulated operation. It is written as the service names it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize,
)]
pub enum Operation {
    /// Launches servers.
    StartRecovery,
    /// Lists jobs.
    DescribeJobs,
    /// Lists the log of a job.
    DescribeJobLogItems,
    /// Lists source servers.
    DescribeSourceServers,
    /// Lists recovery instances.
    DescribeRecoveryInstances,
    /// Lists the snapshots of a source server.
    DescribeRecoverySnapshots,
    /// Terminates recovery instances.
    TerminateRecoveryInstances,
    /// Tells how a source server is launched.
    GetLaunchConfiguration,
    /// Adds tags to a resource.
    TagResource,
    /// Removes tags from a resource.
    UntagResource,
    /// Lists the tags of a resource.
    ListTagsForResource,
}

impl Operation {
    /// Its name in the service model.
    pub fn name(self) -> &'static str {
        match self {
            Self::StartRecovery => "StartRecovery",
            Self::DescribeJobs => "DescribeJobs",
            Self::DescribeJobLogItems => "DescribeJobLogItems",
            Self::DescribeSourceServers => "DescribeSourceServers",
            Self::DescribeRecoveryInstances => "DescribeRecoveryInstances",
            Self::DescribeRecoverySnapshots => "DescribeRecoverySnapshots",
            Self::TerminateRecoveryInstances => "TerminateRecoveryInstances",
            Self::GetLaunchConfiguration => "GetLaunchConfiguration",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::ListTagsForResource => "ListTagsForResource",
        }
    }
}
