//! Failure policies: stop, continue, pause.

use tidegate_core::{
    engine::{Event, ExecutionState, ServerState, WaveState, Why},
    plan::{FailurePolicy, PlanDraft},
};

use crate::{
    drafts::{on_failure, plan, wave},
    run::{Run, pause, refusal, retry, skip},
};

#[test]
fn stop_lets_running_siblings_end_and_starts_nothing_more() {
    let mut run = Run::started(&siblings(FailurePolicy::Stop));
    run.accept(1, 0);
    run.answer(0, 0, refusal());
    assert_eq!(
        run.waves(),
        [WaveState::Failed, WaveState::Recovering, WaveState::Skipped]
    );
    assert_eq!(run.state(), ExecutionState::Running);

    run.ends(1, 0, ServerState::Launched);
    assert_eq!(run.state(), ExecutionState::Failed);
    assert_eq!(run.waves()[1], WaveState::Succeeded);
}

#[test]
fn continue_goes_on_and_fails_in_the_end() {
    let mut run = Run::started(&siblings(FailurePolicy::Continue));
    run.launches(1, 0);
    run.answer(0, 0, refusal());
    assert_eq!(run.wants(), ["launch/2/0/1"]);
    run.launches(2, 0);
    assert_eq!(run.state(), ExecutionState::Failed);
}

#[test]
fn pause_waits_for_a_decision_that_a_resume_is_not() {
    let mut run = Run::started(&siblings(FailurePolicy::Pause));
    run.launches(1, 0);
    assert_eq!(
        run.answer(0, 0, refusal())[3..],
        [
            "w0 Failed (servers failed: 1 of 1 failed, 0 tolerated)",
            "hold failed w0 \"servers failed: 1 of 1 failed, 0 tolerated\"",
            "execution Paused (servers failed: servers failed: 1 of 1 failed, 0 tolerated)",
        ]
    );
    assert_eq!(run.refused(Event::Resume), Why::WaveUndecided);

    assert_eq!(
        run.hear(retry(0)),
        [
            "lift failed w0 \"servers failed: 1 of 1 failed, 0 tolerated\"",
            "w0 Launching (requested by an operator)",
            "w0 attempt 2",
            "w0 queue us-west-2 [0]",
            "execution Running",
            "w0/1 asking 1",
            "w0 server 0 Requested",
        ]
    );
    run.launches(0, 1);
    assert_eq!(run.wants(), ["launch/2/0/1"]);
}

#[test]
fn a_failed_wave_may_be_skipped() {
    let mut run = Run::started(&siblings(FailurePolicy::Pause));
    run.launches(1, 0);
    run.answer(0, 0, refusal());
    let started = run
        .execution
        .waves()
        .next()
        .and_then(|wave| wave.started_at());
    run.pass(10);
    run.hear(skip(0));
    assert_eq!(run.wants(), ["launch/2/0/1"]);
    let wave = run.execution.waves().next().expect("there is a wave");
    assert_eq!(wave.started_at(), started);

    run.launches(2, 0);
    assert_eq!(run.state(), ExecutionState::SucceededWithWarnings);
}

#[test]
fn two_waves_may_wait_for_a_decision_at_once() {
    let mut run = Run::started(&plan(vec![
        on_failure(FailurePolicy::Pause, wave("a", &[], &[1])),
        on_failure(FailurePolicy::Pause, wave("b", &[], &[2])),
    ]));
    run.answer(0, 0, refusal());
    run.answer(1, 0, refusal());
    assert_eq!(run.holds(), ["failed w0", "failed w1"]);

    run.hear(retry(0));
    assert_eq!(run.state(), ExecutionState::Paused);
    assert!(run.wants().is_empty());
    run.hear(skip(1));
    assert_eq!(run.wants(), ["launch/0/1/1"]);
}

#[test]
fn resume_lifts_what_it_may_and_the_reason_follows() {
    let mut run = Run::started(&plan(vec![
        on_failure(FailurePolicy::Pause, wave("a", &[], &[1])),
        wave("b", &["a"], &[2]),
    ]));
    run.hear(pause());
    run.answer(0, 0, refusal());
    assert_eq!(run.holds(), ["operator", "failed w0"]);

    assert_eq!(
        run.hear(Event::Resume),
        [
            "lift operator",
            "execution Paused (servers failed: servers failed: 1 of 1 failed, 0 tolerated)",
        ]
    );
    assert_eq!(run.refused(Event::Resume), Why::WaveUndecided);
}

/// Two that run at once, and one that waits for both.
fn siblings(policy: FailurePolicy) -> PlanDraft {
    plan(vec![
        on_failure(policy, wave("a", &[], &[1])),
        wave("b", &[], &[2]),
        wave("c", &["a", "b"], &[3]),
    ])
}
