//! What is wrong with the service all the time, as the operations tell it.

use serde_json::{Value, json};

use crate::rig::Rig;

const DB: &str = "s-10000000000db0001";

async fn with(service: Value) -> Rig {
    Rig::start(json!({"service": service})).await
}

async fn last_launch(rig: &Rig) -> Value {
    let filters = json!({"filters": {"sourceServerIDs": [DB]}});
    let answer = rig.call("DescribeSourceServers", filters).await.body();
    answer["items"][0]["lifeCycle"]["lastLaunch"]["initiated"].clone()
}

#[tokio::test]
async fn jobs_tags_and_last_launches_are_told_each_after_its_lag() {
    let rig = with(json!({"lag": {"jobs": 10, "tags": 20, "lastLaunch": 30}})).await;
    let answer = rig.launch(1).await.body();
    assert_eq!(
        answer["job"]["tags"],
        json!({"key": "k1"}),
        "the call tells the truth"
    );
    assert_eq!(rig.launches().await.len(), 1, "and so does the control API");
    rig.advance(9);
    assert!(rig.jobs().await.is_empty());
    rig.advance(1);
    assert_eq!(rig.jobs().await[0]["tags"], json!({}));
    rig.advance(10);
    assert_eq!(rig.jobs().await[0]["tags"], json!({"key": "k1"}));
    assert_eq!(last_launch(&rig).await, json!({}));
    rig.advance(10);
    assert_eq!(last_launch(&rig).await["jobID"], answer["job"]["jobID"]);
}

#[tokio::test]
async fn a_skewed_clock_tells_its_own_times_and_filters_by_them() {
    let rig = with(json!({"clockSkew": -30})).await;
    let answer = rig.launch(1).await.body();
    let told = "2025-12-31T23:59:30.000000+00:00";
    assert_eq!(answer["job"]["creationDateTime"], told);
    assert_eq!(rig.jobs().await[0]["creationDateTime"], told);
    assert_eq!(last_launch(&rig).await["apiCallDateTime"], told);
    let since = async |from: &str| {
        let filters = json!({"filters": {"fromDate": from}});
        let answer = rig.call("DescribeJobs", filters).await.body();
        answer["items"].as_array().unwrap().len()
    };
    assert_eq!(since("2026-01-01T00:00:00Z").await, 0);
    assert_eq!(since("2025-12-31T23:59:30Z").await, 1);
    let launches = rig.launches().await;
    assert_eq!(launches[0]["at"], "2026-01-01T00:00:00.000000+00:00");
}

#[tokio::test]
async fn a_quota_is_lower_than_documented() {
    let rig = with(json!({"quotas": {"serversPerJob": 2}})).await;
    let refused = rig.launch(3).await;
    assert_eq!(refused.status(), 402);
    assert_eq!(refused.body()["quotaCode"], "L-B827C881");
    assert_eq!(rig.launch(2).await.status(), 202);
}

#[tokio::test]
async fn what_passes_is_told_in_words_that_no_sdk_lists() {
    let all = json!({"jobStatus": true, "launchStatus": true, "logEvents": true});
    let rig = with(json!({"unlisted": all})).await;
    let id = rig.launch(1).await.body()["job"]["jobID"].clone();
    rig.advance(100);
    let job = rig.jobs().await.remove(0);
    assert_eq!(job["status"], "UNLISTED");
    assert_eq!(job["participatingServers"][0]["launchStatus"], "UNLISTED");
    let log = rig.call("DescribeJobLogItems", json!({"jobID": id})).await;
    assert_eq!(log.body()["items"][1]["event"], "UNLISTED");
    rig.advance(1_000);
    let job = rig.jobs().await.remove(0);
    assert_eq!(job["status"], "COMPLETED");
    assert_eq!(job["participatingServers"][0]["launchStatus"], "LAUNCHED");
}
