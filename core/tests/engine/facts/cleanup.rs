//! A cleanup terminates instances, and only that.

use tidegate_core::{
    engine::{Action, Event, ExecutionState, Kind, LaunchAnswer, ServerState, Settings, WaveState},
    plan::{DraftWave, PlanDraft},
};

use crate::{
    drafts::{hook, plan, wave},
    run::Run,
};

#[test]
fn a_cleanup_looks_up_the_instances_and_terminates_them_without_hooks() {
    let mut run = cleanup(&shop());
    assert_eq!(run.wants(), ["select/0"]);
    run.select(0, &[1]);
    assert_eq!(run.wants(), ["launch/0/0/1"]);
    run.accept(0, 0);
    assert_eq!(
        run.ends(0, 0, ServerState::Terminated)[..4],
        [
            "w0 server 0 Terminated",
            "w0/0 ended job-0-0",
            "w0 Verifying",
            "w0 Succeeded"
        ]
    );
}

#[test]
fn where_nothing_is_left_nothing_fails() {
    let mut run = cleanup(&shop());
    run.select(0, &[]);
    run.select(1, &[]);
    assert!(run.wants().is_empty());
    assert_eq!(run.waves(), [WaveState::Succeeded, WaveState::Succeeded]);
    assert_eq!(run.state(), ExecutionState::Succeeded);
}

#[test]
fn instances_that_are_gone_before_drs_is_asked_are_terminated() {
    let mut run = cleanup(&plan(vec![wave("db", &[], &[1])]));
    run.select(0, &[1]);
    run.answer(0, 0, LaunchAnswer::NothingLeft);
    assert_eq!(run.servers(0), [ServerState::Terminated]);
    assert_eq!(run.state(), ExecutionState::Succeeded);
}

#[test]
fn a_launch_is_not_done_because_nothing_is_left() {
    let mut run = Run::started(&plan(vec![wave("db", &[], &[1])]));
    run.answer(0, 0, LaunchAnswer::NothingLeft);
    assert_eq!(run.servers(0), [ServerState::Failed]);
}

#[test]
fn an_instance_that_is_still_there_was_not_terminated() {
    let mut run = cleanup(&shop());
    run.select(0, &[1]);
    run.accept(0, 0);
    run.ends(0, 0, ServerState::Launched);
    assert_eq!(run.servers(0), [ServerState::Failed]);
}

#[test]
fn only_an_execution_that_is_over_and_left_instances_can_be_cleaned_up() {
    let mut run = Run::started(&plan(vec![wave("db", &[], &[1])]));
    assert!(!run.execution.allows(Action::CleanUp));
    run.launches(0, 0);
    assert_eq!(run.execution.allowed_actions(), [Action::CleanUp]);

    let mut run = cleanup(&plan(vec![wave("db", &[], &[1])]));
    run.select(0, &[1]);
    run.accept(0, 0);
    run.ends(0, 0, ServerState::Terminated);
    assert!(run.execution.allowed_actions().is_empty());
}

fn cleanup(draft: &PlanDraft) -> Run {
    let mut run = Run::of(Kind::Cleanup, draft, Settings::default());
    run.hear(Event::Start);
    run
}

fn shop() -> PlanDraft {
    plan(vec![
        DraftWave {
            check: vec![hook("ready")],
            verify: vec![hook("ping")],
            ..wave("db", &[], &[1])
        },
        wave("web", &["db"], &[2]),
    ])
}
