//! Every status as clients read it.

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

/// Every error of the driver that is not of its journal, with its code and
/// reason.
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
            DriverError::SelectionBusy {
                selection: "plan shop".to_owned(),
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
            DriverError::ShuttingDown,
            Code::Unavailable,
            "SHUTTING_DOWN",
        ),
    ]
}

/// Those of its journal.
fn journal_errors() -> Vec<(DriverError, Code, &'static str)> {
    let why = || "x".to_owned();
    vec![
        (
            DriverError::Unavailable(why()),
            Code::Unavailable,
            "JOURNAL_UNAVAILABLE",
        ),
        (
            DriverError::Refused(why()),
            Code::ResourceExhausted,
            "JOURNAL_REFUSES",
        ),
        (
            DriverError::Unknown(why()),
            Code::Internal,
            "OUTCOME_UNKNOWN",
        ),
        (
            DriverError::Damaged(why()),
            Code::Internal,
            "JOURNAL_DAMAGED",
        ),
    ]
}

#[test]
fn every_error_of_the_driver_has_its_code_and_its_detail() {
    for (error, code, reason) in driver_errors().into_iter().chain(journal_errors()) {
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

/// What the header list of a refusal is bounded by, with room for the others:
/// clients take 16 KiB.
fn header_bytes(status: &Status) -> usize {
    let headers = status.clone().into_http::<()>();
    let headers = headers.headers().iter();
    headers
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum()
}

#[test]
fn a_plan_with_hundreds_of_mistakes_lists_what_fits() {
    let mistake = |n: usize| v1::FieldViolation {
        field: format!("spec.waves[{n}].name"),
        description: "is used by an earlier wave, too".to_owned(),
    };
    let few = invalid_plan((0..20).map(mistake).collect());
    let listed = few.get_details_bad_request().unwrap().field_violations;
    assert_eq!(listed.len(), 20);

    let many = invalid_plan((0..300).map(mistake).collect());

    assert!(header_bytes(&many) < 12 << 10);
    assert_eq!(many.message(), "the plan has 300 mistakes");
    let listed = many.get_details_bad_request().unwrap().field_violations;
    let (last, listed) = listed.split_last().unwrap();
    assert!(listed.len() > 30);
    assert_eq!(last.field, "plan");
    let left = 300 - listed.len();
    let expected = format!("and {left} more; ValidatePlan lists all");
    assert_eq!(last.description, expected);
}

#[test]
fn one_endless_mistake_is_cut() {
    let status = invalid_plan(vec![v1::FieldViolation {
        field: "labels[x]".repeat(2_000),
        description: "\u{fc}".repeat(10_000),
    }]);
    assert!(header_bytes(&status) < 12 << 10);
    let listed = status.get_details_bad_request().unwrap().field_violations;
    assert!(listed[0].description.ends_with("\u{fc}..."));
}

#[test]
fn the_actions_of_hundreds_of_waves_are_cut_between_two_of_them() {
    let view = fixtures::view();
    let mut allowed = vec![Action::Cancel];
    allowed.extend([Action::RetryWave(WaveIx(1)); 400]);
    let rejection = Rejection {
        request: Request::Pause,
        why: Why::WaveUndecided,
        state: ExecutionState::Paused,
        allowed,
    };

    let status = rejected(&rejection, &view.execution);

    assert!(header_bytes(&status) < 12 << 10);
    let line = &info(&status).1["allowed_actions"];
    assert!(line.starts_with("CANCEL,RETRY_WAVE:web,"));
    assert!(line.ends_with(",RETRY_WAVE:web,..."));
    assert!(line.len() > 1_500 && line.len() <= 2 << 10);
}

#[test]
fn what_a_request_named_is_cut_wherever_it_is_repeated() {
    let long = "w\u{fc}".repeat(100_000);
    let view = fixtures::view();
    for status in [
        wave_not_found(&view.execution, &long),
        invalid("page_token", long.clone()),
        precondition("R", &long, long.clone(), [("k", long.clone())]),
        exhausted("R", "limit", long.clone()),
        unavailable("R", long.clone()),
    ] {
        assert!(
            header_bytes(&status) < 12 << 10,
            "{}",
            header_bytes(&status)
        );
    }
}
