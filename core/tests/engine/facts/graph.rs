//! The graph of waves: independent branches run at once.

use tidegate_core::{
    engine::{ExecutionState, WaveState},
    plan::PlanDraft,
};

use crate::{
    drafts::{plan, wave},
    run::Run,
};

#[test]
fn the_branches_of_a_diamond_run_in_parallel() {
    let mut run = Run::started(&diamond());
    assert_eq!(run.wants(), ["launch/0/0/1"]);
    run.launches(0, 0);
    assert_eq!(run.wants(), ["launch/1/0/1", "launch/2/0/1"]);

    run.launches(2, 0);
    assert_eq!(run.waves()[3], WaveState::Waiting);
    run.launches(1, 0);
    assert_eq!(run.wants(), ["launch/3/0/1"]);
    run.launches(3, 0);
    assert_eq!(run.state(), ExecutionState::Succeeded);
    assert!(run.wants().is_empty());
    assert_eq!(run.execution.next_deadline(), None);
}

fn diamond() -> PlanDraft {
    plan(vec![
        wave("db", &[], &[1]),
        wave("left", &["db"], &[2]),
        wave("right", &["db"], &[3]),
        wave("web", &["left", "right"], &[4]),
    ])
}
