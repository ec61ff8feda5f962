//! Recovery snapshots.

use tidegate_core::{Span, Timestamp};
use tidegate_gateway::ports::drs::{Drs as _, DrsError};

use super::{
    rig::{DATABASES, Rig, adapter, hasty, ids, place, target},
    scripted::{Answer, Scripted, ok},
};

#[tokio::test]
async fn the_newest_snapshot_of_each_server_is_told_and_asked_for_once() {
    let rig = Rig::recorded_drill().await;
    for _ in 0..2 {
        let told = rig.drs.newest_snapshots(target(), ids(&DATABASES)).await;
        let newest = rig.emulator.with_model(|model, _| {
            let estate = model.estate(&place()).expect("it has DRS");
            let servers = estate.source_servers();
            let servers = servers.filter(|server| DATABASES.contains(&server.spec.id.as_str()));
            let newest = servers.map(|server| {
                let newest = model.recovery_snapshots(server).pop().expect("a snapshot");
                let millis = newest.taken_at.as_millisecond().unsigned_abs();
                (
                    server.spec.id.as_str().into(),
                    Timestamp::from_millis(millis),
                )
            });
            newest.collect::<Vec<_>>()
        });
        let mut told = told.expect("an answer");
        told.sort();
        assert_eq!(told, newest);
        rig.advance(3_000.0);
    }
    assert_eq!(rig.calls("DescribeRecoverySnapshots"), 4);
}

#[tokio::test]
async fn no_servers_have_no_snapshots() {
    let rig = Rig::recorded_drill().await;
    let told = rig.drs.newest_snapshots(target(), Vec::new()).await;
    assert_eq!(told, Ok(Vec::new()));
    assert_eq!(rig.calls("DescribeRecoverySnapshots"), 0);
}

#[tokio::test]
async fn a_server_without_a_snapshot_is_missing_and_an_expected_one_is_none() {
    let expected = r#""expectedTimestamp": "2022-12-07T19:20:00Z", "snapshotID": "pit-1""#;
    let server = Scripted::new(move |request| {
        assert!(
            request.body.contains(r#""order":"DESC""#),
            "{}",
            request.body
        );
        assert!(
            request.body.contains(r#""maxResults":1"#),
            "{}",
            request.body
        );
        if request.body.contains("s-empty") {
            return ok(r#"{"items": []}"#);
        }
        let (time, more) = if request.body.contains("page-2") {
            (r#""timestamp": "2022-12-07T19:15:37.263463+00:00","#, "")
        } else {
            ("", r#", "nextToken": "page-2""#)
        };
        ok(format!(
            r#"{{"items": [{{{time} "sourceServerID": "s-one", {expected}}}]{more}}}"#
        ))
    })
    .await;
    let drs = adapter(&server.url).await;
    let told = drs.newest_snapshots(target(), ids(&["s-empty", "s-one"]));
    let taken = Timestamp::from_millis(1_670_440_537_263);
    assert_eq!(told.await, Ok(vec![("s-one".into(), taken)]));
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn four_servers_at_most_are_asked_about_at_the_same_time() {
    let server = Scripted::new(|_| Answer::Silence).await;
    let drs = hasty(&server.url).await;
    let names: Vec<String> = (0..20).map(|n| format!("s-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let told = drs.newest_snapshots(target(), ids(&names)).await;
    assert!(matches!(told, Err(DrsError::Failed { .. })), "{told:?}");
    assert!(
        (1..=4).contains(&server.requests()),
        "{}",
        server.requests()
    );
}

#[tokio::test]
async fn why_there_are_no_snapshots_is_said_as_by_other_reads() {
    let table = [
        (
            429,
            "x-amzn-errortype: ThrottlingException\r\nretry-after: 7\r\n",
        ),
        (403, "x-amzn-errortype: AccessDeniedException\r\n"),
        (400, "x-amzn-errortype: ValidationException\r\n"),
        (500, "x-amzn-errortype: InternalServerException\r\n"),
    ];
    for (status, headers) in table {
        let message = r#"{"message": "because"}"#;
        let server =
            Scripted::new(move |_| Answer::Http(status, headers, message.to_owned())).await;
        let drs = adapter(&server.url).await;
        let told = drs.newest_snapshots(target(), ids(&["s-one"])).await;
        let error = told.expect_err("it failed");
        let understood = match &error {
            DrsError::Throttled { after, .. } => {
                status == 429 && *after == Some(Span::from_secs(7))
            }
            DrsError::Denied { .. } => status == 403,
            DrsError::Refused { .. } => status == 400,
            DrsError::Failed { .. } => status == 500,
        };
        assert!(understood, "{status}: {error:?}");
        assert!(
            error.to_string().contains("DescribeRecoverySnapshots"),
            "{error}"
        );
    }
}
