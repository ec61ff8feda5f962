mod endpoints;
mod hooks;

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use super::*;

#[test]
fn a_draft_without_mistakes_becomes_a_plan() {
    let plan = check(&plan(vec![wave("db", &[], 1), wave("web", &["db"], 2)])).unwrap();
    assert_eq!(plan.find("web"), Some(WaveIx(1)));
    assert_eq!(plan.wave(WaveIx(1)).after, [WaveIx(0)]);
    assert_eq!(plan.wave(WaveIx(0)).before, [WaveIx(1)]);
}

#[test]
fn every_mistake_is_reported_with_its_field() {
    let mut draft = plan(vec![wave("db", &["wbe"], 1), wave("web", &[], 1)]);
    draft.name = "Shop".to_string();
    draft.waves[1].groups[0].servers[0].id = "i-123".to_string();
    assert_eq!(
        mistakes(&draft),
        [
            "name: \"Shop\" is not a name; use 1 to 63 of a-z, 0-9 and '-', beginning with a letter",
            "spec.waves[1].servers[0].servers[0].id: \"i-123\" is not a source server id; use \"s-\" and 17 hexadecimal digits, or the server's ARN",
            "spec.waves[0].after[0]: there is no wave \"wbe\"; did you mean \"web\"?",
        ]
    );
}

#[test]
fn a_cycle_is_refused_with_its_path() {
    let draft = plan(vec![
        wave("a", &["c"], 1),
        wave("b", &["a"], 2),
        wave("c", &["b"], 3),
        wave("d", &["c"], 4),
    ]);
    assert_eq!(
        mistakes(&draft),
        [
            "spec.waves[0].after: the waves wait for each other: a -> c -> b -> a; remove one of these dependencies"
        ]
    );
}

#[test]
fn a_wave_that_waits_for_itself_is_a_cycle() {
    let draft = plan(vec![wave("a", &["a"], 1)]);
    assert_eq!(
        mistakes(&draft),
        [
            "spec.waves[0].after: the waves wait for each other: a -> a; remove one of these dependencies"
        ]
    );
}

#[test]
fn a_server_belongs_to_one_wave() {
    let draft = plan(vec![wave("a", &[], 1), wave("b", &[], 1)]);
    assert_eq!(
        mistakes(&draft),
        [
            "spec.waves[1].servers[0].servers[0].id: \"s-00000000000000001\" is also in spec.waves[0].servers[0].servers[0]; a plan launches a server once"
        ]
    );
}

#[test]
fn a_wave_needs_servers_and_a_group_needs_ids_or_tags() {
    let mut empty = wave("a", &[], 1);
    empty.groups.clear();
    let mut neither = wave("b", &[], 1);
    neither.groups[0].servers.clear();
    assert_eq!(
        mistakes(&plan(vec![empty, neither])),
        [
            "spec.waves[0].servers: a wave needs servers; give ids or tags",
            "spec.waves[1].servers[0]: give either server ids or tags, not both and not neither",
        ]
    );
}

#[test]
fn a_target_is_inherited_and_missing_only_where_nobody_gives_one() {
    let mut draft = plan(vec![wave("a", &[], 1), wave("b", &[], 2)]);
    draft.target = None;
    draft.waves[0].target = Some(target("eu-west-1"));
    assert_eq!(
        mistakes(&draft),
        ["spec.waves[1].servers[0].target: must be given"]
    );
    draft.waves[1].groups[0].target = Some(target("us-gov-west-1"));
    let plan = check(&draft).unwrap();
    assert_eq!(
        plan.wave(WaveIx(1)).groups[0].target.region,
        "us-gov-west-1"
    );
}

#[test]
fn limits_are_refused_at_admission() {
    let draft = plan((0..201).map(|n| wave(&format!("w{n}"), &[], n)).collect());
    assert_eq!(
        mistakes(&draft),
        ["spec.waves: 201 are above the limit of 200"]
    );
}

#[test]
fn a_wave_name_occurs_once() {
    let draft = plan(vec![wave("a", &[], 1), wave("a", &[], 2)]);
    assert_eq!(
        mistakes(&draft),
        ["spec.waves[1].name: another wave is named \"a\"; rename one of them"]
    );
}

#[test]
fn regions_and_roles_are_recognised_by_their_form() {
    for good in ["us-west-2", "us-gov-west-1", "ap-southeast-12"] {
        let mut draft = plan(vec![wave("a", &[], 1)]);
        draft.target = Some(target(good));
        assert!(check(&draft).is_ok(), "{good}");
    }
    for bad in ["", "us", "us-west", "US-west-2", "us--2", "us-west-x"] {
        let mut draft = plan(vec![wave("a", &[], 1)]);
        draft.target = Some(target(bad));
        assert!(check(&draft).is_err(), "{bad}");
    }
    let mut draft = plan(vec![wave("a", &[], 1)]);
    draft.target.as_mut().unwrap().role = "role/x".to_string();
    assert!(check(&draft).is_err());
    draft.target.as_mut().unwrap().role = "arn:aws:iam::123456789012:role/dr/tidegate".to_string();
    assert!(check(&draft).is_ok());
}

fn check(draft: &PlanDraft) -> Result<Plan, Vec<PlanError>> {
    Plan::check(draft, &Limits::default())
}

fn mistakes(draft: &PlanDraft) -> Vec<String> {
    check(draft)
        .expect_err("the draft has mistakes")
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn plan(waves: Vec<DraftWave>) -> PlanDraft {
    PlanDraft {
        name: "shop".to_string(),
        target: Some(target("us-west-2")),
        waves,
        ..PlanDraft::default()
    }
}

fn target(region: &str) -> DraftTarget {
    DraftTarget {
        account: "123456789012".to_string(),
        region: region.to_string(),
        role: String::new(),
    }
}

fn wave(name: &str, after: &[&str], server: u32) -> DraftWave {
    DraftWave {
        name: name.to_string(),
        after: after.iter().map(ToString::to_string).collect(),
        groups: vec![DraftGroup {
            servers: vec![DraftServer {
                id: format!("s-{server:017x}"),
                ..DraftServer::default()
            }],
            ..DraftGroup::default()
        }],
        ..DraftWave::default()
    }
}
