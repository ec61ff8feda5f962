//! The program as scripts see it: exit codes, and what goes to which stream.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

/// Port 1 of the loopback address has no listener.
const NOBODY: &str = "http://127.0.0.1:1";

fn tidegate(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(arguments)
        .env("TIDEGATE_ADDRESS", NOBODY)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it has a standard input");
    // A program that refuses early does not read its input.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_wrong_command_line_is_2() {
    assert_eq!(tidegate(&["plan", "aply"], "").status.code(), Some(2));
    assert_eq!(tidegate(&[], "").status.code(), Some(2));
}

#[test]
fn an_invalid_plan_is_10_and_shown_on_stderr() {
    let output = tidegate(&["plan", "validate", "-"], "kind: Plan\nspek: 1\n");
    assert_eq!(output.status.code(), Some(10));
    assert!(output.stdout.is_empty());
    let error = text(&output.stderr);
    assert!(error.contains("<stdin>:2:1"), "{error}");
    assert!(error.contains("did you mean \"spec\"?"), "{error}");
}

#[test]
fn a_valid_plan_is_0_without_a_gateway() {
    let plan = include_str!("../plans/shop.yaml");
    let output = tidegate(&["plan", "validate", "-", "-o", "name"], plan);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "shop\n");
}

#[test]
fn a_plan_as_json_is_protobuf_json() {
    let plan = include_str!("../plans/shop.yaml");
    let output = tidegate(&["plan", "validate", "-", "-o", "json"], plan);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(json["spec"]["waves"][2]["pauseBefore"], true);
    assert_eq!(json["spec"]["objectives"]["rto"], "1800s");
}

#[test]
fn a_gateway_that_is_not_there_is_7() {
    let output = tidegate(&["plan", "list"], "");
    assert_eq!(output.status.code(), Some(7));
    assert!(text(&output.stderr).contains(NOBODY));
}

#[test]
fn a_recovery_without_the_plans_name_is_refused() {
    for arguments in [
        &["recovery", "start", "shop"][..],
        &["recovery", "start", "shop", "--confirm", "shopp"],
    ] {
        // What comes through a pipe is nobody's confirmation.
        let output = tidegate(arguments, "shop\n");
        assert_eq!(output.status.code(), Some(10), "{arguments:?}");
        assert!(text(&output.stderr).contains("nothing was started"));
    }
}

#[test]
fn colours_stay_on_terminals() {
    let output = tidegate(&["plan", "validate", "-"], "kind: Plam\n");
    assert!(!text(&output.stderr).contains('\u{1b}'));
}
