//! What each answer is found to mean.

use std::collections::BTreeMap;

use tidegate_core::{ExecutionId, InstanceId, JobId, SourceServerId, Span, Timestamp, plan::Plan};
use tidegate_proto::v1::{self, readiness_finding::Severity};

use super::{
    ask::{Detail, GroupAnswer, PlaceAnswer},
    report::Report,
};
use crate::{
    driver::Quotas,
    grpc::fixtures,
    ports::{
        drs::{DrsError, GrantedQuotas, LaunchSettings, LiveJob, RecoveryInstance, SourceServer},
        hooks::{Fault, Unarmed},
    },
};

fn answer(
    plan: &Plan,
    wave: usize,
    servers: Result<Vec<SourceServer>, DrsError>,
    detail: Option<Detail>,
) -> GroupAnswer<'_> {
    let wave = &plan.waves()[wave];
    GroupAnswer {
        wave: wave.name.as_str(),
        group: &wave.groups[0],
        servers,
        detail,
    }
}

fn server(id: &str, state: &str, lag: u64) -> SourceServer {
    SourceServer {
        id: SourceServerId::from(id),
        hostname: String::new(),
        tags: BTreeMap::new(),
        replication_state: state.to_owned(),
        lag: Some(Span::from_secs(lag)),
        staging: None,
        last_launch: None,
    }
}

fn report(
    database: Result<Vec<SourceServer>, DrsError>,
    web: Vec<SourceServer>,
    busy: &[&str],
) -> v1::CheckReadinessResponse {
    let plan = fixtures::checked_shop();
    let busy = busy
        .iter()
        .map(|&id| {
            (
                SourceServerId::from(id),
                ExecutionId::from(fixtures::EXECUTION),
            )
        })
        .collect();
    let mut report = Report::new(&plan, &busy, 5_000, fixtures::NOW);
    report.group(answer(&plan, 0, database, None));
    report.group(answer(&plan, 1, Ok(web), None));
    report.finish()
}

fn codes(response: &v1::CheckReadinessResponse) -> Vec<&str> {
    response
        .findings
        .iter()
        .map(|it| it.code.as_str())
        .collect()
}

const ONE: &str = "s-00000000000000001";
const TWO: &str = "s-00000000000000002";
const DB: &str = "s-000000000000000db";

#[test]
fn a_plan_whose_servers_replicate_is_ready() {
    let found = report(
        Ok(vec![server(DB, "CONTINUOUS", 0)]),
        vec![server(ONE, "CONTINUOUS", 0), server(TWO, "CONTINUOUS", 5)],
        &[],
    );
    assert!(found.ready);
    assert_eq!((codes(&found).len(), found.server_count), (0, 3));
}

#[test]
fn what_is_found_is_listed_worst_first() {
    let found = report(Ok(vec![]), vec![server(ONE, "STALLED", 600)], &[ONE]);
    assert!(!found.ready);
    assert_eq!(
        codes(&found),
        [
            "NO_SERVERS_SELECTED",
            "SERVER_BUSY",
            "SERVER_NOT_FOUND",
            "REPLICATION_NOT_CONTINUOUS",
            "REPLICATION_LAG",
        ]
    );
    assert_eq!(found.findings[2].server, TWO);
    assert_eq!(
        found.findings[2].severity(),
        Severity::Warning,
        "it is optional"
    );
}

#[test]
fn a_server_without_its_first_synchronisation_cannot_be_launched() {
    let found = report(Ok(vec![server(DB, "INITIAL_SYNC", 0)]), vec![], &[]);
    assert_eq!(found.findings[0].severity(), Severity::Blocking);
}

#[test]
fn a_hook_that_is_not_ready_blocks_and_is_found_at_its_wave() {
    let plan = fixtures::checked_shop();
    let busy = BTreeMap::new();
    let mut report = Report::new(&plan, &busy, 5_000, fixtures::NOW);
    for (field, fault) in [
        ("spec.waves[1].verify[0].hook", Fault::Plan),
        ("spec.endpoints[0].host", Fault::Plan),
        ("spec.waves[1].verify[0].digest", Fault::Host),
    ] {
        report.unarmed(&Unarmed {
            field: field.to_owned(),
            problem: "is gone".to_owned(),
            fault,
        });
    }
    let found = report.finish();
    assert!(!found.ready);
    assert_eq!(
        codes(&found),
        ["HOOK_NOT_ARMED", "HOOK_NOT_ARMED", "HOOK_HOST_UNAVAILABLE"]
    );
    let waves: Vec<&str> = found.findings.iter().map(|it| it.wave.as_str()).collect();
    assert_eq!(waves, ["web", "", "web"]);
    let message = &found.findings[0].message;
    assert_eq!(message, "spec.waves[1].verify[0].hook: is gone");
}

#[test]
fn what_drs_does_not_answer_blocks() {
    let denied = DrsError::Denied {
        operation: "DescribeSourceServers",
        target: "123456789012/us-west-2".to_owned(),
        message: "no".to_owned(),
    };
    let found = report(Err(denied), vec![server(ONE, "CONTINUOUS", 0)], &[]);
    assert_eq!(codes(&found)[0], "DRS_DENIED");
    assert!(!found.ready);
}

fn denied() -> DrsError {
    DrsError::Denied {
        operation: "GetLaunchConfiguration",
        target: "123456789012/us-west-2".to_owned(),
        message: "no".to_owned(),
    }
}

fn before_now(seconds: u64) -> Timestamp {
    Timestamp::from_millis(fixtures::NOW.as_millis() - seconds * 1_000)
}

fn left(server: &str, is_drill: bool) -> RecoveryInstance {
    RecoveryInstance {
        instance: InstanceId::new(format!("i-{server}")),
        server: server.into(),
        is_drill,
        job: Some(JobId::from("drsjob-1")),
        snapshot_time: Some(before_now(3 * 86_400)),
        addresses: Vec::new(),
    }
}

fn judged(detail: Detail, busy: &[&str]) -> v1::CheckReadinessResponse {
    let plan = fixtures::checked_shop();
    let execution = ExecutionId::from(fixtures::EXECUTION);
    let busy = busy
        .iter()
        .map(|&id| (id.into(), execution.clone()))
        .collect();
    let mut report = Report::new(&plan, &busy, 5_000, fixtures::NOW);
    let both = vec![server(ONE, "CONTINUOUS", 0), server(TWO, "CONTINUOUS", 0)];
    report.group(answer(&plan, 1, Ok(both), Some(detail)));
    report.finish()
}

#[test]
fn instances_that_are_left_are_told_by_what_launched_them_and_those_of_a_run_are_not() {
    let detail = || Detail {
        instances: Ok(vec![left(ONE, true), left(TWO, false)]),
        snapshots: Ok(vec![
            (ONE.into(), fixtures::NOW),
            (TWO.into(), fixtures::NOW),
        ]),
        launch: Ok(Vec::new()),
    };
    let found = judged(detail(), &[]);
    assert!(found.ready);
    assert_eq!(
        codes(&found),
        ["RECOVERY_INSTANCE_LEFT", "RECOVERY_INSTANCE_IN_USE"]
    );
    let wanted = format!(
        "instance i-{ONE} of a drill is left, job drsjob-1, from a snapshot that is 3 days old"
    );
    assert_eq!(found.findings[0].message, wanted);
    let found = judged(detail(), &[ONE]);
    assert_eq!(codes(&found), ["SERVER_BUSY", "RECOVERY_INSTANCE_IN_USE"]);
}

#[test]
fn snapshots_that_are_missing_or_too_old_and_launches_that_stay_stopped_are_warned_of() {
    let found = judged(
        Detail {
            instances: Ok(Vec::new()),
            snapshots: Ok(vec![(TWO.into(), before_now(7_300))]),
            launch: Ok(vec![LaunchSettings {
                server: ONE.into(),
                stays_stopped: true,
            }]),
        },
        &[],
    );
    assert_eq!(
        codes(&found),
        ["NO_SNAPSHOT", "SNAPSHOT_OLD", "LAUNCHES_STOPPED"]
    );
    assert!(found.findings[1].message.contains("2 h old"), "{found:?}");
}

#[test]
fn a_question_without_an_answer_hides_no_other_answer() {
    let found = judged(
        Detail {
            instances: Ok(vec![left(ONE, true)]),
            snapshots: Err(denied()),
            launch: Err(denied()),
        },
        &[],
    );
    assert!(found.ready, "what could not be checked does not block");
    assert_eq!(
        codes(&found),
        ["RECOVERY_INSTANCE_LEFT", "NOT_CHECKED", "NOT_CHECKED"]
    );
    assert!(found.findings[2].remedy.contains("permit it"));
}

#[test]
fn a_job_of_somebody_else_blocks_its_server_and_full_quotas_are_told() {
    let plan = fixtures::checked_shop();
    let busy = BTreeMap::new();
    let mut report = Report::new(&plan, &busy, 5_000, fixtures::NOW);
    let target = fixtures::target();
    let places = [PlaceAnswer {
        target: &target,
        jobs: Ok(vec![LiveJob {
            job: JobId::from("drsjob-1"),
            servers: vec![ONE.into()],
        }]),
        quotas: Ok(GrantedQuotas {
            jobs: std::num::NonZeroU32::new(1),
            servers: std::num::NonZeroU32::new(1),
            servers_per_job: None,
        }),
        introduction: None,
        at: fixtures::NOW,
        permissions: None,
    }];
    report.jobs(&places);
    report.group(answer(
        &plan,
        1,
        Ok(vec![server(ONE, "CONTINUOUS", 0)]),
        None,
    ));
    report.quotas(&places, &Quotas::default());
    let found = report.finish();
    assert!(!found.ready);
    let wanted = [
        "SERVER_IN_JOB",
        "SERVER_NOT_FOUND",
        "JOBS_QUOTA_FULL",
        "SERVERS_QUOTA_SHORT",
    ];
    assert_eq!(codes(&found), wanted);
    assert!(found.findings.iter().all(|it| !it.remedy.is_empty()));
}
