//! What faults want to know of a request, and the errors that they answer.

use serde::Deserialize;

use super::error::ServiceError;
use crate::faults::{ErrorAnswer, ErrorCode};
use crate::model::{Quota, SourceServerId};

/// The members by which requests name source servers.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Naming {
    #[serde(rename = "sourceServerID")]
    source_server_id: Option<String>,
    source_servers: Vec<Named>,
    filters: Filters,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(rename = "sourceServerID")]
    source_server_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Filters {
    #[serde(rename = "sourceServerIDs")]
    source_server_ids: Vec<String>,
}

/// The source servers that a request names. A request that is not as it should be names none here;
/// its operation refuses it.
pub(super) fn named_servers(body: &[u8]) -> Vec<SourceServerId> {
    let naming: Naming = serde_json::from_slice(body).unwrap_or_default();
    let listed = naming.source_servers.into_iter();
    naming
        .source_server_id
        .into_iter()
        .chain(listed.filter_map(|server| server.source_server_id))
        .chain(naming.filters.source_server_ids)
        .filter_map(|id| SourceServerId::parse(&id).ok())
        .collect()
}

/// The error that a fault answers.
pub(super) fn error(answer: &ErrorAnswer, server: Option<&SourceServerId>) -> ServiceError {
    let retry_after_seconds = answer.retry_after_seconds;
    let resource_id = server.map(ToString::to_string).unwrap_or_default();
    let resource_type = "SourceServer".to_owned();
    match answer.code {
        ErrorCode::Throttling => ServiceError::Throttling {
            message: "Rate exceeded".to_owned(),
            retry_after_seconds,
        },
        ErrorCode::InternalServer => ServiceError::InternalServer {
            message: "An internal error has occurred.".to_owned(),
            retry_after_seconds,
        },
        ErrorCode::ServiceUnavailable => ServiceError::ServiceUnavailable {
            message: "The service is unavailable.".to_owned(),
            retry_after_seconds,
        },
        ErrorCode::ExpiredToken => ServiceError::ExpiredToken,
        ErrorCode::AccessDenied => ServiceError::AccessDenied {
            message: "The caller is not authorized to perform this operation.".to_owned(),
        },
        ErrorCode::Conflict => ServiceError::Conflict {
            message: format!("Source server {resource_id} is already part of a job."),
            resource_id,
            resource_type,
        },
        ErrorCode::ResourceNotFound => ServiceError::ResourceNotFound {
            message: format!("SourceServer {resource_id} was not found."),
            resource_id,
            resource_type,
        },
        ErrorCode::ServiceQuotaExceeded => ServiceError::ServiceQuotaExceeded {
            message: format!("{} is exceeded.", Quota::ConcurrentJobs),
            quota_code: Quota::ConcurrentJobs.code().to_owned(),
        },
        ErrorCode::UninitializedAccount => ServiceError::UninitializedAccount {
            message: "The account is not initialized for Elastic Disaster Recovery.".to_owned(),
        },
        ErrorCode::Validation => ServiceError::Validation {
            message: "The request is not valid.".to_owned(),
            fields: Vec::new(),
        },
    }
}
