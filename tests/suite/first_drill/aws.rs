//! What only the real AWS can do, and who stands in for the AWS CLI there: a
//! script that takes commands of a closed list, and keeps what it was given.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The only commands of the text that reach nothing here.
const ONLY_AWS: [&str; 6] = [
    "drs describe-source-servers",
    "iam create-role",
    "iam put-role-policy",
    "iam delete-role-policy",
    "iam delete-role",
    "dynamodb delete-table",
];

/// Keeps each call in a folder, an argument a line, and beside it the file that
/// it names. A file that is not there fails the call, as it would at AWS.
const SCRIPT: &str = r#"#!/usr/bin/env bash
set -euo pipefail
case "$1 $2" in
  COMMANDS) ;;
  *) echo "aws $1 $2 is no command that only the real AWS can do" >&2; exit 64 ;;
esac
call="$AWS_CALLS/$(printf '%03d' "$(find "$AWS_CALLS" -name '*.args' | wc -l)")"
for argument in "$@"; do
  case "$argument" in
    file://*) cp "${argument#file://}" "$call.json" ;;
  esac
done
printf '%s\n' "$@" > "$call.args"
"#;

/// A call, as it was made.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Service and operation.
    pub(super) command: String,
    arguments: Vec<String>,
    /// What the file held that it names.
    pub(super) document: Option<Value>,
}

impl Call {
    /// The value of an option.
    pub(super) fn option(&self, name: &str) -> &str {
        let at = self.arguments.iter().position(|it| it == name);
        let value = at.and_then(|at| self.arguments.get(at + 1));
        value.unwrap_or_else(|| panic!("{self:?} has no {name}"))
    }
}

/// The script.
#[derive(Debug)]
pub(super) struct AwsCli {
    calls: PathBuf,
}

impl AwsCli {
    /// Puts it where programs are found; calls are kept in `calls`.
    pub(super) fn install(programs: &Path, calls: PathBuf) -> Self {
        fs::create_dir(&calls).expect("a folder");
        let commands = ONLY_AWS.map(|it| format!("{it:?}")).join(" | ");
        let script = programs.join("aws");
        fs::write(&script, SCRIPT.replace("COMMANDS", &commands)).expect("a script");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it may run");
        Self { calls }
    }

    /// The variable by which the script finds the folder.
    pub(super) fn variable(&self) -> (String, String) {
        ("AWS_CALLS".to_owned(), self.calls.display().to_string())
    }

    /// All calls so far, in order.
    pub(super) fn calls(&self) -> Vec<Call> {
        let files = fs::read_dir(&self.calls).expect("the folder");
        let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
        files.retain(|file| file.extension().is_some_and(|it| it == "args"));
        files.sort();
        files.iter().map(|file| call(file)).collect()
    }
}

fn call(file: &Path) -> Call {
    let arguments = fs::read_to_string(file).expect("a call");
    let arguments: Vec<String> = arguments.lines().map(ToOwned::to_owned).collect();
    let document = fs::read(file.with_extension("json")).ok();
    Call {
        command: arguments[..2].join(" "),
        arguments,
        document: document.map(|bytes| serde_json::from_slice(&bytes).expect("a file is JSON")),
    }
}

/// Sees that a document is one that IAM takes: for a role's trust or its
/// permissions, with nothing left to fill in, and not too long
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub(super) fn assert_policy(document: &Value, is_trust: bool) {
    let text = document.to_string();
    assert_eq!(document["Version"], "2012-10-17", "{text}");
    assert!(!text.contains('$') && !text.contains("::role"), "{text}");
    let longest = if is_trust { 2_048 } else { 10_240 };
    assert!(text.len() <= longest, "{} of {longest}", text.len());
    let statements = document["Statement"].as_array().expect("a list");
    assert!(!statements.is_empty());
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let principal = statement.get("Principal").is_some();
        let resource = statement.get("Resource").is_some();
        assert_eq!((principal, resource), (is_trust, !is_trust), "{statement}");
        let actions = &statement["Action"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![statement["Action"].clone()]);
        assert!(!actions.is_empty(), "{statement}");
        for action in actions {
            let action = action.as_str().expect("an action is text");
            let (service, name) = action.split_once(':').expect("service:Name");
            assert!(!service.is_empty() && !name.contains('*'), "{action}");
        }
    }
}
