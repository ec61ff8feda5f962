//! Hooks: every verdict on both sides of the launch.

use tidegate_core::{
    engine::{Event, ExecutionState, HookAnswer, HookVerdict, ServerState, WaveState},
    plan::{DraftWave, FailurePolicy, HookFailure, HookPhase, PlanDraft},
};

use crate::{
    drafts::{hook, hook_that, plan, wave},
    run::{Run, again, hook_answered, pause, proceed, retry},
};

#[test]
fn hooks_run_one_after_the_other_and_a_late_answer_changes_nothing() {
    let mut run = Run::started(&plan(vec![DraftWave {
        check: vec![hook("first"), hook("second")],
        ..wave("db", &[], &[1])
    }]));
    assert_eq!(run.wants(), ["check/0/0/1"]);
    assert_eq!(
        run.verdict(0, proceed()),
        ["w0 hook Proceed", "w0 check hook 1 run 1"]
    );
    let late = hook_answered(0, HookPhase::PreWave, 1, abort());
    assert!(run.hear(late).is_empty());
    run.verdict(0, proceed());
    assert_eq!(run.wants(), ["launch/0/0/1"]);
}

#[test]
fn hold_waits_for_a_person_and_a_resume_runs_the_hook_not_yet() {
    let mut run = Run::started(&checked(HookFailure::Hold));
    assert_eq!(
        run.verdict(0, hold()),
        [
            "w0 hook Hold \"look\"",
            "hold hook w0 \"look\"",
            "execution Paused (decided by a hook: look)",
        ]
    );
    assert_eq!(
        run.hear(Event::Resume),
        [
            "lift hook w0 \"look\"",
            "w0 check hook 0 run 2",
            "execution Running"
        ]
    );
}

#[test]
fn skip_before_the_launch_skips_the_wave() {
    let mut run = Run::started(&checked(HookFailure::Hold));
    run.verdict(0, skip());
    assert_eq!(run.waves(), [WaveState::Skipped]);
    assert_eq!(run.servers(0), [ServerState::Skipped]);
    assert_eq!(run.state(), ExecutionState::SucceededWithWarnings);
}

#[test]
fn skip_after_the_launch_is_a_failure_of_the_hook() {
    let mut run = Run::started(&verified(FailurePolicy::Stop));
    run.launches(0, 0);
    assert_eq!(
        run.verdict(0, skip())[..2],
        [
            "w0 hook Failed bad-output \"a wave cannot be skipped after its launch: nothing to do\"",
            "hold hook w0 \"ping (bad-output): a wave cannot be skipped after its launch: nothing to do\"",
        ]
    );
}

#[test]
fn abort_fails_the_wave_and_a_retry_runs_the_checks_not_yet() {
    let mut run = Run::started(&verified(FailurePolicy::Pause));
    run.launches(0, 0);
    run.verdict(0, abort());
    assert_eq!(run.waves(), [WaveState::Failed]);
    assert_eq!(
        run.hear(retry(0))[1..],
        [
            "w0 Verifying (requested by an operator)",
            "w0 verify hook 0 run 2",
            "execution Running",
        ]
    );
    run.verdict(0, proceed());
    assert_eq!(run.state(), ExecutionState::Succeeded);
}

#[test]
fn retries_wait_and_are_used_up() {
    let mut run = Run::started(&checked(HookFailure::Hold));
    assert_eq!(run.verdict(0, not_yet()), ["w0 hook Retry +3s \"not yet\""]);
    assert!(run.wants().is_empty());
    assert!(run.pass(2).is_empty());
    assert_eq!(run.pass(1), ["w0 check hook 0 run 2"]);
    assert_eq!(
        run.verdict(0, not_yet()),
        [
            "w0 hook Failed timeout \"no verdict after 1 retries: not yet\"",
            "hold hook w0 \"ready (timeout): no verdict after 1 retries: not yet\"",
            "execution Paused (a hook failed: ready (timeout): no verdict after 1 retries: not yet)",
        ]
    );
}

#[test]
fn a_retry_that_falls_due_on_hold_waits_for_the_resume() {
    let mut run = Run::started(&checked(HookFailure::Hold));
    run.verdict(0, not_yet());
    run.hear(pause());
    assert!(run.pass(60).is_empty());
    assert_eq!(
        run.hear(Event::Resume),
        [
            "lift operator",
            "w0 check hook 0 run 2",
            "execution Running"
        ]
    );
}

#[test]
fn one_resume_lifts_the_holds_of_several_hooks() {
    let held = |name: &str, server| DraftWave {
        check: vec![hook("ready")],
        ..wave(name, &[], &[server])
    };
    let mut run = Run::started(&plan(vec![held("a", 1), held("b", 2)]));
    run.verdict(0, hold());
    run.verdict(1, hold());
    assert_eq!(run.holds(), ["hook w0", "hook w1"]);
    run.hear(Event::Resume);
    assert_eq!(run.wants(), ["check/0/0/2", "check/1/0/2"]);
}

fn hold() -> HookAnswer {
    HookAnswer::bare(HookVerdict::Hold, "look")
}

fn skip() -> HookAnswer {
    HookAnswer::bare(HookVerdict::Skip, "nothing to do")
}

fn abort() -> HookAnswer {
    HookAnswer::bare(HookVerdict::Abort, "broken")
}

fn not_yet() -> HookAnswer {
    again(3, "not yet")
}

fn checked(on_failure: HookFailure) -> PlanDraft {
    plan(vec![DraftWave {
        check: vec![hook_that("ready", on_failure, 1)],
        ..wave("db", &[], &[1])
    }])
}

fn verified(policy: FailurePolicy) -> PlanDraft {
    plan(vec![DraftWave {
        verify: vec![hook("ping")],
        on_failure: Some(policy),
        ..wave("db", &[], &[1])
    }])
}
