//! The printed policies, and arguments that print none.

use clap::Parser as _;

use super::{INLINE, Policy, too_long};

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    policy: Policy,
}

fn parsed(line: &str) -> Result<Policy, String> {
    let words = ["policy"].into_iter().chain(line.split_whitespace());
    Line::try_parse_from(words)
        .map(|line| line.policy)
        .map_err(|error| error.to_string())
}

fn printed(line: &str) -> String {
    let policy = parsed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    policy.document().unwrap().pretty().unwrap()
}

/// Why nothing is printed.
fn refused(line: &str) -> String {
    match parsed(line) {
        Ok(policy) => policy.document().unwrap_err().to_string(),
        Err(error) => error,
    }
}

#[test]
fn the_gateways_role_reaches_targets_and_its_table() {
    insta::assert_snapshot!(printed(
        "--for gateway --account 123456789012 --account 210987654321 --table tidegate --region eu-west-1"
    ));
    insta::assert_snapshot!(
        "gateway_in_another_partition",
        printed(
            "--for gateway --table arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/recovery \
             --account 123456789012 --role-name recovery/launch --partition aws-us-gov"
        )
    );
}

#[test]
fn the_role_of_a_target_launches_and_terminates() {
    let policy = printed("--for target --account 123456789012 --region us-west-2");
    insta::assert_snapshot!(policy);
    let size = policy.chars().filter(|it| !it.is_whitespace()).count();
    assert!(size <= INLINE, "{size}");
    let note = too_long(&policy).expect("a managed policy is shorter");
    assert!(note.contains(&size.to_string()), "{note}");
    assert!(note.contains("put-role-policy"), "{note}");
}

#[test]
fn policies_that_fit_anywhere_are_printed_without_a_word_and_those_that_fit_nowhere_with_one() {
    let gateway = printed("--for gateway --account 123456789012 --table tidegate");
    assert_eq!(too_long(&gateway), None);
    let accounts = (0..40).map(|number| format!(" --account {number:012}"));
    let many = printed(&format!("--for target{}", accounts.collect::<String>()));
    let note = too_long(&many).expect("it fits nowhere");
    assert!(note.contains("one for each account"), "{note}");
}

#[test]
fn whoever_makes_the_table_may_do_that() {
    insta::assert_snapshot!(printed("--for admin --table tidegate --region us-west-2"));
}

#[test]
fn a_target_trusts_the_gateway_that_knows_the_external_id() {
    insta::assert_snapshot!(printed(
        "--trust --gateway-role arn:aws:iam::111122223333:role/tidegate-gateway --external-id tide"
    ));
}

#[test]
fn the_partition_is_that_of_the_regions() {
    let policy = printed("--for target --account 123456789012 --region cn-north-1");
    assert!(policy.contains("arn:aws-cn:iam::123456789012:role/tidegate-target"));
    assert!(policy.contains("ec2.amazonaws.com.cn"));
    assert!(!policy.contains("arn:aws:"), "{policy}");
}

#[test]
fn arguments_that_mean_nothing_are_refused_with_what_to_do() {
    for (line, wanted) in [
        ("", "--for"),
        ("--for nobody", "possible values"),
        ("--for gateway", "--account"),
        ("--for target", "--account"),
        ("--for admin", "--table"),
        ("--for target --account 123456789012 --table t", "3 to 255"),
        (
            "--for target --account 123456789012 --table journal",
            "--for gateway",
        ),
        ("--for target --account 12345", "12 digits"),
        (
            "--for target --account 123456789012 --region west",
            "us-west-2",
        ),
        (
            "--for target --account 123456789012 --region us-west-2a",
            "us-west-2",
        ),
        (
            "--for target --account 123456789012 --region us-west-2 --region us-gov-west-1",
            "aws-us-gov",
        ),
        (
            "--for target --account 123456789012 --region us-west-2 --partition aws-cn",
            "is in the partition aws:",
        ),
        (
            "--for target --account 123456789012 --role-name a:b",
            "up to 64",
        ),
        ("--for admin --table arn:aws:s3:::journal", "table/tidegate"),
        ("--trust", "--gateway-role"),
        ("--trust --gateway-role tidegate", "arn:aws:iam::"),
        (
            "--trust --gateway-role arn:aws:sts::111122223333:assumed-role/a/b",
            "of no use here",
        ),
        (
            "--trust --gateway-role arn:aws:iam::111122223333:role/a --external-id x",
            "2 to 1224",
        ),
        ("--for admin --table journal --external-id tide", "--trust"),
    ] {
        let said = refused(line);
        assert!(said.contains(wanted), "{line}: {said}");
    }
}
