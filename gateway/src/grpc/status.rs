//! The one place where errors become gRPC statuses.
//!
//! Every status carries `google.rpc.ErrorInfo` with a stable reason, and the
//! detail that fits its code. All of it is bounded.

mod bounds;
mod hooks;

use std::{collections::HashMap, time::Duration};

use tidegate_core::{
    ExecutionId, PlanName,
    engine::{Execution, Rejection},
};
use tidegate_proto::v1;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, QuotaViolation, StatusExt};

use super::convert::{action, enums};
use crate::{
    driver::DriverError,
    ports::{journal::ReadError, plan_store::PlanStoreError},
};

pub(crate) use hooks::{
    from_hook_store, from_register, from_rehearsal, hook_in_use, hook_not_found, hooks_unready,
    plan_not_armed, tape_not_found,
};

/// The domain of every reason.
pub(crate) const DOMAIN: &str = "tidegate.dev";

/// When a client that was told UNAVAILABLE may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A status with a reason and its metadata.
fn with_reason<const N: usize>(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    metadata: [(&str, String); N],
    complete: impl FnOnce(&mut ErrorDetails),
) -> Status {
    let metadata: HashMap<String, String> = metadata
        .into_iter()
        .map(|(key, value)| (key.to_owned(), bounds::metadata(key, value)))
        .collect();
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    complete(&mut details);
    Status::with_error_details(code, bounds::message(message), details)
}

/// One field of the request is wrong.
pub(crate) fn invalid(field: &str, description: impl Into<String>) -> Status {
    let description = bounds::message(description);
    with_reason(
        Code::InvalidArgument,
        "INVALID_FIELD",
        format!("{field}: {description}"),
        [("field", field.to_owned())],
        |details| {
            details.add_bad_request_violation(field, description);
        },
    )
}

/// The bytes of the request are no message of its method.
#[cfg(feature = "root")]
pub(crate) fn unreadable(why: &str) -> Status {
    let description = bounds::message(format!(
        "the request is no message of this method: {why}. Encode it with tidegate.v1's definitions"
    ));
    with_reason(
        Code::InvalidArgument,
        "REQUEST_UNREADABLE",
        description.clone(),
        [],
        |details| {
            details.add_bad_request_violation("", description);
        },
    )
}

/// A plan has mistakes; there is at least one.
pub(crate) fn invalid_plan(violations: Vec<v1::FieldViolation>) -> Status {
    let message = match violations.as_slice() {
        [only] => format!("{}: {}", only.field, only.description),
        all => format!("the plan has {} mistakes", all.len()),
    };
    let listed = bounds::mistakes(violations);
    with_reason(
        Code::InvalidArgument,
        "INVALID_PLAN",
        message,
        [],
        |details| {
            details.set_bad_request(listed);
        },
    )
}

/// The same request id came with another request.
pub(crate) fn request_id_reused(id: &str) -> Status {
    with_reason(
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
        format!("request id {id:?} was used before with another request; use a new one"),
        [("request_id", id.to_owned())],
        |details| {
            details.add_bad_request_violation("request_id", "was used with another request");
        },
    )
}

/// There is no such plan, or no such revision of it.
pub(crate) fn plan_not_found(name: &PlanName, revision: Option<u64>) -> Status {
    let what = match revision {
        Some(revision) => format!("there is no revision {revision} of plan {name}"),
        None => format!("there is no plan {name}"),
    };
    not_found("PLAN_NOT_FOUND", "tidegate.v1.Plan", name.as_str(), what)
}

/// There is no such execution.
pub(crate) fn execution_not_found(id: &ExecutionId) -> Status {
    let what = format!("there is no execution {id}");
    not_found(
        "EXECUTION_NOT_FOUND",
        "tidegate.v1.Execution",
        id.as_str(),
        what,
    )
}

/// The execution has no such wave.
pub(crate) fn wave_not_found(execution: &Execution, wave: &str) -> Status {
    let what = format!("execution {} has no wave {wave:?}", execution.id());
    not_found("WAVE_NOT_FOUND", "tidegate.v1.Wave", wave, what)
}

fn not_found(reason: &str, kind: &str, name: &str, message: String) -> Status {
    let (name, message) = (bounds::name(name), bounds::message(message));
    with_reason(
        Code::NotFound,
        reason,
        message.clone(),
        [("name", name.clone())],
        |details| {
            details.set_resource_info(kind, name, "", message);
        },
    )
}

/// The plan's name is taken.
pub(crate) fn plan_exists(name: &PlanName, newest: u64) -> Status {
    let message = format!("plan {name} exists already; update it");
    with_reason(
        Code::AlreadyExists,
        "PLAN_EXISTS",
        message.clone(),
        [
            ("name", name.to_string()),
            ("newest_revision", newest.to_string()),
        ],
        |details| {
            details.set_resource_info("tidegate.v1.Plan", name.as_str(), "", message);
        },
    )
}

/// The plan is not at the revision that the caller saw.
pub(crate) fn plan_moved_on(name: &PlanName, newest: u64) -> Status {
    with_reason(
        Code::Aborted,
        "PLAN_REVISION_CONFLICT",
        format!("plan {name} is at revision {newest} now; read it and decide again"),
        [
            ("name", name.to_string()),
            ("newest_revision", newest.to_string()),
        ],
        |_| {},
    )
}

/// A precondition that is no transition of an execution.
pub(crate) fn precondition<const N: usize>(
    reason: &str,
    subject: &str,
    message: impl Into<String>,
    metadata: [(&str, String); N],
) -> Status {
    let message = bounds::message(message);
    with_reason(
        Code::FailedPrecondition,
        reason,
        message.clone(),
        metadata,
        |details| {
            let subject = bounds::name(subject);
            details.add_precondition_failure_violation(reason, subject, message);
        },
    )
}

/// The state forbids what was asked for.
pub(crate) fn rejected(rejection: &Rejection, execution: &Execution) -> Status {
    transition_forbidden(
        execution,
        enums::execution_state_name(rejection.state),
        action::line(&rejection.allowed, execution.plan()),
        rejection.to_string(),
    )
}

/// The execution as it is now forbids what was asked for.
pub(crate) fn forbidden(execution: &Execution, message: impl Into<String>) -> Status {
    transition_forbidden(
        execution,
        enums::execution_state_name(execution.state()),
        action::line(&execution.allowed_actions(), execution.plan()),
        message.into(),
    )
}

/// Cleanups have terminated everything that the execution launched.
pub(crate) fn nothing_left(execution: &Execution) -> Status {
    transition_forbidden(
        execution,
        enums::execution_state_name(execution.state()),
        String::new(),
        "everything that the execution launched was terminated by earlier cleanups".to_owned(),
    )
}

fn transition_forbidden(
    execution: &Execution,
    state: &str,
    allowed: String,
    message: String,
) -> Status {
    precondition(
        "TRANSITION_FORBIDDEN",
        execution.id().as_str(),
        message,
        [
            ("execution", execution.id().to_string()),
            ("state", state.to_owned()),
            ("allowed_actions", allowed),
        ],
    )
}

/// A cursor beyond what there is.
fn out_of_range(execution: &ExecutionId, newest: u64) -> Status {
    with_reason(
        Code::OutOfRange,
        "REVISION_OUT_OF_RANGE",
        format!("the newest revision of execution {execution} is {newest}"),
        [
            ("execution", execution.to_string()),
            ("newest_revision", newest.to_string()),
        ],
        |details| {
            details
                .add_bad_request_violation("after_revision", format!("must not be above {newest}"));
        },
    )
}

/// A bound of this gateway is reached.
pub(crate) fn exhausted(reason: &str, subject: &str, message: impl Into<String>) -> Status {
    let message = bounds::message(message);
    with_reason(
        Code::ResourceExhausted,
        reason,
        message.clone(),
        [("limit", subject.to_owned())],
        |details| {
            details.set_quota_failure(vec![QuotaViolation::new(subject, message)]);
        },
    )
}

/// Nothing was done; worth trying again.
pub(crate) fn unavailable(reason: &str, message: impl Into<String>) -> Status {
    with_reason(Code::Unavailable, reason, message, [], |details| {
        details.set_retry_info(Some(RETRY_AFTER));
    })
}

/// Time ran out before there was an answer.
#[cfg(feature = "root")]
pub(crate) fn deadline_exceeded() -> Status {
    with_reason(
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        "the deadline passed before there was an answer; a change may still have been made: \
         ask again with the same request id",
        [],
        |_| {},
    )
}

/// The gateway itself is at fault.
pub(crate) fn bug(message: String) -> Status {
    internal("BUG", message)
}

/// What is stored makes no sense, or the outcome is not known.
fn internal(reason: &str, message: String) -> Status {
    tracing::error!(reason, %message, "a request failed");
    with_reason(Code::Internal, reason, message, [], |_| {})
}

/// An error of the driver. `about` is the execution that the request was
/// about, which names the waves in a rejection.
pub(crate) fn from_driver(error: DriverError, about: Option<&Execution>) -> Status {
    let message = error.to_string();
    match error {
        DriverError::NotFound(id) => execution_not_found(&id),
        DriverError::FutureRevision {
            execution, newest, ..
        } => out_of_range(&execution, newest),
        DriverError::Rejected(rejection) => match about {
            Some(execution) => rejected(&rejection, execution),
            None => precondition(
                "TRANSITION_FORBIDDEN",
                "execution",
                message,
                [(
                    "state",
                    enums::execution_state_name(rejection.state).to_owned(),
                )],
            ),
        },
        DriverError::ServerBusy { server, other } => precondition(
            "SERVER_BUSY",
            server.as_str(),
            message,
            [
                ("server", server.to_string()),
                ("execution", other.to_string()),
            ],
        ),
        DriverError::SelectionBusy { selection, other } => precondition(
            "SERVER_BUSY",
            other.as_str(),
            message,
            [("selection", selection), ("execution", other.to_string())],
        ),
        DriverError::RequestIdReused(id) => request_id_reused(&id),
        DriverError::TooManyRequests { .. } => {
            exhausted("TOO_MANY_REQUESTS", "requests_per_execution", message)
        }
        DriverError::TooManyLive { .. } => {
            exhausted("TOO_MANY_EXECUTIONS", "live_executions", message)
        }
        // No gateway serves that is told so.
        DriverError::OtherLease { .. } => unavailable("OTHER_LEASE", message),
        DriverError::NotOwner(_) => unavailable("NOT_OWNER", message),
        DriverError::Unavailable(_) => unavailable("JOURNAL_UNAVAILABLE", message),
        DriverError::Refused(_) => exhausted("JOURNAL_REFUSES", "journal", message),
        DriverError::Unknown(_) => internal("OUTCOME_UNKNOWN", message),
        DriverError::Damaged(_) => internal("JOURNAL_DAMAGED", message),
        DriverError::ShuttingDown => shutting_down(),
    }
}

/// The gateway takes no new work.
pub(crate) fn shutting_down() -> Status {
    unavailable(
        "SHUTTING_DOWN",
        "the gateway shuts down; ask another one, or later",
    )
}

/// An error of a port that was read.
pub(crate) fn from_read(error: &ReadError) -> Status {
    let message = error.to_string();
    match error {
        ReadError::Unavailable(_) => unavailable("JOURNAL_UNAVAILABLE", message),
        ReadError::Damaged(_) => internal("JOURNAL_DAMAGED", message),
    }
}

/// An error of the plan store that no RPC expects: `Taken` and `Claimed` have
/// a meaning of their own to the RPC that meets them.
pub(crate) fn from_plan_store(error: &PlanStoreError) -> Status {
    let message = error.to_string();
    match error {
        PlanStoreError::Taken { .. }
        | PlanStoreError::Claimed { .. }
        | PlanStoreError::Outdated => unavailable("PLAN_STORE_BUSY", message),
        PlanStoreError::Unavailable(_) => unavailable("JOURNAL_UNAVAILABLE", message),
        PlanStoreError::Refused(_) => exhausted("JOURNAL_REFUSES", "journal", message),
        PlanStoreError::Unknown(_) => internal("OUTCOME_UNKNOWN", message),
    }
}

#[cfg(test)]
mod tests;
