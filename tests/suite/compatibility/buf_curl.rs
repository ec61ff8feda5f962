//! `buf curl`, which needs no schema because the gateway has reflection.

use std::process::Output;

use serde_json::{Deserializer, Value, json};

use super::{
    installed::buf,
    stack::{ALONE, Stack, TWO_TIERS, stderr, stdout},
};

const EXECUTIONS: &str = "tidegate.v1.ExecutionService";

#[test]
fn buf_lists_what_there_is() {
    let stack = Stack::start("shop");
    let services = stdout(&curl(stack.address(), &["--list-services"]));
    for service in ["ExecutionService", "GatewayService", "PlanService"] {
        let name = format!("tidegate.v1.{service}");
        assert!(services.lines().any(|line| line == name), "{services}");
    }
    let methods = stdout(&curl(stack.address(), &["--list-methods"]));
    for method in ["StartExecution", "Watch", "WatchAll", "CleanUp"] {
        let name = format!("{EXECUTIONS}/{method}");
        assert!(methods.lines().any(|line| line == name), "{methods}");
    }
}

#[test]
fn buf_starts_pauses_and_resumes_a_drill_and_watches_it_to_its_end() {
    let stack = Stack::start("shop");
    stack.apply(ALONE);
    let started = start(&stack, "alone");
    let id = text(&started, "id");
    assert_eq!(text(&get(&stack, &id), "kind"), "EXECUTION_KIND_DRILL");

    let paused = steer(&stack, "Pause", &id);
    let pausing = ["EXECUTION_STATE_PAUSING", "EXECUTION_STATE_PAUSED"];
    assert!(pausing.contains(&&*text(&paused, "state")), "{paused}");
    assert_eq!(paused["holds"][0]["reason"], "PAUSE_REASON_OPERATOR");
    let resumed = steer(&stack, "Resume", &id);
    assert_eq!(text(&resumed, "state"), "EXECUTION_STATE_RUNNING");
    assert_eq!(resumed["holds"], Value::Null);

    watch_to_the_end(&stack, &id);
    let ended = get(&stack, &id);
    assert_eq!(text(&ended, "state"), "EXECUTION_STATE_SUCCEEDED");
    assert_eq!(
        ended["waves"][0]["servers"][0]["state"],
        "SERVER_STATE_LAUNCHED"
    );
}

#[test]
fn buf_cancels_a_drill_and_watches_it_to_its_end() {
    let stack = Stack::start("shop");
    stack.apply(TWO_TIERS);
    let id = text(&start(&stack, "two-tiers"), "id");
    let cancelled = steer(&stack, "Cancel", &id);
    let states = ["EXECUTION_STATE_CANCELLING", "EXECUTION_STATE_CANCELLED"];
    assert!(states.contains(&&*text(&cancelled, "state")), "{cancelled}");
    watch_to_the_end(&stack, &id);
    let ended = get(&stack, &id);
    assert_eq!(text(&ended, "state"), "EXECUTION_STATE_CANCELLED");
}

#[test]
fn buf_shows_why_something_is_refused() {
    let stack = Stack::start("shop");
    let request = json!({"execution": "01aaaaaaaaaaaaaaaaaaaaaaaa"});
    let refused = method(&stack, "GetExecution", &request);
    // buf's exit code is the status code, shifted by three bits.
    assert_eq!(refused.status.code(), Some(5 << 3), "NOT_FOUND");
    let shown: Value = serde_json::from_str(&stderr(&refused)).expect("an error as JSON");
    assert_eq!(shown["code"], "not_found");
    let details = shown["details"].to_string();
    assert!(details.contains("google.rpc.ResourceInfo"), "{shown}");
}

/// Follows the stream from the first commit until the gateway ends it.
/// Revisions and change indexes must be dense.
fn watch_to_the_end(stack: &Stack, id: &str) {
    let request = json!({"execution": id, "afterRevision": "0"});
    let messages = answers(&method(stack, "Watch", &request));
    assert!(messages[0].get("header").is_some(), "{}", messages[0]);
    let commits: Vec<_> = messages.iter().filter_map(|it| it.get("commit")).collect();
    for (ix, commit) in commits.iter().enumerate() {
        assert_eq!(text(commit, "revision"), (ix + 1).to_string());
    }
    let changes = commits.iter().filter_map(|it| it["changes"].as_array());
    for (ix, change) in changes.flatten().enumerate() {
        assert_eq!(text(change, "index"), (ix + 1).to_string());
    }
    let end = &messages.last().expect("a last message")["end"];
    assert_eq!(text(end, "reason"), "WATCH_END_REASON_EXECUTION_ENDED");
    assert_eq!(text(end, "revision"), commits.len().to_string());
}

fn start(stack: &Stack, plan: &str) -> Value {
    let request = json!({"plan": plan, "kind": "EXECUTION_KIND_DRILL", "requestId": "start"});
    execution(&method(stack, "StartExecution", &request))
}

fn steer(stack: &Stack, verb: &str, id: &str) -> Value {
    let request = json!({"execution": id, "requestId": verb});
    execution(&method(stack, verb, &request))
}

fn get(stack: &Stack, id: &str) -> Value {
    execution(&method(stack, "GetExecution", &json!({"execution": id})))
}

fn execution(output: &Output) -> Value {
    answers(output).remove(0)["execution"].take()
}

/// The messages that a call printed; it must have succeeded.
fn answers(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", stderr(output));
    Deserializer::from_slice(&output.stdout)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("protobuf JSON")
}

/// A text, an enum's name or a 64-bit number, which protobuf JSON writes as a
/// text too.
fn text(message: &Value, field: &str) -> String {
    let value = message[field].as_str();
    value
        .unwrap_or_else(|| panic!("{field} in {message}"))
        .to_owned()
}

fn method(stack: &Stack, name: &str, request: &Value) -> Output {
    let url = format!("{}/{EXECUTIONS}/{name}", stack.address());
    curl(&url, &["--data", &request.to_string()])
}

fn curl(url: &str, args: &[&str]) -> Output {
    buf()
        .args(["curl", "--protocol", "grpc", "--http2-prior-knowledge"])
        .args(["--reflect", url])
        .args(args)
        .output()
        .expect("buf runs")
}
