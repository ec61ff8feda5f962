//! What happens to jobs, as the operations tell it.

use serde_json::{Value, json};
use tidegate_emulator::Scenario;

use crate::rig::Rig;

async fn launched(then: Value, servers: usize) -> (Rig, Value) {
    let rig = Rig::start(json!({"rules": [{"name": "job", "then": {"job": then}}]})).await;
    assert_eq!(rig.launch(servers).await.status(), 202);
    rig.advance(1_000);
    let job = rig.jobs().await.remove(0);
    (rig, job)
}

fn statuses(job: &Value) -> Vec<&str> {
    let servers = job["participatingServers"].as_array().expect("a list");
    let mut statuses: Vec<&str> = servers
        .iter()
        .map(|server| server["launchStatus"].as_str().expect("text"))
        .collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn some_of_a_jobs_servers_fail() {
    let (rig, job) = launched(json!({"effect": "failConversion", "servers": 2}), 3).await;
    assert_eq!(job["status"], "COMPLETED");
    assert_eq!(statuses(&job), ["FAILED", "FAILED", "LAUNCHED"]);
    let log = rig
        .call("DescribeJobLogItems", json!({"jobID": job["jobID"]}))
        .await
        .body();
    let items = log["items"].as_array().unwrap();
    let failed = items
        .iter()
        .filter(|item| item["event"] == "CONVERSION_FAIL");
    assert_eq!(failed.count(), 2);
}

#[tokio::test]
async fn a_job_is_completed_with_servers_that_are_not() {
    for (effect, left) in [("skip", "PENDING"), ("leaveInProgress", "IN_PROGRESS")] {
        let (_rig, job) = launched(json!({"effect": effect, "servers": 1}), 2).await;
        assert_eq!(job["status"], "COMPLETED");
        let mut expected = ["LAUNCHED", left];
        expected.sort_unstable();
        assert_eq!(statuses(&job), expected);
    }
}

#[tokio::test]
async fn an_instance_vanishes_from_under_a_launched_server() {
    let (rig, job) = launched(json!({"effect": "loseInstance", "servers": 1}), 2).await;
    assert_eq!(statuses(&job), ["LAUNCHED", "LAUNCHED"]);
    let instances = rig
        .call("DescribeRecoveryInstances", json!({}))
        .await
        .body();
    assert_eq!(instances["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_launched_server_does_not_name_its_instance_where_others_do() {
    let rig = Rig::of(
        Scenario::from_yaml(
            r#"
name: naming
namesRecoveryInstances: true
fleet:
  - account: "123456789012"
    region: us-west-2
    groups: [{idPrefix: s-10000000000db, count: 2, hostname: "db-{n}"}]
faults:
  rules:
    - name: unnamed
      match: {operations: [StartRecovery]}
      then: {job: {effect: withholdInstance, servers: 1}}
"#,
        )
        .unwrap(),
    )
    .await;
    assert_eq!(rig.launch(2).await.status(), 202);
    rig.advance(1_000);
    let job = rig.jobs().await.remove(0);
    assert_eq!(statuses(&job), ["LAUNCHED", "LAUNCHED"]);
    let servers = job["participatingServers"].as_array().unwrap();
    let named = servers
        .iter()
        .filter(|server| server.get("recoveryInstanceID").is_some());
    assert_eq!(named.count(), 1);
    assert_eq!(rig.counts().await, (1, 1));
}

#[tokio::test]
async fn a_launch_ends_in_a_status_that_no_sdk_lists() {
    let (_rig, job) = launched(json!({"effect": "endUnlisted"}), 1).await;
    assert_eq!(statuses(&job), ["UNLISTED"]);
}

#[tokio::test]
async fn the_service_forgets_a_job() {
    let rule = json!({"name": "job", "then": {"job": {"forgottenAfter": 60}}});
    let rig = Rig::start(json!({"rules": [rule]})).await;
    let id = rig.launch(1).await.body()["job"]["jobID"].clone();
    rig.advance(59);
    assert_eq!(rig.jobs().await.len(), 1);
    rig.advance(1);
    assert!(rig.jobs().await.is_empty());
    let by_id = rig
        .call("DescribeJobs", json!({"filters": {"jobIDs": [id]}}))
        .await;
    assert_eq!(by_id.body()["items"], json!([]));
    let log = rig.call("DescribeJobLogItems", json!({"jobID": id})).await;
    assert_eq!(log.status(), 400);
    rig.advance(1_000);
    let instances = rig.call("DescribeRecoveryInstances", json!({})).await;
    assert_eq!(instances.body()["items"].as_array().unwrap().len(), 1);
}
