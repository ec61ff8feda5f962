//! The errors of the service, and their one mapping to HTTP.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::model::Refusal;
use crate::operation::Operation;

/// An error as the service answers it. Statuses, members and headers are those of the service
/// model; the last seven come from the front door of every AWS service and are in no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// 403
    #[error("{message}")]
    AccessDenied {
        /// What was denied.
        message: String,
    },
    /// 409
    #[error("{message}")]
    Conflict {
        /// What conflicts.
        message: String,
        /// With which resource.
        resource_id: String,
        /// Of which type.
        resource_type: String,
    },
    /// 500
    #[error("{message}")]
    InternalServer {
        /// What went wrong.
        message: String,
        /// When to try again.
        retry_after_seconds: Option<u32>,
    },
    /// 404
    #[error("{message}")]
    ResourceNotFound {
        /// What is missing.
        message: String,
        /// Its id.
        resource_id: String,
        /// Its type.
        resource_type: String,
    },
    /// 402
    #[error("{message}")]
    ServiceQuotaExceeded {
        /// What is exceeded.
        message: String,
        /// The code of the quota in Service Quotas.
        quota_code: String,
    },
    /// 429
    #[error("{message}")]
    Throttling {
        /// What is throttled.
        message: String,
        /// When to try again.
        retry_after_seconds: Option<u32>,
    },
    /// 400
    #[error("{message}")]
    UninitializedAccount {
        /// Which account.
        message: String,
    },
    /// 400
    #[error("{message}")]
    Validation {
        /// What is wrong.
        message: String,
        /// Where.
        fields: Vec<FieldProblem>,
    },
    /// 503
    #[error("{message}")]
    ServiceUnavailable {
        /// What is not available.
        message: String,
        /// When to try again.
        retry_after_seconds: Option<u32>,
    },
    /// 403
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// 403
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// 403
    #[error("{message}")]
    IncompleteSignature {
        /// What is wrong with the header.
        message: String,
    },
    /// 400
    #[error("{message}")]
    Serialization {
        /// What is wrong with the body.
        message: String,
    },
    /// 413
    #[error("Request size exceeded {limit} bytes")]
    RequestEntityTooLarge {
        /// The limit.
        limit: usize,
    },
    /// 501
    #[error("The emulator has no operation for {request}.")]
    NotEmulated {
        /// Method and path.
        request: String,
    },
}

/// One member of a request that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The member.
    pub name: String,
    /// What is wrong with it.
    pub message: String,
}

impl ServiceError {
    /// The answer to a refusal of the model.
    pub(super) fn refused(operation: Operation, refusal: &Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Uninitialized { .. } => Self::UninitializedAccount { message },
            Refusal::NotFound { .. } if operation.calls_missing_invalid() => Self::Validation {
                message,
                fields: Vec::new(),
            },
            Refusal::NotFound { kind, id } => Self::ResourceNotFound {
                message,
                resource_id: id.clone(),
                resource_type: kind.name().to_owned(),
            },
            Refusal::ServerBusy { server, .. } => Self::Conflict {
                message,
                resource_id: server.to_string(),
                resource_type: "SourceServer".to_owned(),
            },
            Refusal::QuotaExceeded { quota, .. } => Self::ServiceQuotaExceeded {
                message,
                quota_code: quota.code().to_owned(),
            },
            Refusal::Invalid { field, message } => Self::Validation {
                message: message.clone(),
                fields: vec![FieldProblem {
                    name: (*field).to_owned(),
                    message: message.clone(),
                }],
            },
        }
    }

    /// The code in `x-amzn-ErrorType`.
    pub fn code(&self) -> &'static str {
        self.kind().0
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind().1
    }

    fn kind(&self) -> (&'static str, StatusCode) {
        match self {
            Self::AccessDenied { .. } => ("AccessDeniedException", StatusCode::FORBIDDEN),
            Self::Conflict { .. } => ("ConflictException", StatusCode::CONFLICT),
            Self::InternalServer { .. } => {
                ("InternalServerException", StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::ResourceNotFound { .. } => ("ResourceNotFoundException", StatusCode::NOT_FOUND),
            Self::ServiceQuotaExceeded { .. } => (
                "ServiceQuotaExceededException",
                StatusCode::PAYMENT_REQUIRED,
            ),
            Self::Throttling { .. } => ("ThrottlingException", StatusCode::TOO_MANY_REQUESTS),
            Self::UninitializedAccount { .. } => {
                ("UninitializedAccountException", StatusCode::BAD_REQUEST)
            }
            Self::Validation { .. } => ("ValidationException", StatusCode::BAD_REQUEST),
            Self::ServiceUnavailable { .. } => (
                "ServiceUnavailableException",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::ExpiredToken => ("ExpiredTokenException", StatusCode::FORBIDDEN),
            Self::MissingAuthenticationToken => {
                ("MissingAuthenticationTokenException", StatusCode::FORBIDDEN)
            }
            Self::IncompleteSignature { .. } => {
                ("IncompleteSignatureException", StatusCode::FORBIDDEN)
            }
            Self::Serialization { .. } => ("SerializationException", StatusCode::BAD_REQUEST),
            Self::RequestEntityTooLarge { .. } => (
                "RequestEntityTooLargeException",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            Self::NotEmulated { .. } => ("UnknownOperationException", StatusCode::NOT_IMPLEMENTED),
        }
    }

    /// The `Retry-After` header.
    fn retry_after(&self) -> Option<u32> {
        if let Self::InternalServer {
            retry_after_seconds,
            ..
        }
        | Self::Throttling {
            retry_after_seconds,
            ..
        }
        | Self::ServiceUnavailable {
            retry_after_seconds,
            ..
        } = self
        {
            *retry_after_seconds
        } else {
            None
        }
    }

    fn body(&self) -> ErrorBody<'_> {
        let plain = ErrorBody {
            message: self.to_string(),
            ..ErrorBody::default()
        };
        // `code` is a member of these shapes; the others have the message only.
        let coded = |body| ErrorBody {
            code: Some(self.code()),
            ..body
        };
        match self {
            Self::AccessDenied { .. } | Self::UninitializedAccount { .. } => coded(plain),
            Self::Conflict {
                resource_id,
                resource_type,
                ..
            }
            | Self::ResourceNotFound {
                resource_id,
                resource_type,
                ..
            } => coded(ErrorBody {
                resource_id: Some(resource_id),
                resource_type: Some(resource_type),
                ..plain
            }),
            Self::ServiceQuotaExceeded { quota_code, .. } => coded(ErrorBody {
                service_code: Some("drs"),
                quota_code: Some(quota_code),
                ..plain
            }),
            Self::Validation { fields, .. } => {
                let reason = if fields.is_empty() {
                    "other"
                } else {
                    "fieldValidationFailed"
                };
                coded(ErrorBody {
                    reason: Some(reason),
                    field_list: Some(fields),
                    ..plain
                })
            }
            Self::InternalServer { .. }
            | Self::Throttling { .. }
            | Self::ServiceUnavailable { .. }
            | Self::ExpiredToken
            | Self::MissingAuthenticationToken
            | Self::IncompleteSignature { .. }
            | Self::Serialization { .. }
            | Self::RequestEntityTooLarge { .. }
            | Self::NotEmulated { .. } => plain,
        }
    }
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field_list: Option<&'a [FieldProblem]>,
}

impl IntoResponse for ServiceError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), axum::Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.code()));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_says_when_to_try_again_in_a_header() {
        let message = "Rate exceeded".to_owned();
        let error = ServiceError::Throttling {
            message,
            retry_after_seconds: Some(3),
        };
        let response = error.into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(
            response.headers()["x-amzn-errortype"],
            "ThrottlingException"
        );
        assert_eq!(response.headers()["retry-after"], "3");
    }

    #[test]
    fn something_missing_is_invalid_where_the_model_knows_no_not_found() {
        let kind = crate::model::ResourceKind::Job;
        let missing = Refusal::NotFound {
            kind,
            id: "x".to_owned(),
        };
        let code = |operation| ServiceError::refused(operation, &missing).code();
        assert_eq!(code(Operation::DescribeJobLogItems), "ValidationException");
        assert_eq!(
            code(Operation::GetLaunchConfiguration),
            "ResourceNotFoundException"
        );
    }
}
