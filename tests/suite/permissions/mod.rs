//! The policies that `tidegate aws policy` prints, held against the operations
//! of AWS that are linked into the program: a call that is added anywhere must
//! be permitted, and nothing is permitted that has no use.

mod linked;

use std::{collections::BTreeSet, env, path::Path};

use futures::{FutureExt as _, future::BoxFuture};
use serde_json::Value;
use tidegate_gateway::adapters::{aws_grant::Grant, drs_aws::permissions};
use tidegate_tests::process::{binary, run};

/// Operations by their actions in IAM, for example `drs:DescribeJobs`.
type Actions = BTreeSet<String>;

/// How the SDK comes by credentials of its own. None of it is a call of the
/// gateway's role: a token, or the trust policy of another role, permits it.
const FOR_CREDENTIALS: [&str; 3] = [
    "sso:GetRoleCredentials",
    "ssooidc:CreateToken",
    "sts:AssumeRoleWithWebIdentity",
];

/// A transaction, and the operations that it must be permitted instead
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>).
const TRANSACTION: &str = "dynamodb:TransactWriteItems";
const PARTS: [&str; 3] = [
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
];

/// Permissions for what a call of another operation says: AssumeRole with tags.
const WITHIN_CALLS: [&str; 1] = ["sts:TagSession"];

/// What only making the table needs.
const MAKING: [&str; 3] = [
    "dynamodb:CreateTable",
    "dynamodb:UpdateContinuousBackups",
    "dynamodb:UpdateTimeToLive",
];

const TARGET: &str = "--for target --account 123456789012";
const GATEWAY: &str = "--for gateway --account 123456789012 --table tidegate";
const ADMIN: &str = "--for admin --table tidegate";

#[test]
fn every_operation_that_the_program_can_call_is_permitted_by_a_printed_policy() {
    let called = called_by(&binary());
    let by_a_gateway = &printed(TARGET) | &printed(GATEWAY);
    assert_eq!(missing(&called, &by_a_gateway), actions(&MAKING));
    let by_anyone = &by_a_gateway | &printed(ADMIN);
    assert_eq!(missing(&called, &by_anyone), Actions::new());
}

#[test]
fn nothing_is_permitted_that_is_neither_called_nor_done_on_behalf_of_the_caller() {
    let called = called_by(&binary());
    let on_behalf = permissions::ON_BEHALF.iter().flat_map(of_grant).collect();
    let needed = &(&called | &on_behalf) | &actions(&WITHIN_CALLS);
    for policy in [TARGET, GATEWAY, ADMIN] {
        assert_eq!(missing(&printed(policy), &needed), Actions::new());
    }
    // A reason that nothing needs any more is no reason.
    let linked = linked::operations(&binary());
    let excused = [&FOR_CREDENTIALS[..], permissions::FREE, &[TRANSACTION]].concat();
    assert_eq!(missing(&actions(&excused), &linked), Actions::new());
    assert!(called.is_disjoint(&actions(&WITHIN_CALLS)));
}

#[test]
fn a_call_that_no_policy_knows_is_found() {
    // Never polled, but linked into this test.
    let call: BoxFuture<'static, ()> = planted(None).boxed();
    drop(std::hint::black_box(call));
    let called = called_by(&env::current_exe().expect("the test knows where it is"));
    let permitted = &(&printed(TARGET) | &printed(GATEWAY)) | &printed(ADMIN);
    // Tests look into tables in ways of their own.
    let found = missing(&called, &permitted);
    assert_eq!(found, actions(&["dynamodb:ListBackups", "dynamodb:Scan"]));
}

async fn planted(client: Option<aws_sdk_dynamodb::Client>) {
    if let Some(client) = client {
        let _ = client.list_backups().send().await;
    }
}

/// The actions that the calls linked into a program need.
fn called_by(program: &Path) -> Actions {
    let mut called = linked::operations(program);
    if called.remove(TRANSACTION) {
        called.extend(actions(&PARTS));
    }
    let free = &actions(&FOR_CREDENTIALS) | &actions(permissions::FREE);
    &called - &free
}

/// The actions that a policy permits, as people get it.
fn printed(arguments: &str) -> Actions {
    let words = ["aws", "policy"].into_iter();
    let line: Vec<&str> = words.chain(arguments.split_whitespace()).collect();
    let output = run(&line, "");
    assert!(output.status.success(), "{line:?}");
    let policy: Value = serde_json::from_slice(&output.stdout).expect("a policy is JSON");
    let statements = policy["Statement"].as_array().expect("statements");
    let permitted = statements.iter().map(|it| it["Action"].as_array());
    let permitted = permitted.flat_map(|it| it.expect("a list of actions"));
    permitted
        .map(|action| action.as_str().expect("an action").to_owned())
        .collect()
}

fn of_grant(grant: &Grant) -> Actions {
    actions(grant.actions)
}

/// Those of the first that are not among the second.
fn missing(wanted: &Actions, given: &Actions) -> Actions {
    wanted - given
}

fn actions(names: &[&str]) -> Actions {
    names.iter().map(ToString::to_string).collect()
}
