//! What is in `gateway/operations` fits what a gateway really exposes.

use std::{
    collections::BTreeSet,
    io::{Seek as _, Write as _},
    process::{Command, Output},
};

use super::world::{World, metrics_of_a_member};
use crate::compatibility::installed::{in_checkout, python};

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_and_alerts_use_metrics_that_there_are() {
    let world = World::start(None).await;
    let under_way = world.scraped_drill().await;
    let ended = world.metrics_of_the_end().await;
    world.gateway.shut_down().await;
    let member = metrics_of_a_member().await;
    let texts = [under_way, ended, member];
    let exposed: BTreeSet<String> = texts.iter().flat_map(|text| families(text)).collect();

    let used = used(&exposed);
    assert!(used.len() > 20, "{used:?}");
    let missing: Vec<_> = used
        .iter()
        .filter(|name| !exposed.contains(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {exposed:?}");
}

#[test]
fn the_alert_rules_are_valid_and_fire_as_their_tests_say() {
    for args in [
        ["check", "rules", "alerts.yaml"],
        ["test", "rules", "alerts-test.yaml"],
    ] {
        let checked = promtool(&args);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        let said = format!("{}\n{said}", String::from_utf8_lossy(&checked.stdout));
        assert!(checked.status.success(), "{said}");
    }
}

/// Names of series that the files ask for, as the script finds them. It also
/// holds what the collector keeps against what is exposed.
fn used(exposed: &BTreeSet<String>) -> BTreeSet<String> {
    let mut names = tempfile::tempfile().expect("a file");
    let exposed: Vec<&str> = exposed.iter().map(String::as_str).collect();
    let written = names.write_all(exposed.join("\n").as_bytes());
    written
        .and_then(|()| names.rewind())
        .expect("it is written");
    let output = python()
        .arg(in_checkout("tests/compatibility/operations_files.py"))
        .arg(in_checkout("gateway/operations"))
        .stdin(names)
        .output()
        .expect("Python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    names.lines().map(str::to_owned).collect()
}

fn promtool(args: &[&str]) -> Output {
    let promtool = Command::new("promtool")
        .args(args)
        .current_dir(in_checkout("gateway/operations"))
        .output();
    promtool.expect("promtool is missing: run .ci/install (apt-get install prometheus)")
}

/// Every name under which the samples of a family can be asked for.
fn families(text: &str) -> impl Iterator<Item = String> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| Some(line.split(['{', ' ']).next()?.to_owned()))
}
