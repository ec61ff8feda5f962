//! Jobs that DRS does not know any more.

use tidegate_core::engine::{
    JobReport,
    ServerState::{Failed, Launch, Launched, Requested, Terminated},
};
use tidegate_gateway::{
    adapters::drs_aws::AwsDrs,
    ports::drs::{Drs as _, ForgottenOrder, OrderKind},
};

use super::{
    rig::{DATABASES, INSTANCES, Rig, adapter, ids, instances, states, target},
    scripted::{Scripted, ok},
};

#[tokio::test]
async fn servers_are_judged_by_their_instances_and_their_last_launch() {
    let rig = Rig::recorded_drill().await;
    let job = rig.launched("e/db/0", &DATABASES).await;
    let early = judged(&rig.drs, launch(job.as_str())).await;
    assert!(!early.ended, "DRS says that they are under way");
    assert_eq!(states(&early), [Requested, Requested]);
    rig.advance(600.0);
    let late = judged(&rig.drs, launch(job.as_str())).await;
    assert!(late.ended);
    assert_eq!(states(&late), [Launched, Launched]);
    assert_eq!(instances(&late), INSTANCES.map(Some));
}

#[tokio::test]
async fn a_server_of_which_nothing_is_left_has_failed() {
    let rig = Rig::recorded_drill().await;
    let report = judged(&rig.drs, launch("drsjob-50000000000000000")).await;
    assert!(report.ended);
    assert_eq!(states(&report), [Failed, Failed]);
    let detail = &report.servers[0].detail;
    assert!(detail.contains("no instance"), "{detail}");
}

#[tokio::test]
async fn each_last_status_is_told_and_an_unknown_one_waits_for_the_last_judgement() {
    for (status, state, ends) in [
        ("LAUNCHED", Launched, true),
        ("FAILED", Failed, true),
        ("TERMINATED", Terminated, true),
        ("PENDING", Requested, false),
        ("DANCING", Requested, false),
    ] {
        let server = Scripted::new(move |request| match request.path.as_str() {
            "/DescribeSourceServers" => ok(LAST.replace("STATUS", status)),
            _ => ok(r#"{"items": []}"#),
        })
        .await;
        let drs = adapter(&server.url).await;
        let mut order = launch("drsjob-1");
        order.servers.truncate(1);
        let report = judged(&drs, order.clone()).await;
        assert_eq!(states(&report), [state], "{status}");
        assert_eq!(report.ended, ends, "{status}");
        order.is_last = true;
        assert!(judged(&drs, order).await.ended, "{status}");
    }
}

#[tokio::test]
async fn a_termination_is_judged_by_whether_its_instances_are_there() {
    let rig = Rig::recorded_drill().await;
    rig.launched("e/db/0", &DATABASES).await;
    rig.advance(600.0);
    let instances = INSTANCES.map(|id| Some(id.into()));
    let mut order = ForgottenOrder {
        kind: OrderKind::Terminate,
        servers: ids(&DATABASES).into_iter().zip(instances).collect(),
        ..launch("drsjob-50000000000000000")
    };
    let report = judged(&rig.drs, order.clone()).await;
    assert!(!report.ended);
    assert_eq!(states(&report), [Launch, Launch]);
    order.is_last = true;
    let report = judged(&rig.drs, order.clone()).await;
    assert!(report.ended);
    assert_eq!(states(&report), [Failed, Failed]);
    // Instances with other ids are not the ones.
    let others = [Some("i-00000000000000001".into()), None];
    order.servers = ids(&DATABASES).into_iter().zip(others).collect();
    let report = judged(&rig.drs, order).await;
    assert_eq!(states(&report), [Terminated, Failed]);
}

async fn judged(drs: &AwsDrs, order: ForgottenOrder) -> JobReport {
    drs.judge_forgotten(order).await.expect("an answer")
}

fn launch(job: &str) -> ForgottenOrder {
    ForgottenOrder {
        job: job.into(),
        target: target(),
        kind: OrderKind::Drill,
        servers: ids(&DATABASES).into_iter().map(|id| (id, None)).collect(),
        is_last: false,
    }
}

const LAST: &str = r#"{"items": [{"sourceServerID": "s-51d6b65c73391918f", "lifeCycle":
    {"lastLaunch": {"status": "STATUS", "initiated": {"jobID": "drsjob-1", "type": "DRILL"}}}}]}"#;
