//! The one place where errors become gRPC statuses.
//!
//! Every status carries `google.rpc.ErrorInfo` with a stable reason, and the
//! detail that fits its code.

use std::{collections::HashMap, time::Duration};

use tidegate_core::{
    ExecutionId, PlanName,
    engine::{Execution, Rejection},
};
use tidegate_proto::v1;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, QuotaViolation, StatusExt};

use super::convert::{action, enums};
use crate::{
    driver::DriverError,
    ports::{journal::ReadError, plan_store::PlanStoreError},
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
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    complete(&mut details);
    Status::with_error_details(code, message, details)
}

/// One field of the request is wrong.
pub(crate) fn invalid(field: &str, description: impl Into<String>) -> Status {
    let description = description.into();
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

/// A plan has mistakes; there is at least one.
pub(crate) fn invalid_plan(violations: Vec<v1::FieldViolation>) -> Status {
    let message = match violations.as_slice() {
        [only] => format!("{}: {}", only.field, only.description),
        all => format!("the plan has {} mistakes", all.len()),
    };
    let listed: Vec<FieldViolation> = violations
        .into_iter()
        .map(|it| FieldViolation::new(format!("plan.{}", it.field), it.description))
        .collect();
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
    with_reason(
        Code::NotFound,
        reason,
        message.clone(),
        [("name", name.to_owned())],
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
    let message = message.into();
    with_reason(
        Code::FailedPrecondition,
        reason,
        message.clone(),
        metadata,
        |details| {
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
pub(crate) fn out_of_range(execution: &ExecutionId, newest: u64) -> Status {
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
    let message = message.into();
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
        DriverError::RequestIdReused(id) => request_id_reused(&id),
        DriverError::TooManyRequests { .. } => {
            exhausted("TOO_MANY_REQUESTS", "requests_per_execution", message)
        }
        DriverError::TooManyLive { .. } => {
            exhausted("TOO_MANY_EXECUTIONS", "live_executions", message)
        }
        DriverError::NotOwner(_) => unavailable("NOT_OWNER", message),
        DriverError::Unavailable(_) => unavailable("JOURNAL_UNAVAILABLE", message),
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
        PlanStoreError::Taken { .. } | PlanStoreError::Claimed { .. } => {
            unavailable("PLAN_STORE_BUSY", message)
        }
        PlanStoreError::Unavailable(_) => unavailable("JOURNAL_UNAVAILABLE", message),
        PlanStoreError::Unknown(_) => internal("OUTCOME_UNKNOWN", message),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::{
        SourceServerId, WaveIx,
        engine::{Action, ExecutionState, Request, Why},
    };

    use super::*;
    use crate::grpc::fixtures;

    fn info(status: &Status) -> (String, HashMap<String, String>) {
        let info = status
            .get_details_error_info()
            .expect("every status has a reason");
        assert_eq!(info.domain, DOMAIN);
        (info.reason, info.metadata)
    }

    #[test]
    fn a_forbidden_transition_says_what_is_allowed() {
        let view = fixtures::view();
        let rejection = Rejection {
            request: Request::Pause,
            why: Why::AlreadyPaused,
            state: ExecutionState::Paused,
            allowed: vec![Action::Resume, Action::Cancel, Action::RetryWave(WaveIx(1))],
        };

        let status = from_driver(DriverError::Rejected(rejection), Some(&view.execution));

        assert_eq!(status.code(), Code::FailedPrecondition);
        let (reason, metadata) = info(&status);
        assert_eq!(reason, "TRANSITION_FORBIDDEN");
        assert_eq!(metadata["state"], "PAUSED");
        assert_eq!(metadata["allowed_actions"], "RESUME,CANCEL,RETRY_WAVE:web");
        assert_eq!(metadata["execution"], fixtures::EXECUTION);
        let failure = status.get_details_precondition_failure().unwrap();
        assert_eq!(failure.violations[0].subject, fixtures::EXECUTION);
    }

    /// Every error of the driver, with its code and reason.
    fn driver_errors() -> Vec<(DriverError, Code, &'static str)> {
        let id = ExecutionId::from(fixtures::EXECUTION);
        let server = SourceServerId::from("s-00000000000000001");
        vec![
            (
                DriverError::NotFound(id.clone()),
                Code::NotFound,
                "EXECUTION_NOT_FOUND",
            ),
            (
                DriverError::FutureRevision {
                    execution: id.clone(),
                    revision: 9,
                    newest: 3,
                },
                Code::OutOfRange,
                "REVISION_OUT_OF_RANGE",
            ),
            (
                DriverError::ServerBusy {
                    server,
                    other: id.clone(),
                },
                Code::FailedPrecondition,
                "SERVER_BUSY",
            ),
            (
                DriverError::RequestIdReused("r".to_owned()),
                Code::InvalidArgument,
                "REQUEST_ID_REUSED",
            ),
            (
                DriverError::TooManyLive { limit: 1 },
                Code::ResourceExhausted,
                "TOO_MANY_EXECUTIONS",
            ),
            (DriverError::NotOwner(id), Code::Unavailable, "NOT_OWNER"),
            (
                DriverError::Unavailable("x".to_owned()),
                Code::Unavailable,
                "JOURNAL_UNAVAILABLE",
            ),
            (
                DriverError::Unknown("x".to_owned()),
                Code::Internal,
                "OUTCOME_UNKNOWN",
            ),
            (
                DriverError::Damaged("x".to_owned()),
                Code::Internal,
                "JOURNAL_DAMAGED",
            ),
            (
                DriverError::ShuttingDown,
                Code::Unavailable,
                "SHUTTING_DOWN",
            ),
        ]
    }

    #[test]
    fn every_error_of_the_driver_has_its_code_and_its_detail() {
        for (error, code, reason) in driver_errors() {
            let status = from_driver(error, None);
            assert_eq!((status.code(), info(&status).0.as_str()), (code, reason));
            let details = status.get_error_details();
            assert_eq!(details.retry_info().is_some(), code == Code::Unavailable);
            assert_eq!(details.resource_info().is_some(), code == Code::NotFound);
            assert_eq!(
                details.quota_failure().is_some(),
                code == Code::ResourceExhausted
            );
            assert_eq!(
                details.precondition_failure().is_some(),
                code == Code::FailedPrecondition
            );
        }
    }

    #[test]
    fn a_plan_with_mistakes_lists_each_with_its_path() {
        let status = invalid_plan(vec![
            v1::FieldViolation {
                field: "name".to_owned(),
                description: "must be given".to_owned(),
            },
            v1::FieldViolation {
                field: "spec.waves[1].after[0]".to_owned(),
                description: "there is no wave \"wbe\"".to_owned(),
            },
        ]);
        assert_eq!(status.message(), "the plan has 2 mistakes");
        let bad = status.get_details_bad_request().unwrap();
        assert_eq!(bad.field_violations[1].field, "plan.spec.waves[1].after[0]");
    }
}
