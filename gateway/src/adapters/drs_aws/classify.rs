//! What a failed call means.
//!
//! A call that changes something may only be called *refused* or *deferred*
//! where DRS surely did nothing; everything in doubt is *unknown*, and looked
//! for. The API's model does not list every error for every call, so codes
//! are read from the answer and not from the SDK's error types.

use std::sync::Arc;

use tidegate_core::{
    Span,
    engine::{LaunchAnswer, Quota},
};

use super::{advice, failure::Failure};
use crate::ports::drs::DrsError;

/// What an answered error says of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Nothing was done: too many calls.
    Throttled,
    /// Nothing was done, and it may be later.
    Later,
    /// Nothing was done: a quota is full.
    Full,
    /// Nothing was done: not allowed.
    Denied,
    /// Nothing was done: never will be.
    Invalid,
    /// It may have been done.
    Unclear,
}

/// Codes of Service Quotas, as AWS lists them for DRS: "Concurrent jobs in
/// progress", "Max source servers in all Jobs" and "Max source servers in a
/// single Job" of "AWS Elastic Disaster Recovery endpoints and quotas"
/// (<https://docs.aws.amazon.com/general/latest/gr/drs.html>), by their codes
/// in the Service Quotas console.
const QUOTAS: &[(&str, Quota)] = &[
    ("L-D88FAC3A", Quota::Jobs),
    ("L-05AFA8C6", Quota::Servers),
    ("L-B827C881", Quota::ServersPerJob),
];

/// Codes of DRS, of AWS in general ("Common Error Types") and of what stands
/// before AWS services.
const CODES: &[(&str, Meaning)] = &[
    ("ThrottlingException", Meaning::Throttled),
    ("Throttling", Meaning::Throttled),
    ("ThrottledException", Meaning::Throttled),
    ("RequestThrottled", Meaning::Throttled),
    ("RequestThrottledException", Meaning::Throttled),
    ("RequestLimitExceeded", Meaning::Throttled),
    ("TooManyRequestsException", Meaning::Throttled),
    ("SlowDown", Meaning::Throttled),
    ("ServiceQuotaExceededException", Meaning::Full),
    ("LimitExceededException", Meaning::Later),
    // Credentials, clocks and accounts are put right without a word to the
    // gateway: what waits for that goes on by itself.
    ("ExpiredToken", Meaning::Later),
    ("ExpiredTokenException", Meaning::Later),
    ("RequestExpired", Meaning::Later),
    ("RequestTimeTooSkewed", Meaning::Later),
    ("UnrecognizedClientException", Meaning::Later),
    ("InvalidClientTokenId", Meaning::Later),
    ("InvalidSignatureException", Meaning::Later),
    ("SignatureDoesNotMatch", Meaning::Later),
    ("OptInRequired", Meaning::Later),
    ("UninitializedAccountException", Meaning::Later),
    ("AccessDenied", Meaning::Denied),
    ("AccessDeniedException", Meaning::Denied),
    ("UnauthorizedOperation", Meaning::Denied),
    ("NotAuthorized", Meaning::Denied),
    ("IncompleteSignature", Meaning::Denied),
    ("IncompleteSignatureException", Meaning::Denied),
    ("MissingAuthenticationToken", Meaning::Denied),
    ("MissingAuthenticationTokenException", Meaning::Denied),
    ("ValidationException", Meaning::Invalid),
    ("ValidationError", Meaning::Invalid),
    ("ResourceNotFoundException", Meaning::Invalid),
    ("SerializationException", Meaning::Invalid),
    ("UnknownOperationException", Meaning::Invalid),
    ("InvalidAction", Meaning::Invalid),
    ("RequestEntityTooLargeException", Meaning::Invalid),
    // One live job per server: perhaps the one that was asked for.
    ("ConflictException", Meaning::Unclear),
    ("InternalServerException", Meaning::Unclear),
    ("InternalServerError", Meaning::Unclear),
    ("InternalFailure", Meaning::Unclear),
    ("InternalFailureException", Meaning::Unclear),
    ("ServiceUnavailable", Meaning::Unclear),
    ("ServiceUnavailableException", Meaning::Unclear),
    ("RequestTimeout", Meaning::Unclear),
    ("RequestTimeoutException", Meaning::Unclear),
];

impl Meaning {
    /// A code that nobody knows is judged by its status: 4xx says that the
    /// caller is wrong, but for those that say "not now" or "in conflict".
    fn of(code: Option<&str>, status: u16) -> Self {
        let known = CODES.iter().find(|(known, _)| Some(*known) == code);
        match (known, status) {
            (Some((_, meaning)), _) => *meaning,
            (None, 429) => Self::Throttled,
            (None, 408 | 409 | 423 | 425) => Self::Unclear,
            (None, 401 | 403 | 407) => Self::Denied,
            (None, 400..=499) => Self::Invalid,
            (None, _) => Self::Unclear,
        }
    }
}

/// What the failure of a call that changes something means.
pub(super) fn launch_answer(failure: Failure) -> LaunchAnswer {
    match failure {
        Failure::Invalid { message } => LaunchAnswer::Refused {
            reason: message.into(),
        },
        Failure::NotSent { message } => LaunchAnswer::Deferred {
            reason: format!("not sent: {message}").into(),
            after: None,
        },
        Failure::Lost { message } => LaunchAnswer::Unknown {
            reason: message.into(),
        },
        Failure::Answered {
            code,
            status,
            message,
            after,
            quota,
        } => {
            let meaning = Meaning::of(code.as_deref(), status);
            let quota = named(quota.as_deref());
            answered(meaning, described(code, status, &message), after, quota)
        }
    }
}

/// Which quota a code means.
pub(super) fn named(code: Option<&str>) -> Quota {
    let known = QUOTAS.iter().find(|(known, _)| Some(*known) == code);
    known.map_or(Quota::Unnamed, |(_, quota)| *quota)
}

fn answered(meaning: Meaning, text: String, after: Option<Span>, quota: Quota) -> LaunchAnswer {
    let reason: Arc<str> = text.into();
    match meaning {
        Meaning::Full => LaunchAnswer::OverQuota { quota, reason },
        // A permission that is missing can be given; the wave waits for it, as
        // reads do.
        Meaning::Throttled | Meaning::Later | Meaning::Denied => {
            LaunchAnswer::Deferred { reason, after }
        }
        Meaning::Invalid => LaunchAnswer::Refused { reason },
        Meaning::Unclear => LaunchAnswer::Unknown { reason },
    }
}

/// Whether nothing was done because of something that the call names: it may
/// have gone between the look-up and the call.
pub(super) fn is_refused_for_what_it_names(failure: &Failure) -> bool {
    match failure {
        Failure::Answered { code, .. } => matches!(
            code.as_deref(),
            Some("ResourceNotFoundException" | "ValidationException")
        ),
        Failure::Invalid { .. } | Failure::NotSent { .. } | Failure::Lost { .. } => false,
    }
}

/// What the failure of a read means.
pub(super) fn read_error(operation: &'static str, place: &str, failure: Failure) -> DrsError {
    let target = place.to_owned();
    let (meaning, message, after) = match failure {
        Failure::Invalid { message } => (Meaning::Invalid, message, None),
        Failure::NotSent { message } | Failure::Lost { message } => {
            (Meaning::Unclear, message, None)
        }
        Failure::Answered {
            code,
            status,
            message,
            after,
            quota: _,
        } => {
            let meaning = Meaning::of(code.as_deref(), status);
            (meaning, described(code, status, &message), after)
        }
    };
    match meaning {
        Meaning::Throttled => DrsError::Throttled {
            operation,
            target,
            after,
        },
        Meaning::Denied => DrsError::Denied {
            operation,
            target,
            message,
        },
        Meaning::Invalid => DrsError::Refused {
            operation,
            target,
            message,
        },
        Meaning::Later | Meaning::Full | Meaning::Unclear => DrsError::Failed {
            operation,
            target,
            message,
        },
    }
}

fn described(code: Option<String>, status: u16, message: &str) -> String {
    let advice = advice::on_answer(code.as_deref(), message);
    let code = code.unwrap_or_else(|| format!("HTTP {status}"));
    let said = format!("{code}: {message}");
    match advice {
        Some(advice) => advice::with(&said, advice),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered_with(code: Option<&str>, status: u16) -> Failure {
        Failure::Answered {
            code: code.map(str::to_owned),
            status,
            message: "because".to_owned(),
            after: Some(Span::from_secs(7)),
            quota: None,
        }
    }

    fn word(answer: &LaunchAnswer) -> &'static str {
        match answer {
            LaunchAnswer::Accepted(_) => "accepted",
            LaunchAnswer::Refused { .. } => "refused",
            LaunchAnswer::Deferred { .. } => "deferred",
            LaunchAnswer::OverQuota { .. } => "over quota",
            LaunchAnswer::Unknown { .. } => "unknown",
            LaunchAnswer::NothingLeft => "nothing left",
        }
    }

    #[test]
    fn what_each_answer_means_for_a_launch() {
        let table = [
            (Some("ThrottlingException"), 429, "deferred"),
            (Some("ServiceQuotaExceededException"), 402, "over quota"),
            (Some("RequestLimitExceeded"), 503, "deferred"),
            (Some("ExpiredTokenException"), 403, "deferred"),
            (Some("ValidationException"), 400, "refused"),
            (Some("AccessDeniedException"), 403, "deferred"),
            (Some("ResourceNotFoundException"), 404, "refused"),
            (Some("UninitializedAccountException"), 400, "deferred"),
            (Some("UnrecognizedClientException"), 403, "deferred"),
            (Some("InvalidSignatureException"), 403, "deferred"),
            (Some("UnknownOperationException"), 501, "refused"),
            (Some("ConflictException"), 409, "unknown"),
            (Some("InternalServerException"), 500, "unknown"),
            (Some("ServiceUnavailableException"), 503, "unknown"),
            (Some("RequestTimeoutException"), 408, "unknown"),
            (Some("NobodyKnowsThisException"), 400, "refused"),
            (Some("NobodyKnowsThisException"), 409, "unknown"),
            (Some("NobodyKnowsThisException"), 500, "unknown"),
            (None, 429, "deferred"),
            (None, 403, "deferred"),
            (None, 408, "unknown"),
            (None, 302, "unknown"),
            (None, 502, "unknown"),
            (None, 503, "unknown"),
            (None, 504, "unknown"),
        ];
        for (code, status, wanted) in table {
            let answer = launch_answer(answered_with(code, status));
            assert_eq!(word(&answer), wanted, "{code:?} with {status}");
        }
    }

    #[test]
    fn what_was_not_sent_is_deferred_and_what_was_lost_is_unknown() {
        let message = || "broken".to_owned();
        let not_sent = launch_answer(Failure::NotSent { message: message() });
        assert_eq!(word(&not_sent), "deferred");
        let lost = launch_answer(Failure::Lost { message: message() });
        assert_eq!(word(&lost), "unknown");
        let invalid = launch_answer(Failure::Invalid { message: message() });
        assert_eq!(word(&invalid), "refused");
    }

    #[test]
    fn a_full_quota_is_known_by_its_code() {
        let table = [
            (Some("L-D88FAC3A"), Quota::Jobs),
            (Some("L-05AFA8C6"), Quota::Servers),
            (Some("L-B827C881"), Quota::ServersPerJob),
            (Some("L-00000000"), Quota::Unnamed),
            (None, Quota::Unnamed),
        ];
        for (code, wanted) in table {
            let answer = launch_answer(Failure::Answered {
                code: Some("ServiceQuotaExceededException".to_owned()),
                status: 402,
                message: "full".to_owned(),
                after: None,
                quota: code.map(str::to_owned),
            });
            let LaunchAnswer::OverQuota { quota, .. } = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(quota, wanted, "{code:?}");
        }
    }

    #[test]
    fn a_deferred_launch_says_why_and_until_when() {
        let answer = launch_answer(answered_with(Some("ThrottlingException"), 429));
        let wanted = LaunchAnswer::Deferred {
            reason: "ThrottlingException: because".into(),
            after: Some(Span::from_secs(7)),
        };
        assert_eq!(answer, wanted);
    }

    #[test]
    fn what_each_answer_means_for_a_read() {
        let table = [
            (Some("ThrottlingException"), 429, "throttles"),
            (Some("AccessDeniedException"), 403, "not permitted"),
            (Some("UninitializedAccountException"), 400, "set up"),
            (Some("UnrecognizedClientException"), 403, "failed"),
            (Some("ValidationException"), 400, "was refused"),
            (Some("InternalServerException"), 500, "failed"),
            (Some("ConflictException"), 409, "failed"),
            (Some("ExpiredTokenException"), 403, "failed"),
            (None, 503, "failed"),
        ];
        for (code, status, wanted) in table {
            let failure = answered_with(code, status);
            let text = read_error("DescribeJobs", "123456789012/us-west-2", failure).to_string();
            assert!(text.contains(wanted), "{code:?} with {status}: {text}");
        }
    }

    #[test]
    fn a_read_that_had_no_answer_failed() {
        let message = "connection refused".to_owned();
        let error = read_error("DescribeJobs", "a/b", Failure::NotSent { message });
        let wanted = "DescribeJobs in a/b failed: connection refused";
        assert_eq!(error.to_string(), wanted);
    }
}
