//! One job per account and Region, split only where DRS demands it.

use tidegate_core::engine::{Event, Kind, Settings};

use crate::{
    drafts::{account_target, group_at, plan, target, wave},
    run::Run,
};

#[test]
fn a_wave_is_one_job_per_account_and_region() {
    let mut draft = wave("db", &[], &[]);
    draft.groups = vec![
        group_at(target("us-west-2"), &[1, 2]),
        group_at(target("eu-west-1"), &[3]),
        group_at(account_target("999999999999", "us-west-2"), &[4]),
        group_at(target("us-west-2"), &[5]),
    ];
    let mut run = Run::new(&plan(vec![draft]));
    let intended: Vec<String> = launches(run.hear(Event::Start));
    assert_eq!(
        intended,
        [
            "w0 queue eu-west-1 [2]",
            "w0 queue us-west-2 [0, 1, 4]",
            "w0 queue us-west-2 [3]",
        ]
    );
    assert_eq!(
        run.wants(),
        ["launch/0/0/1", "launch/0/1/1", "launch/0/2/1"]
    );
}

#[test]
fn a_job_has_no_more_servers_than_drs_allows() {
    let settings = Settings {
        servers_per_job: 2,
        ..Settings::default()
    };
    let draft = plan(vec![wave("db", &[], &[1, 2, 3, 4, 5])]);
    let mut run = Run::of(Kind::Drill, &draft, settings);
    assert_eq!(
        launches(run.hear(Event::Start)),
        [
            "w0 queue us-west-2 [0, 1]",
            "w0 queue us-west-2 [2, 3]",
            "w0 queue us-west-2 [4]",
        ]
    );
}

fn launches(lines: Vec<String>) -> Vec<String> {
    let mut lines = lines;
    lines.retain(|line| line.contains(" queue "));
    lines
}
