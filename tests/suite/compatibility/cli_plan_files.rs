//! Plan files with mistakes: `tidegate plan validate` says where they are. No
//! gateway is asked.

use std::fs;

use tidegate_tests::process::{run, sample};

use super::stack::{Stack, stderr, stdout};

const HEAD: &str = "apiVersion: tidegate/v1\nkind: Plan\nmetadata: {name: shop}\nspec:\n";
/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn every_sample_is_valid_without_a_gateway() {
    for name in ["shop", "diamond", "fleet", "recorded-drill"] {
        let file = sample(&format!("{name}.yaml"));
        let output = run(&["plan", "validate", &file], NOWHERE);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stdout(&output).contains("is valid"), "{output:?}");
    }
}

#[test]
fn an_unknown_field_is_shown_with_a_caret_and_a_suggestion() {
    let waves = "  waves:\n    - name: db\n      servers: {tags: {a: b}}\n      verifi: []\n";
    let said = refusal(format!("{HEAD}{waves}").as_bytes());
    assert!(said.contains("plan.yaml:8:7"), "{said}");
    assert!(said.contains("8 |       verifi: []"), "{said}");
    assert!(said.contains("|       ^^^^^^"), "{said}");
    assert!(said.contains("did you mean \"verify\"?"), "{said}");
}

#[test]
fn text_that_is_not_utf8_is_shown_with_its_place() {
    let said = refusal(&[HEAD.as_bytes(), b"  description: \xff\xfe\n"].concat());
    assert!(said.contains("UTF-8"), "{said}");
    assert!(said.contains("plan.yaml:5:16"), "{said}");
    let line = "5 |   description: \u{fffd}\u{fffd}\n";
    assert!(said.contains(line), "{said}");
    assert!(said.contains("|                ^\n"), "{said}");
}

#[test]
fn another_version_is_shown_with_its_place() {
    let said = refusal(HEAD.replace("tidegate/v1", "tidegate/v9").as_bytes());
    assert!(said.contains("\"tidegate/v9\""), "{said}");
    assert!(said.contains("plan.yaml:1:13"), "{said}");
    assert!(said.contains("tidegate/v1"), "{said}");
}

#[test]
fn every_mistake_in_the_graph_is_shown_with_its_place() {
    let waves = "  target: {account: \"123456789012\", region: us-west-2}\n  waves:\n    \
                 - {name: web, after: [wbe], servers: {tags: {a: b}}}\n    \
                 - {name: db, after: [db], servers: {ids: [server-1]}}\n";
    let said = refusal(format!("{HEAD}{waves}").as_bytes());
    for place in ["plan.yaml:7:27", "plan.yaml:8:18", "plan.yaml:8:47"] {
        assert!(said.contains(place), "{place} in:\n{said}");
    }
}

#[test]
fn a_limit_of_zero_is_refused_in_its_place_with_and_without_a_gateway() {
    let plan = format!(
        "{HEAD}  target: {{account: \"123456789012\", region: us-west-2}}\n  waves:\n    \
         - {{name: db, servers: {{tags: {{a: b}}}}, timeout: 0s}}\n"
    );
    let stack = Stack::start("shop");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("plan.yaml").display().to_string();
    fs::write(&file, plan).expect("the folder can be written to");
    for verb in ["validate", "apply"] {
        let output = stack.run(&["plan", verb, &file]);
        assert_eq!(output.status.code(), Some(10), "{verb}: {output:?}");
        let said = stderr(&output);
        assert!(said.contains("spec.waves[0].timeout"), "{verb}: {said}");
        assert!(said.contains("longer than zero"), "{verb}: {said}");
        assert!(said.contains("plan.yaml:7:43"), "{verb}: {said}");
    }
}

#[test]
fn what_is_no_plan_at_all_is_refused() {
    for content in [
        &b""[..],
        b"\0\0\0\0",
        b"[1, 2]",
        b"{",
        b"%PDF-1.7\n%\xe2\xe3",
    ] {
        let said = refusal(content);
        assert!(said.contains("plan.yaml"), "{said}");
    }
}

/// What `plan validate` says of a file that it must refuse.
fn refusal(content: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("plan.yaml");
    fs::write(&file, content).expect("the folder can be written to");
    let output = run(&["plan", "validate", &file.display().to_string()], NOWHERE);
    assert_eq!(output.status.code(), Some(10), "{output:?}");
    assert_eq!(stdout(&output), "");
    stderr(&output)
}
