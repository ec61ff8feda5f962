//! Cancel: nothing new, jobs are followed, and what was launched is listed.

use tidegate_core::{
    SourceServerId,
    engine::{ExecutionState, LaunchState, Looked, ServerState, WaveState, Why},
    plan::{FailurePolicy, PlanDraft},
};

use crate::{
    drafts::{on_failure, plan, server_id, wave},
    run::{Run, cancel, deferral, pause, unknown},
};

#[test]
fn cancel_before_the_start_ends_at_once() {
    let mut run = Run::new(&two());
    assert_eq!(
        run.hear(cancel()),
        [
            "closing cancel (requested by an operator)",
            "execution Cancelling (requested by an operator)",
            "w0 Cancelled (requested by an operator)",
            "w1 Cancelled (requested by an operator)",
            "execution Cancelled (requested by an operator)",
        ]
    );
}

#[test]
fn cancel_follows_jobs_to_their_end_and_lists_what_was_launched() {
    let mut run = Run::started(&two());
    run.accept(0, 0);
    run.hear(cancel());
    assert_eq!(run.state(), ExecutionState::Cancelling);
    assert_eq!(run.wants(), ["follow/0/0"]);
    assert_eq!(run.refused(cancel()), Why::Ending);
    assert_eq!(run.refused(pause()), Why::Ending);

    run.ends(0, 0, ServerState::Launched);
    assert_eq!(run.state(), ExecutionState::Cancelled);
    assert_eq!(run.waves(), [WaveState::Cancelled, WaveState::Cancelled]);
    let listed: Vec<&SourceServerId> = run.execution.launched().map(|(id, _)| id).collect();
    assert_eq!(listed, [&SourceServerId::from(server_id(1).as_str())]);
    assert_eq!(run.refused(cancel()), Why::Over);
}

#[test]
fn cancel_gives_up_what_drs_has_not_taken() {
    let mut run = Run::started(&two());
    run.answer(0, 0, deferral());
    assert_eq!(
        run.hear(cancel())[2..4],
        [
            "w0/0 abandoned (requested by an operator)",
            "w0 server 0 Skipped (requested by an operator)",
        ]
    );
    assert_eq!(run.state(), ExecutionState::Cancelled);
}

#[test]
fn a_launch_that_was_asked_for_is_heard_after_a_cancel() {
    let mut run = Run::started(&two());
    run.hear(cancel());
    assert_eq!(run.wants(), ["launch/0/0/1"]);

    run.answer(0, 0, deferral());
    assert_eq!(run.state(), ExecutionState::Cancelled);
}

#[test]
fn cancel_while_reconciling_looks_until_the_launch_is_found_or_ruled_out() {
    let mut run = Run::started(&two());
    run.answer(0, 0, unknown());
    run.hear(cancel());
    assert_eq!(run.wants(), ["look/0/0/1"]);
    assert!(run.look(0, 0, Looked::Nothing).is_empty());

    run.pass(120);
    run.look(0, 0, Looked::Nothing);
    assert_eq!(run.state(), ExecutionState::Cancelled);
    assert_eq!(run.servers(0), [ServerState::Skipped]);
    assert_eq!(
        run.execution
            .waves()
            .next()
            .map(|wave| &wave.launches()[0].state),
        Some(&LaunchState::Abandoned)
    );
}

#[test]
fn cancel_of_an_undecided_wave_leaves_no_server_open() {
    let mut run = Run::started(&plan(vec![on_failure(
        FailurePolicy::Pause,
        crate::drafts::tagged("db", &[], "db"),
    )]));
    run.select(0, &[]);
    assert_eq!(run.holds(), ["failed w0"]);
    run.hear(cancel());
    assert_eq!(run.state(), ExecutionState::Cancelled);
    assert_eq!(run.waves(), [WaveState::Failed]);
    assert!(run.holds().is_empty());
}

fn two() -> PlanDraft {
    plan(vec![wave("db", &[], &[1]), wave("web", &["db"], &[2])])
}
