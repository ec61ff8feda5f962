//! Looking for launches whose answer was lost.

use std::collections::BTreeSet;

use tidegate_core::{JobId, Span, Timestamp, engine::Looked};
use tidegate_emulator::model::{LaunchRequest, Purpose, ServerLaunch, SourceServerId, Tags};
use tidegate_gateway::ports::{
    drs::{Drs as _, DrsError, LookBy, LookOrder, OrderKind, TerminateOrder},
    warrant::Warrant,
};

use super::{
    rig::{
        DATABASES, INSTANCES, Rig, accepted, adapter, answered, drill, ids, place, search, target,
    },
    scripted::{Answer, Scripted, ok},
};

#[tokio::test]
async fn a_launch_that_was_asked_for_twice_is_unknown_and_then_found() {
    let rig = Rig::recorded_drill().await;
    let since = rig.now();
    let job = rig.launched("e/db/0", &DATABASES).await;
    let again = rig.launch("e/db/0", &DATABASES).await;
    assert_eq!(answered(&again).0, "unknown", "{again:?}");
    assert_eq!(rig.emulator.launches().len(), 2, "one for each server");
    let found = rig.drs.look(search("e/db/0", &DATABASES, since)).await;
    assert_eq!(only(found.expect("an answer")), job);
}

#[tokio::test]
async fn a_launch_is_found_by_its_tag_alone() {
    let rig = Rig::recorded_drill().await;
    let since = rig.now();
    let job = rig.launched("e/db/0", &DATABASES).await;
    let order = search("e/db/0", &["s-5f3ddf07c0eb9fe45"], since);
    let found = rig.drs.look(order).await.expect("an answer");
    assert_eq!(only(found), job);
}

#[tokio::test]
async fn each_way_alone_finds_an_accepted_launch() {
    for way in LookBy::ALL {
        let rig = Rig::recorded_drill().await;
        let since = rig.now();
        let job = rig.launched("e/db/0", &DATABASES).await;
        let order = LookOrder {
            by: BTreeSet::from([way]),
            ..search("e/db/0", &DATABASES, since)
        };
        let found = rig.drs.look(order).await.expect("an answer");
        assert_eq!(only(found), job, "{way:?}");
        let calls = rig.calls("DescribeSourceServers");
        assert_eq!(calls, u64::from(way == LookBy::LastLaunch), "{way:?}");
    }
}

#[tokio::test]
async fn without_tags_a_launch_is_found_by_either_other_way_and_not_by_a_tag() {
    let rig = Rig::recorded_drill().await;
    let drs = rig.without_tags().await;
    let since = rig.now();
    let job = accepted(drs.start_recovery(drill("e/db/0", &DATABASES)).await).job;
    assert!(rig.emulator.launches()[0].tags.is_empty());
    for way in LookBy::ALL {
        let order = LookOrder {
            by: BTreeSet::from([way]),
            ..search("e/db/0", &DATABASES, since)
        };
        let found = drs.look(order).await.expect("an answer");
        if way == LookBy::Tag {
            assert_eq!(found, Looked::Nothing);
        } else {
            assert_eq!(only(found), job, "{way:?}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_of_aws_does_not_hide_a_job() {
    let rig = Rig::recorded_drill().await;
    let job = rig.launched("e/db/0", &DATABASES).await;
    // By far for a job with the tag, by a little for one without.
    let tagged = rig.now() + Span::from_secs(1_800);
    let found = rig.drs.look(search("e/db/0", &DATABASES, tagged)).await;
    assert_eq!(only(found.expect("an answer")), job);
    let drs = rig.without_tags().await;
    rig.advance(3_600.0);
    let bare = accepted(drs.start_recovery(drill("e/db/1", &DATABASES)).await).job;
    let skewed = rig.now() + Span::from_secs(29);
    let found = drs.look(search("e/db/1", &DATABASES, skewed)).await;
    assert_eq!(only(found.expect("an answer")), bare);
}

#[tokio::test]
async fn a_way_that_cannot_be_gone_hides_nothing_and_makes_nothing_no_answer() {
    for jobs in [JOB, r#"{"items": []}"#] {
        let server = Scripted::new(move |request| match request.path.as_str() {
            "/DescribeJobs" => ok(jobs),
            "/DescribeSourceServers" => denied(),
            _ => ok(r#"{"items": []}"#),
        })
        .await;
        let drs = adapter(&server.url).await;
        let found = drs
            .look(search("e/db/0", &DATABASES[..1], scripted()))
            .await;
        if jobs == JOB {
            assert_eq!(only(found.expect("an answer")), JobId::from("drsjob-1"));
        } else {
            assert!(matches!(found, Err(DrsError::Denied { .. })), "{found:?}");
        }
    }
}

#[tokio::test]
async fn every_page_of_the_jobs_is_looked_through() {
    let server = Scripted::new(|request| match request.path.as_str() {
        "/DescribeJobs" if request.body.contains("page-2") => ok(JOB),
        "/DescribeJobs" => ok(r#"{"items": [], "nextToken": "page-2"}"#),
        _ => ok(r#"{"items": []}"#),
    })
    .await;
    let drs = adapter(&server.url).await;
    let found = drs
        .look(search("e/db/0", &DATABASES[..1], scripted()))
        .await;
    assert_eq!(only(found.expect("an answer")), JobId::from("drsjob-1"));
}

#[tokio::test]
async fn a_termination_whose_answer_was_lost_is_found_without_a_tag() {
    let rig = Rig::recorded_drill().await;
    rig.launched("e/db/0", &DATABASES).await;
    rig.advance(600.0);
    let since = rig.now();
    let drs = rig.without_tags().await;
    let order = TerminateOrder {
        key: "c/db/0".to_owned(),
        target: target(),
        instances: vec![(DATABASES[1].into(), INSTANCES[1].into())],
        warrant: Warrant::unlimited(),
    };
    let job = accepted(drs.terminate(order).await).job;
    assert_eq!(rig.calls("TagResource"), 0);
    // Both were asked for, and one was gone when DRS was asked.
    let order = LookOrder {
        kind: OrderKind::Terminate,
        by: BTreeSet::from([LookBy::LastLaunch]),
        ..search("c/db/0", &DATABASES, since)
    };
    let found = drs.look(order).await.expect("an answer");
    let Looked::Found { report, .. } = &found else {
        panic!("not found");
    };
    let named: Vec<&str> = report.servers.iter().map(|it| it.server.as_str()).collect();
    assert_eq!(named, [DATABASES[1]], "the other is still there");
    assert_eq!(only(found), job);
}

#[tokio::test]
async fn a_launch_is_found_by_its_servers_where_it_has_no_tag() {
    let rig = Rig::recorded_drill().await;
    let since = rig.now();
    let job = launched_untagged(&rig, &DATABASES);
    let found = rig.drs.look(search("e/db/0", &DATABASES, since)).await;
    assert_eq!(only(found.expect("an answer")), job);
    let other = rig.drs.look(search("e/db/0", &DATABASES[..1], since)).await;
    assert_eq!(other, Ok(Looked::Nothing));
}

#[tokio::test]
async fn a_launch_is_found_by_a_servers_last_launch() {
    let server = Scripted::new(|request| match request.path.as_str() {
        "/DescribeJobs" if request.body.contains("drsjob-1") => ok(JOB),
        "/DescribeJobs" => ok(r#"{"items": []}"#),
        "/DescribeSourceServers" => ok(LAST_LAUNCH),
        _ => ok(r#"{"items": []}"#),
    })
    .await;
    let drs = adapter(&server.url).await;
    let found = drs
        .look(search("e/db/0", &DATABASES[..1], scripted()))
        .await;
    assert_eq!(only(found.expect("an answer")), JobId::from("drsjob-1"));
}

#[tokio::test]
async fn what_another_launch_started_is_not_adopted() {
    let rig = Rig::recorded_drill().await;
    let since = rig.now();
    rig.launched("e/db/0", &DATABASES).await;
    let found = rig.drs.look(search("e/db/1", &DATABASES, since)).await;
    assert_eq!(found, Ok(Looked::Nothing));
}

#[tokio::test]
async fn what_was_started_before_the_intent_is_not_adopted() {
    let rig = Rig::recorded_drill().await;
    launched_untagged(&rig, &DATABASES);
    rig.advance(60.0);
    let found = rig.drs.look(search("e/db/0", &DATABASES, rig.now())).await;
    assert_eq!(found, Ok(Looked::Nothing));
}

#[tokio::test]
async fn a_recovery_is_not_taken_for_a_drill() {
    let rig = Rig::recorded_drill().await;
    let since = rig.now();
    launched_untagged(&rig, &DATABASES);
    let order = LookOrder {
        kind: OrderKind::Recovery,
        ..search("e/db/0", &DATABASES, since)
    };
    assert_eq!(rig.drs.look(order).await, Ok(Looked::Nothing));
}

#[tokio::test]
async fn the_earliest_of_several_is_adopted_and_the_others_are_told() {
    let rig = Rig::recorded_drill().await;
    let since = rig.now();
    let first = rig.launched("e/db/0", &DATABASES).await;
    rig.advance(600.0);
    let second = rig.launched("e/db/0", &DATABASES).await;
    let found = rig.drs.look(search("e/db/0", &DATABASES, since)).await;
    let Ok(Looked::Found { report, duplicates }) = found else {
        panic!("not found: {found:?}");
    };
    assert_eq!((report.job, duplicates), (first, vec![second]));
    assert!(report.ended, "what became of it is known at once");
}

#[tokio::test]
async fn a_termination_is_found_by_its_servers_and_by_its_tag() {
    let rig = Rig::recorded_drill().await;
    rig.launched("e/db/0", &DATABASES).await;
    rig.advance(600.0);
    let since = rig.now();
    let instances = INSTANCES.map(tidegate_core::InstanceId::from);
    let order = TerminateOrder {
        key: "c/db/0".to_owned(),
        target: target(),
        instances: ids(&DATABASES).into_iter().zip(instances).collect(),
        warrant: Warrant::unlimited(),
    };
    let job = accepted(rig.drs.terminate(order).await).job;
    for key in ["c/db/0", "c/db/1"] {
        let order = LookOrder {
            kind: OrderKind::Terminate,
            ..search(key, &DATABASES, since)
        };
        let found = rig.drs.look(order).await.expect("an answer");
        if key == "c/db/0" {
            assert_eq!(only(found), job);
        } else {
            assert_eq!(found, Looked::Nothing, "it is another's");
        }
    }
}

fn scripted() -> Timestamp {
    let since: jiff::Timestamp = "2022-12-07T19:15:30Z".parse().expect("a time");
    Timestamp::from_millis(since.as_millisecond().unsigned_abs())
}

fn denied() -> Answer {
    let headers = "x-amzn-errortype: AccessDeniedException\r\n";
    Answer::Http(403, headers, "{}".to_owned())
}

fn only(found: Looked) -> JobId {
    match found {
        Looked::Found { report, duplicates } => {
            assert_eq!(duplicates, Vec::new());
            report.job
        }
        Looked::Nothing => panic!("nothing was found"),
    }
}

/// As somebody else would do it, or as it is where tags are not permitted.
fn launched_untagged(rig: &Rig, servers: &[&str]) -> JobId {
    let servers = servers.iter().map(|id| ServerLaunch {
        server: SourceServerId::parse(id).expect("an id"),
        snapshot: None,
    });
    let request = LaunchRequest {
        servers: servers.collect(),
        purpose: Purpose::Drill,
        tags: Tags::new(),
    };
    let job = rig
        .emulator
        .with_model(|model, now| model.start_recovery(&place(), &request, now));
    JobId::new(job.expect("accepted").id.to_string())
}

const JOB: &str = r#"{"items": [{"jobID": "drsjob-1", "initiatedBy": "START_DRILL",
    "creationDateTime": "2022-12-07T19:15:38.846723+00:00", "status": "STARTED",
    "participatingServers": [{"sourceServerID": "s-51d6b65c73391918f"}]}]}"#;

const LAST_LAUNCH: &str = r#"{"items": [{"sourceServerID": "s-51d6b65c73391918f", "lifeCycle":
    {"lastLaunch": {"initiated": {"jobID": "drsjob-1", "type": "DRILL",
    "apiCallDateTime": "2022-12-07T19:15:38.846723+00:00"}}}}]}"#;
