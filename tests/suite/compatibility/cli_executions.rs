//! Drills and recoveries from a shell: ids, exit codes, JSON, refusals.

use std::process::Output;

use serde_json::Value;
use tidegate_tests::process::run;

use super::stack::{ALONE, Stack, TWO_TIERS, stderr, stdout};

const FAILS: &str = include_str!("plans/fails.yaml");
const TOLERATES: &str = include_str!("plans/tolerates.yaml");

#[test]
fn waiting_ends_with_the_code_that_says_how() {
    let stack = Stack::start("shop");
    stack.apply(TWO_TIERS);
    let id = stack.drill("two-tiers");
    assert_eq!(id.len(), 26, "{id}");

    let late = stack.run(&["execution", "wait", &id, "--timeout", "50ms"]);
    assert_code(&late, 11);
    assert_eq!(stdout(&late), "", "nothing is printed");
    let held = stack.run(&["execution", "wait", &id, "--fail-on-pause"]);
    assert_code(&held, 6);
    assert!(stderr(&held).contains("PLANNED (wave web)"), "{held:?}");
    let next = format!("tidegate execution resume {id}");
    assert!(stderr(&held).contains(&next), "{held:?}");

    assert_code(&stack.run(&["execution", "resume", &id]), 0);
    assert_code(&stack.run(&["execution", "wait", &id]), 0);
    for nobody in ["01aaaaaaaaaaaaaaaaaaaaaaaa", "nope"] {
        assert_code(&stack.run(&["execution", "wait", nobody]), 8);
    }
    assert_code(&stack.run(&["plan", "get", "No_Such"]), 8);
    assert_code(&stack.run(&["execution", "wait"]), 2);
}

#[test]
fn a_cancelled_drill_ends_the_wait_with_its_own_code() {
    let stack = Stack::start("shop");
    stack.apply(TWO_TIERS);
    let id = stack.drill("two-tiers");
    assert_code(&stack.run(&["execution", "cancel", &id]), 0);
    assert_code(&stack.run(&["execution", "wait", &id]), 4);
}

#[test]
fn a_failed_drill_and_a_tolerated_failure_have_their_own_codes() {
    let stack = Stack::start("mishaps");
    stack.apply(FAILS);
    stack.apply(TOLERATES);
    let fails = stack.drill("fails");
    let tolerates = stack.drill("tolerates");
    assert_code(&stack.run(&["execution", "wait", &fails]), 3);
    assert_code(&stack.run(&["execution", "wait", &tolerates]), 5);
}

#[test]
fn a_failed_wave_that_holds_is_offered_what_the_gateway_takes() {
    let stack = Stack::start("mishaps");
    stack.apply(&FAILS.replace("- name: only", "- name: only\n      onFailure: pause"));
    let id = stack.drill("fails");
    let held = stack.run(&["execution", "wait", &id, "--fail-on-pause"]);
    assert_code(&held, 6);
    let said = stderr(&held);
    assert!(said.contains("WAVE_FAILED (wave only)"), "{said}");
    let offered = said
        .lines()
        .filter_map(|line| line.strip_prefix("  next: "));
    let offered: Vec<&str> = offered.collect();
    let commands = ["retry", "skip"].map(|verb| format!("tidegate execution {verb} {id} only"));
    assert_eq!(offered, commands, "{said}");
    let skip: Vec<&str> = offered[1].split(' ').skip(1).collect();
    assert_code(&stack.run(&skip), 0);
}

#[test]
fn a_revision_that_is_not_there_yet_is_no_place_to_watch_from() {
    let stack = Stack::start("shop");
    stack.apply(TWO_TIERS);
    let id = stack.drill("two-tiers");
    let refused = stack.run(&["execution", "watch", &id, "--after", "999999"]);
    assert_code(&refused, 10);
    let said = stderr(&refused);
    assert!(said.contains("the newest revision of execution"), "{said}");
    assert!(said.contains("REVISION_OUT_OF_RANGE"), "{said}");
    assert!(!said.contains("opened again"), "{said}");
    assert_eq!(stdout(&refused), "");
}

#[test]
fn json_is_protobuf_json_on_the_standard_output_alone() {
    let stack = Stack::start("shop");
    stack.apply(ALONE);
    let started = stack.run(&["drill", "start", "alone", "-o", "json"]);
    let id = json(&started)["id"].as_str().expect("an id").to_owned();
    let shown = json(&stack.run(&["execution", "get", &id, "-o", "json"]));
    assert_eq!(shown["id"], id.as_str());
    assert_eq!(shown["kind"], "EXECUTION_KIND_DRILL");
    assert_eq!(shown["planRevision"], "1", "64 bits are written as a text");
    let time = shown["createTime"].as_str().expect("a time");
    assert!(time.ends_with('Z'), "{time}");
    let listed = json(&stack.run(&["execution", "list", "-o", "json"]));
    assert_eq!(listed["executions"][0]["id"], id.as_str());
    let plan = json(&stack.run(&["plan", "get", "alone", "-o", "json"]));
    assert_eq!(plan["name"], "alone");
    let lines = stack.run(&["execution", "watch", &id, "-o", "jsonl"]);
    let messages: Vec<Value> = stdout(&lines)
        .lines()
        .map(|line| serde_json::from_str(line).expect("one message a line"))
        .collect();
    assert!(messages[0].get("header").is_some(), "{messages:?}");
}

#[test]
fn a_forbidden_request_shows_what_may_be_asked_instead() {
    let stack = Stack::start("shop");
    stack.apply(TWO_TIERS);
    let id = stack.drill("two-tiers");
    let refused = stack.run(&["execution", "resume", &id]);
    assert_code(&refused, 9);
    let said = stderr(&refused);
    assert!(said.contains("state: RUNNING"), "{said}");
    for verb in ["pause", "cancel"] {
        let possible = format!("possible now: tidegate execution {verb} {id}");
        assert!(said.contains(&possible), "{said}");
    }
    assert_eq!(stdout(&refused), "");
}

#[test]
fn a_recovery_is_not_started_without_the_plans_name_a_second_time() {
    let stack = Stack::start("shop");
    stack.apply(ALONE);
    let bare = ["recovery", "start", "alone", "-o", "name"];
    for args in [&bare[..], &[&bare[..], &["--confirm", "alnoe"]].concat()] {
        let refused = stack.run(args);
        assert_code(&refused, 10);
        assert!(
            stderr(&refused).contains("nothing was started"),
            "{refused:?}"
        );
    }
    let list = ["execution", "list", "-o", "name"];
    assert_eq!(stdout(&stack.run(&list)), "", "nothing was started");
    let id = stack.last_line(&[&bare[..], &["--confirm", "alone"]].concat());
    assert_eq!(stack.last_line(&list), id);
}

#[test]
fn a_gateway_that_is_not_there_is_named() {
    // Port 1 of the loopback address has no listener.
    let address = "http://127.0.0.1:1";
    let lost = run(&["plan", "list", "--address", address], "");
    assert_code(&lost, 7);
    let said = stderr(&lost);
    assert!(said.contains("no gateway answers at"), "{said}");
    assert!(said.contains(address), "{said}");
    assert!(said.contains("refused"), "{said}");
}

fn json(output: &Output) -> Value {
    assert_code(output, 0);
    serde_json::from_slice(&output.stdout).expect("the output is JSON and nothing else")
}

fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
}
