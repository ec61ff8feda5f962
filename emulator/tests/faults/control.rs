//! Faults in the control API and in scenario files.

use serde_json::{Value, json};
use tidegate_emulator::Scenario;

use crate::rig::Rig;

#[tokio::test]
async fn faults_are_put_shown_counted_and_deleted() {
    let rule = json!({"name": "r", "match": {"operations": ["DescribeJobs"]},
        "when": {"every": 2}, "then": {"work": "none", "answer": "reset"}});
    let rig = Rig::start(json!({"rules": [rule], "service": {"clockSkew": 2.5}})).await;
    rig.jobs().await;
    assert!(
        rig.call("DescribeJobs", json!({}))
            .await
            .is_reset_without_a_word()
    );
    let (status, shown) = rig.control("GET", "faults", &Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(shown["faults"]["rules"], json!([rule]));
    assert_eq!(shown["faults"]["service"]["clockSkew"], 2.5);
    assert_eq!(
        shown["counts"],
        json!([{"rule": "r", "seen": 2, "fired": 1}])
    );
    rig.advance(5);
    let (_, again) = rig.control("PUT", "faults", &shown["faults"]).await;
    assert_eq!(again["faults"], shown["faults"], "what is shown can be put");
    assert_eq!(again["since"], "2026-01-01T00:00:05.000000+00:00");
    assert_eq!(
        again["counts"],
        json!([{"rule": "r", "seen": 0, "fired": 0}])
    );
    let (_, gone) = rig.control("DELETE", "faults", &Value::Null).await;
    assert_eq!(gone["counts"], json!([]));
    for _ in 0..4 {
        rig.jobs().await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_path_and_changes_nothing() {
    let rig = Rig::with_rule("DescribeJobs", json!({}), json!({"answer": "reset"})).await;
    for (file, expected) in [
        (
            json!({"rules": [{"name": "x", "when": {"evry": 2}, "then": {"answer": "cut"}}]}),
            "rules[0].when.evry: unknown field `evry`",
        ),
        (
            json!({"rules": [{"name": "x", "then": {"answer": "rest"}}]}),
            "rules[0].then.answer: unknown variant `rest`",
        ),
        (
            json!({"rules": [{"name": "x", "when": {"probability": 2}, "then": {"answer": "cut"}}]}),
            "rules[0].when.probability: is 2; give a number from 0 to 1",
        ),
    ] {
        let (status, answer) = rig.control("PUT", "faults", &file).await;
        assert_eq!(status, 400);
        let message = answer["message"].as_str().unwrap();
        assert!(message.starts_with(expected), "{message}");
    }
    assert!(
        rig.call("DescribeJobs", json!({}))
            .await
            .is_reset_without_a_word(),
        "the faults before are still there"
    );
}

#[tokio::test]
async fn a_scenario_begins_with_its_faults() {
    let rig = Rig::of(Scenario::built_in("rough").unwrap()).await;
    let launch = json!({"sourceServers": [{"sourceServerID": "s-60000000000db0001"}]});
    let heard = rig.call("StartRecovery", launch).await;
    assert!(heard.is_reset_without_a_word(), "{heard:?}");
    assert_eq!(rig.launches().await.len(), 1);
    let (_, shown) = rig.control("GET", "faults", &Value::Null).await;
    assert_eq!(shown["faults"]["seed"], 1, "it is the scenario's");
    assert_eq!(
        shown["counts"][0],
        json!({"rule": "launch-reset-after", "seen": 1, "fired": 1})
    );
}

#[test]
fn a_scenario_file_names_the_fault_that_makes_no_sense() {
    let with = |faults: &str| {
        let file = format!(
            "name: one\nfleet: [{{account: '123456789012', region: us-west-2}}]\nfaults: {faults}"
        );
        Scenario::from_yaml(&file)
    };
    let rule = "{rules: [{name: r, when: {every: 0}, then: {answer: reset}}]}";
    assert_eq!(
        with(rule).unwrap_err().to_string(),
        "faults.rules[0].when.every: is 0; 1 or more is needed"
    );
    let unknown = with("{rules: [{name: r, then: {answr: reset}}]}").unwrap_err();
    let unknown = unknown.to_string();
    assert!(
        unknown.contains("answr") && unknown.contains("line"),
        "{unknown}"
    );
    let every = with("{rules: [{name: r, then: {work: {late: 2.5}, answer: silence}}]}");
    assert_eq!(every.unwrap().faults.rules.len(), 1);
}
