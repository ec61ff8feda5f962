//! What is found about accounts and Regions, and about servers of others.

use std::{collections::BTreeMap, num::NonZeroU32};

use tidegate_core::{JobId, SourceServerId, Timestamp, plan::Target};
use tidegate_proto::v1::{self, readiness_finding::Severity};

use super::{
    ask::{Detail, GroupAnswer, PlaceAnswer},
    report::Report,
};
use crate::{
    driver::{OwnLimits, Place, Quotas},
    grpc::fixtures,
    ports::drs::{
        Caller, DrsError, GrantedQuotas, Introduction, LiveJob, Permissions, RecoveryInstance,
        SourceServer, Staging,
    },
};

const ONE: &str = "s-00000000000000001";

fn caller(account: &str) -> Caller {
    Caller {
        account: account.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/launch/tidegate"),
    }
}

fn refused() -> DrsError {
    DrsError::Denied {
        operation: "GetCallerIdentity",
        target: "123456789012/us-west-2".to_owned(),
        message: "SignatureDoesNotMatch: Signature expired".to_owned(),
    }
}

fn place<'a>(target: &'a Target, introduction: Introduction) -> PlaceAnswer<'a> {
    PlaceAnswer {
        target,
        jobs: Ok(Vec::new()),
        quotas: Ok(GrantedQuotas::default()),
        introduction: Some(introduction),
        at: fixtures::NOW,
        permissions: None,
    }
}

fn found(places: &[PlaceAnswer<'_>], quotas: &Quotas) -> v1::CheckReadinessResponse {
    let (plan, busy) = (fixtures::checked_shop(), BTreeMap::new());
    let mut report = Report::new(&plan, &busy, 5_000, fixtures::NOW);
    report.callers(places);
    report.jobs(places);
    report.quotas(places, quotas);
    report.finish()
}

fn severities(found: &v1::CheckReadinessResponse) -> Vec<(&str, Severity)> {
    let findings = found.findings.iter();
    findings
        .map(|it| (it.code.as_str(), it.severity()))
        .collect()
}

fn earlier(seconds: u64) -> Timestamp {
    Timestamp::from_millis(fixtures::NOW.as_millis() - seconds * 1_000)
}

#[test]
fn a_caller_of_another_account_blocks_and_one_of_the_targets_does_not() {
    let target = fixtures::target();
    let introduced = |account: &str| Introduction {
        caller: Ok(caller(account)),
        aws_time: Some(fixtures::NOW),
    };
    let right = found(
        &[place(&target, introduced(&target.account))],
        &Quotas::default(),
    );
    assert_eq!(severities(&right), []);
    let wrong = found(
        &[place(&target, introduced("999999999999"))],
        &Quotas::default(),
    );
    assert_eq!(severities(&wrong), [("WRONG_ACCOUNT", Severity::Blocking)]);
    assert!(wrong.findings[0].message.contains("999999999999"));
    assert!(
        wrong.findings[0]
            .remedy
            .contains("tidegate aws policy --trust")
    );
}

#[test]
fn denied_actions_are_named_and_only_those_that_launches_need_block() {
    let target = fixtures::target();
    let mut answer = place(
        &target,
        Introduction {
            caller: Ok(caller(&target.account)),
            aws_time: None,
        },
    );
    answer.permissions = Some(Ok(Permissions {
        denied: vec![
            "drs:StartRecovery".to_owned(),
            "ec2:RunInstances".to_owned(),
        ],
        denied_optional: vec!["servicequotas:ListServiceQuotas".to_owned()],
        undecided: vec!["ec2:CreateTags".to_owned()],
    }));
    let denied = found(&[answer], &Quotas::default());
    let wanted = [
        ("ACTIONS_DENIED", Severity::Blocking),
        ("OPTIONAL_ACTIONS_DENIED", Severity::Warning),
        ("ACTIONS_UNDECIDED", Severity::Warning),
    ];
    assert_eq!(severities(&denied), wanted);
    let first = &denied.findings[0];
    assert!(
        first
            .message
            .ends_with("drs:StartRecovery, ec2:RunInstances")
    );
    assert!(first.remedy.contains("tidegate aws policy --for target"));
}

#[test]
fn permissions_that_may_not_be_asked_for_are_a_warning_that_says_how_to_permit_it() {
    let target = fixtures::target();
    let mut answer = place(
        &target,
        Introduction {
            caller: Ok(caller(&target.account)),
            aws_time: None,
        },
    );
    answer.permissions = Some(Err(refused()));
    let unknown = found(&[answer], &Quotas::default());
    let wanted = [("PERMISSIONS_NOT_CHECKED", Severity::Warning)];
    assert_eq!(severities(&unknown), wanted);
    assert!(unknown.ready);
    assert!(
        unknown.findings[0]
            .remedy
            .contains("iam:SimulatePrincipalPolicy")
    );
}

#[test]
fn a_clock_that_is_more_than_five_minutes_off_is_told_with_the_amount() {
    let target = fixtures::target();
    let at = |aws_time, caller| {
        let introduction = Introduction {
            caller,
            aws_time: Some(aws_time),
        };
        found(&[place(&target, introduction)], &Quotas::default())
    };
    let known = || Ok(caller(&target.account));
    assert_eq!(severities(&at(earlier(300), known())), []);
    let ahead = at(earlier(480), known());
    assert_eq!(severities(&ahead), [("CLOCK_SKEW", Severity::Warning)]);
    assert!(ahead.findings[0].message.contains("8 min ahead of"));
    let later = Timestamp::from_millis(fixtures::NOW.as_millis() + 3 * 3_600_000);
    let behind = at(later, Err(refused()));
    let wanted = [
        ("CLOCK_SKEW", Severity::Blocking),
        ("CALLER_UNKNOWN", Severity::Blocking),
    ];
    assert_eq!(severities(&behind), wanted);
    assert!(behind.findings[0].message.contains("3 h behind"));
}

#[test]
fn quotas_are_those_of_the_settings_where_aws_says_none() {
    let target = fixtures::target();
    let mut answer = place(
        &target,
        Introduction {
            caller: Ok(caller(&target.account)),
            aws_time: None,
        },
    );
    answer.jobs = Ok(vec![LiveJob {
        job: JobId::from("drsjob-1"),
        servers: vec![ONE.into()],
    }]);
    let mut quotas = Quotas::default();
    assert_eq!(severities(&found(&[answer], &quotas)), []);
    let own = OwnLimits {
        jobs: Some(1),
        ..OwnLimits::default()
    };
    quotas.places.insert(Place::of(&target), own);
    let mut answer = place(
        &target,
        Introduction {
            caller: Ok(caller(&target.account)),
            aws_time: None,
        },
    );
    answer.quotas = Ok(GrantedQuotas {
        jobs: NonZeroU32::new(40),
        ..GrantedQuotas::default()
    });
    answer.jobs = Ok(vec![LiveJob {
        job: JobId::from("drsjob-1"),
        servers: vec![ONE.into()],
    }]);
    let full = found(&[answer], &quotas);
    assert_eq!(severities(&full), [("JOBS_QUOTA_FULL", Severity::Info)]);
}

fn server(staging: Option<Staging>, last_launch: Option<(JobId, Timestamp)>) -> SourceServer {
    SourceServer {
        id: ONE.into(),
        hostname: String::new(),
        tags: BTreeMap::new(),
        replication_state: "CONTINUOUS".to_owned(),
        lag: None,
        staging,
        last_launch,
    }
}

/// Of a wave that wants this server and another one, which is not there.
fn judged(server: SourceServer, left: Vec<RecoveryInstance>) -> v1::CheckReadinessResponse {
    let (plan, busy) = (fixtures::checked_shop(), BTreeMap::new());
    let mut report = Report::new(&plan, &busy, 5_000, fixtures::NOW);
    let wave = &plan.waves()[1];
    report.group(GroupAnswer {
        wave: wave.name.as_str(),
        group: &wave.groups[0],
        detail: Some(Detail {
            instances: Ok(left),
            snapshots: Ok(vec![(SourceServerId::from(ONE), fixtures::NOW)]),
            launch: Ok(Vec::new()),
        }),
        servers: Ok(vec![server]),
    });
    report.finish()
}

#[test]
fn a_server_that_is_extended_from_another_account_is_told_with_what_matters() {
    let staging = |problem: Option<&str>| Staging {
        account: Some("210987654321".to_owned()),
        problem: problem.map(ToOwned::to_owned),
    };
    let fine = judged(server(Some(staging(None)), None), Vec::new());
    assert!(severities(&fine).contains(&("EXTENDED_SERVER", Severity::Info)));
    let broken = judged(server(Some(staging(Some("no trust"))), None), Vec::new());
    let wanted = ("STAGING_ACCOUNT_UNREACHABLE", Severity::Warning);
    assert!(severities(&broken).contains(&wanted));
    let told = broken
        .findings
        .iter()
        .any(|it| it.message.contains("210987654321") && it.message.contains("no trust"));
    assert!(told, "{broken:?}");
}

#[test]
fn an_instance_that_is_left_is_as_old_as_the_launch_that_it_comes_from() {
    let left = |job: &str| RecoveryInstance {
        instance: "i-1".into(),
        server: ONE.into(),
        is_drill: true,
        job: Some(JobId::from(job)),
        snapshot_time: Some(earlier(3 * 86_400)),
        addresses: Vec::new(),
    };
    let launched = || server(None, Some((JobId::from("drsjob-2"), earlier(7_200))));
    let message = |found: &v1::CheckReadinessResponse| {
        let mut findings = found.findings.iter();
        let left = findings.find(|it| it.code == "RECOVERY_INSTANCE_LEFT");
        left.expect("it is left").message.clone()
    };
    let known = message(&judged(launched(), vec![left("drsjob-2")]));
    assert!(known.ends_with("job drsjob-2, launched 2 h ago"), "{known}");
    let other = message(&judged(launched(), vec![left("drsjob-1")]));
    assert!(
        other.ends_with("from a snapshot that is 3 days old"),
        "{other}"
    );
}
