//! What is to happen to a call.

use std::time::Duration;

use jiff::SignedDuration;

use crate::model::JobFault;

/// What is to happen to a call, and to the job that it starts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// The call.
    pub call: CallVerdict,
    /// What goes wrong with the job that a StartRecovery starts, if one is.
    pub job: Option<JobFault>,
}

/// What is to happen to a call: whether, when and how often its work is done, and what its caller
/// hears of it.
#[derive(Debug, Clone, PartialEq)]
pub enum CallVerdict {
    /// It is done, and then answered.
    Done {
        /// How often.
        times: Times,
        /// What the caller hears.
        answer: Answer,
    },
    /// It is never done.
    NotDone {
        /// What the caller hears.
        instead: Instead,
    },
    /// It is done after the caller has heard otherwise.
    Late {
        /// How much later than the call, in emulated time.
        by: SignedDuration,
        /// What the caller hears, at once.
        instead: Instead,
    },
}

impl Default for CallVerdict {
    fn default() -> Self {
        Self::Done {
            times: Times::Once,
            answer: Answer::Whole,
        }
    }
}

/// How often a call is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// As it should be.
    Once,
    /// Twice at once. The servers of a StartRecovery are launched again although the first job
    /// holds them; see [`Model::repeat_recovery`](crate::model::Model::repeat_recovery). The
    /// first answer is told.
    Twice,
}

/// What a caller hears of a call that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The answer.
    Whole,
    /// The answer, so much later.
    Delayed(Duration),
    /// The answer, of which the body arrives in drops over so long.
    Dribbled(Duration),
    /// The head and half of the body; then the connection is reset.
    Cut,
    /// Something else.
    Instead(Instead),
}

impl Answer {
    /// The error that is answered instead, if one is.
    pub fn error(&self) -> Option<&ErrorAnswer> {
        if let Self::Instead(Instead::Error(error)) = self {
            Some(error)
        } else {
            None
        }
    }
}

/// What a caller hears that is not the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// Nothing, while the connection stays open.
    Silence,
    /// Nothing: the connection is reset.
    Reset,
    /// An error.
    Error(ErrorAnswer),
}

/// An error that is answered whatever the truth is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// Which.
    pub code: ErrorCode,
    /// When the caller may try again, where the error says that.
    pub retry_after_seconds: Option<u32>,
}

/// The errors that can be answered, with the status of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub enum ErrorCode {
    /// 429
    #[serde(rename = "ThrottlingException")]
    Throttling,
    /// 500
    #[serde(rename = "InternalServerException")]
    InternalServer,
    /// 503, of the front door: it is in no service model.
    #[serde(rename = "ServiceUnavailableException")]
    ServiceUnavailable,
    /// 403, of the front door: it is in no service model.
    #[serde(rename = "ExpiredTokenException")]
    ExpiredToken,
    /// 403
    #[serde(rename = "AccessDeniedException")]
    AccessDenied,
    /// 409
    #[serde(rename = "ConflictException")]
    Conflict,
    /// 404
    #[serde(rename = "ResourceNotFoundException")]
    ResourceNotFound,
    /// 402
    #[serde(rename = "ServiceQuotaExceededException")]
    ServiceQuotaExceeded,
    /// 400
    #[serde(rename = "UninitializedAccountException")]
    UninitializedAccount,
    /// 400
    #[serde(rename = "ValidationException")]
    Validation,
}

impl ErrorCode {
    /// Whether the error can say when to try again.
    pub fn says_retry_after(self) -> bool {
        match self {
            Self::Throttling | Self::InternalServer | Self::ServiceUnavailable => true,
            Self::ExpiredToken
            | Self::AccessDenied
            | Self::Conflict
            | Self::ResourceNotFound
            | Self::ServiceQuotaExceeded
            | Self::UninitializedAccount
            | Self::Validation => false,
        }
    }
}
