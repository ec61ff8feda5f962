//! Launching, following and terminating.

use tidegate_core::engine::ServerState::{
    Conversion, Failed, Launch, Launched, Requested, Snapshot, Terminated,
};
use tidegate_core::{InstanceId, SourceServerId};
use tidegate_gateway::ports::{
    drs::{Depth, Drs as _, DrsError, Observation, OrderKind, TerminateOrder},
    warrant::Warrant,
};

use super::{
    rig::{
        DATABASES, INSTANCES, Rig, accepted, adapter, answered, drill, ids, instances, observed,
        states, target, watched,
    },
    scripted::{Answer, Scripted, ok},
};

const ONE: &str = "s-10000000000000001";

#[tokio::test]
async fn a_launch_is_followed_through_its_phases_to_its_instances() {
    let rig = Rig::recorded_drill().await;
    let report = accepted(rig.launch("e/db/0", &DATABASES).await);
    assert!(!report.ended);
    assert_eq!(states(&report), [Requested, Requested]);
    // Seconds since the call, from the recording.
    let course = [
        (0.9, [Snapshot, Snapshot]),
        (50.0, [Snapshot, Snapshot]),
        (53.0, [Conversion, Conversion]),
        (250.6, [Conversion, Conversion]),
        (251.3, [Launch, Launch]),
        (529.8, [Launch, Launched]),
        (531.0, [Launched, Launched]),
    ];
    let mut before = 0.0;
    for (at, wanted) in course {
        rig.advance(at - before);
        before = at;
        let report = rig.observe(&report.job).await;
        assert_eq!(states(&report), wanted, "after {at} s");
        assert!(!report.ended, "after {at} s");
    }
    rig.advance(3.0);
    let ended = rig.observe(&report.job).await;
    assert!(ended.ended);
    assert_eq!(states(&ended), [Launched, Launched]);
    assert_eq!(instances(&ended), INSTANCES.map(Some));
    assert_eq!(rig.calls("DescribeJobs"), 8);
    assert_eq!(rig.calls("DescribeJobLogItems"), 8);
    assert_eq!(rig.calls("DescribeRecoveryInstances"), 0);
}

#[tokio::test]
async fn a_launch_says_whether_it_is_a_drill_and_carries_its_key() {
    let rig = Rig::recorded_drill().await;
    let mut order = drill("e/db/0", &DATABASES[..1]);
    order.is_drill = false;
    accepted(rig.drs.start_recovery(order).await);
    rig.launched("e/db/1", &DATABASES[1..]).await;
    let launches = rig.emulator.launches();
    let said: Vec<_> = launches
        .iter()
        .map(|launch| (launch.purpose.is_drill(), &*launch.tags["tidegate:launch"]))
        .collect();
    assert_eq!(said, [(false, "e/db/0"), (true, "e/db/1")]);
}

#[tokio::test]
async fn many_jobs_are_observed_in_one_call() {
    let rig = Rig::recorded_drill().await;
    let first = rig.launched("e/db/0", &DATABASES[..1]).await;
    let second = rig.launched("e/db/1", &DATABASES[1..]).await;
    let unknown = "drsjob-00000000000000000";
    let jobs = watched(&[first.as_str(), second.as_str(), unknown]);
    let observation = rig.drs.observe(target(), jobs).await.expect("an answer");
    let mut seen: Vec<_> = observation
        .reports
        .into_iter()
        .map(|report| report.job)
        .collect();
    seen.sort();
    let mut wanted = vec![first, second];
    wanted.sort();
    assert_eq!(seen, wanted);
    assert_eq!(rig.calls("DescribeJobs"), 1);
}

#[tokio::test]
async fn nothing_to_observe_is_no_call() {
    let rig = Rig::recorded_drill().await;
    let nothing = rig.drs.observe(target(), Vec::new()).await;
    assert_eq!(nothing, Ok(Observation::default()));
    assert!(rig.emulator.calls().is_empty());
}

#[tokio::test]
async fn a_failed_conversion_is_told_with_its_error() {
    let rig = Rig::with_effect("failConversion").await;
    let job = rig.launched("e/w/0", &[ONE]).await;
    rig.advance(3600.0);
    let report = rig.observe(&job).await;
    assert!(report.ended);
    assert_eq!(states(&report), [Failed]);
    let detail = &report.servers[0].detail;
    assert!(detail.starts_with("CONVERSION_FAIL: "), "{detail}");
}

#[tokio::test]
async fn a_server_that_drs_leaves_out_has_failed() {
    let rig = Rig::with_effect("skip").await;
    let job = rig.launched("e/w/0", &[ONE]).await;
    rig.advance(3600.0);
    let report = rig.observe(&job).await;
    assert!(report.ended);
    assert_eq!(states(&report), [Failed]);
    assert_eq!(&*report.servers[0].detail, "SERVER_SKIPPED");
}

#[tokio::test]
async fn an_older_snapshot_is_a_warning() {
    let rig = Rig::with_effect("previousSnapshot").await;
    let job = rig.launched("e/w/0", &[ONE]).await;
    rig.advance(3600.0);
    let report = rig.observe(&job).await;
    assert_eq!(states(&report), [Launched]);
    let warnings = &report.servers[0].warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("older snapshot"), "{warnings:?}");
    assert_eq!(&*report.servers[0].detail, "");
}

#[tokio::test]
async fn a_termination_is_tagged_and_followed_to_its_end() {
    let rig = Rig::recorded_drill().await;
    rig.launched("e/db/0", &DATABASES).await;
    rig.advance(600.0);
    let report = accepted(rig.drs.terminate(termination("c/db/0")).await);
    assert_eq!(states(&report), [Requested, Requested]);
    rig.advance(1.0);
    let running = terminating(&rig, report.job.as_str()).await;
    assert_eq!(states(&running), [Launch, Launch]);
    rig.advance(600.0);
    let ended = terminating(&rig, report.job.as_str()).await;
    assert!(ended.ended);
    assert_eq!(states(&ended), [Terminated, Terminated]);
    assert_eq!(rig.calls("TagResource"), 1);
    let left = rig.drs.recovery_instances(target(), ids(&DATABASES)).await;
    assert_eq!(left, Ok(Vec::new()));
}

#[tokio::test]
async fn an_instance_that_cannot_be_terminated_is_told_with_the_error() {
    let rig = Rig::with_effect("failCleanup").await;
    let job = rig.launched("e/w/0", &[ONE]).await;
    rig.advance(3600.0);
    let report = rig.observe(&job).await;
    let instance = report.servers[0].instance.clone().expect("an instance");
    let order = TerminateOrder {
        instances: vec![(SourceServerId::from(ONE), instance)],
        ..termination("c/w/0")
    };
    let job = accepted(rig.drs.terminate(order).await).job;
    rig.advance(3600.0);
    let ended = terminating(&rig, job.as_str()).await;
    assert!(ended.ended);
    assert_eq!(states(&ended), [Failed]);
    let detail = &ended.servers[0].detail;
    assert!(detail.starts_with("CLEANUP_FAIL: "), "{detail}");
}

#[tokio::test]
async fn an_instance_that_no_log_names_is_looked_up() {
    let server = Scripted::new(|request| match request.path.as_str() {
        "/DescribeJobs" => ok(JOB.replace("STATUS", "COMPLETED")),
        "/DescribeJobLogItems" => ok(r#"{"items": [{"event": "JOB_START"}]}"#),
        _ => ok(INSTANCE_OF_JOB),
    })
    .await;
    let drs = adapter(&server.url).await;
    let report = observed(&drs, "drsjob-1").await;
    assert!(report.ended);
    assert_eq!(states(&report), [Launched]);
    assert_eq!(instances(&report), [Some("i-2")]);
}

#[tokio::test]
async fn values_that_no_sdk_knows_are_no_error() {
    let server = Scripted::new(|request| match request.path.as_str() {
        "/DescribeJobs" => ok(JOB
            .replace("STATUS", "REHEARSING")
            .replace("LAUNCHED", "DANCING")),
        _ => ok(UNKNOWN_EVENTS),
    })
    .await;
    let drs = adapter(&server.url).await;
    let report = observed(&drs, "drsjob-1").await;
    assert!(!report.ended);
    assert_eq!(states(&report), [Launch]);
    assert_eq!(instances(&report), [Some("i-3")]);
}

#[tokio::test]
async fn a_job_whose_log_is_throttled_has_not_ended_yet() {
    let server = Scripted::new(|request| match request.path.as_str() {
        "/DescribeJobs" => ok(JOB.replace("STATUS", "COMPLETED")),
        "/DescribeJobLogItems" => Answer::Http(
            429,
            "x-amzn-errortype: ThrottlingException\r\n",
            "{}".to_owned(),
        ),
        _ => ok(INSTANCE_OF_JOB),
    })
    .await;
    let drs = adapter(&server.url).await;
    for _ in 0..5 {
        let observation = drs.observe(target(), watched(&["drsjob-1"])).await;
        let observation = observation.expect("an answer");
        assert!(!observation.reports[0].ended);
        let missed = observation.missed;
        assert!(
            matches!(missed, Some(DrsError::Throttled { .. })),
            "{missed:?}"
        );
    }
    // Rather without the log than never.
    let report = observed(&drs, "drsjob-1").await;
    assert!(report.ended);
    assert_eq!(states(&report), [Launched]);
}

#[tokio::test]
async fn a_log_is_read_only_when_it_is_asked_for_or_the_status_shows_news() {
    let rig = Rig::recorded_drill().await;
    let job = rig.launched("e/db/0", &DATABASES).await;
    let glance = || async {
        let queries = vec![tidegate_gateway::ports::drs::JobQuery {
            depth: Depth::Status,
            ..watched(&[job.as_str()]).remove(0)
        }];
        let observation = rig.drs.observe(target(), queries).await;
        observation.expect("an answer").reports.remove(0)
    };
    glance().await;
    assert_eq!(rig.calls("DescribeJobLogItems"), 1, "nothing was known");
    rig.advance(1.0);
    glance().await;
    assert_eq!(rig.calls("DescribeJobLogItems"), 2, "the job has started");
    rig.advance(400.0);
    for _ in 0..10 {
        let report = glance().await;
        assert_eq!(states(&report), [Snapshot, Snapshot], "as it was known");
    }
    assert_eq!(rig.calls("DescribeJobLogItems"), 2, "nothing is new");
    rig.advance(128.8);
    let report = glance().await;
    assert_eq!(states(&report), [Launch, Launched], "one is launched");
    assert_eq!(rig.calls("DescribeJobLogItems"), 3);
    rig.advance(10.0);
    let report = glance().await;
    assert!(report.ended);
    assert_eq!(instances(&report), INSTANCES.map(Some));
    assert_eq!(rig.calls("DescribeJobLogItems"), 4, "its end explains it");
    assert_eq!(rig.calls("DescribeJobs"), 14);
}

#[tokio::test]
async fn a_job_that_ends_with_a_server_pending_has_ended_and_settles_nothing() {
    let server = Scripted::new(|request| match request.path.as_str() {
        "/DescribeJobs" => ok(JOB
            .replace("STATUS", "COMPLETED")
            .replace("LAUNCHED", "PENDING")),
        _ => ok(r#"{"items": [{"event": "JOB_START"}, {"event": "JOB_END"}]}"#),
    })
    .await;
    let report = observed(&adapter(&server.url).await, "drsjob-1").await;
    assert!(report.ended);
    assert_eq!(states(&report), [Requested]);
}

#[tokio::test]
async fn instances_that_are_gone_do_not_refuse_the_termination_of_the_others() {
    let rig = Rig::recorded_drill().await;
    rig.launched("e/db/0", &DATABASES).await;
    rig.advance(600.0);
    // Somebody else terminates one, between the look-up and the call.
    let mut first = termination("c/other/0");
    first.instances.truncate(1);
    accepted(rig.drs.terminate(first).await);
    rig.advance(600.0);
    let report = accepted(rig.drs.terminate(termination("c/db/0")).await);
    let of = |server: &str| {
        let servers = report.servers.iter();
        let mut of_server = servers.filter(|it| it.server.as_str() == server);
        of_server.next().expect("it is named").state
    };
    assert_eq!(of(DATABASES[0]), Terminated);
    assert_eq!(of(DATABASES[1]), Requested);
    assert_eq!(report.servers.len(), 2);
}

#[tokio::test]
async fn where_every_instance_is_gone_nothing_is_left_to_terminate() {
    let rig = Rig::recorded_drill().await;
    rig.launched("e/db/0", &DATABASES).await;
    rig.advance(600.0);
    accepted(rig.drs.terminate(termination("c/other/0")).await);
    rig.advance(600.0);
    let answer = rig.drs.terminate(termination("c/db/0")).await;
    assert_eq!(answered(&answer).0, "nothing left", "{answer:?}");
}

/// The report of a termination.
async fn terminating(rig: &Rig, job: &str) -> tidegate_core::engine::JobReport {
    let mut queries = watched(&[job]);
    queries[0].kind = OrderKind::Terminate;
    let observation = rig.drs.observe(target(), queries).await;
    observation.expect("an answer").reports.remove(0)
}

const JOB: &str = r#"{"items": [{"jobID": "drsjob-1", "initiatedBy": "START_DRILL",
    "status": "STATUS", "participatingServers":
    [{"sourceServerID": "s-51d6b65c73391918f", "launchStatus": "LAUNCHED"}]}]}"#;

const INSTANCE_OF_JOB: &str = r#"{"items": [
    {"ec2InstanceID": "i-1", "sourceServerID": "s-51d6b65c73391918f", "jobID": "drsjob-0"},
    {"ec2InstanceID": "i-2", "sourceServerID": "s-51d6b65c73391918f", "jobID": "drsjob-1"}]}"#;

const UNKNOWN_EVENTS: &str = r#"{"items": [
    {"event": "MOON_PHASE", "eventData": {"sourceServerID": "s-51d6b65c73391918f"}},
    {"event": "LAUNCH_END", "eventData":
        {"sourceServerID": "s-51d6b65c73391918f", "targetInstanceID": "i-3", "more": [1]}}]}"#;

fn termination(key: &str) -> TerminateOrder {
    let instances = INSTANCES.iter().copied().map(InstanceId::from);
    TerminateOrder {
        key: key.to_owned(),
        target: target(),
        instances: ids(&DATABASES).into_iter().zip(instances).collect(),
        warrant: Warrant::unlimited(),
    }
}
