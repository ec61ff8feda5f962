//! The requests that mean the operations of the service.

use axum::http::Method;

use crate::operation::Operation;

const POSTED: [Operation; 8] = [
    Operation::StartRecovery,
    Operation::DescribeJobs,
    Operation::DescribeJobLogItems,
    Operation::DescribeSourceServers,
    Operation::DescribeRecoveryInstances,
    Operation::DescribeRecoverySnapshots,
    Operation::TerminateRecoveryInstances,
    Operation::GetLaunchConfiguration,
];

impl Operation {
    /// The operation that a request means, with the label of its path (the encoded ARN), if any.
    pub(super) fn of<'a>(method: &Method, path: &'a str) -> Option<(Self, &'a str)> {
        if let Some(arn) = path.strip_prefix("/tags/") {
            let operation = match *method {
                Method::POST => Self::TagResource,
                Method::DELETE => Self::UntagResource,
                Method::GET => Self::ListTagsForResource,
                _ => return None,
            };
            return Some((operation, arn));
        }
        let name = path.strip_prefix('/')?;
        let posted = POSTED
            .into_iter()
            .find(|operation| operation.name() == name)?;
        (*method == Method::POST).then_some((posted, ""))
    }

    /// Whether something missing is a ValidationException. The service model lists that one, but
    /// no ResourceNotFoundException, for these operations. Where it lists neither, something
    /// missing is "not found" all the same.
    pub(super) fn calls_missing_invalid(self) -> bool {
        match self {
            Self::DescribeJobLogItems | Self::DescribeRecoverySnapshots => true,
            Self::StartRecovery
            | Self::DescribeJobs
            | Self::DescribeSourceServers
            | Self::DescribeRecoveryInstances
            | Self::TerminateRecoveryInstances
            | Self::GetLaunchConfiguration
            | Self::TagResource
            | Self::UntagResource
            | Self::ListTagsForResource => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_means_an_operation_by_method_and_path() {
        let of = |method, path| Operation::of(&method, path);
        assert_eq!(
            of(Method::POST, "/DescribeJobs"),
            Some((Operation::DescribeJobs, ""))
        );
        assert_eq!(of(Method::GET, "/DescribeJobs"), None);
        assert_eq!(
            of(Method::DELETE, "/tags/a%2Fb"),
            Some((Operation::UntagResource, "a%2Fb"))
        );
        assert_eq!(of(Method::POST, "/StartFailbackLaunch"), None);
    }
}
