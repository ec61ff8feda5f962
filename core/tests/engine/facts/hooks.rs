//! Hooks: every verdict on both sides of the launch.

use std::sync::Arc;

use tidegate_core::{
    Span,
    engine::{Event, ExecutionState, HookAnswer, ServerState, WaveState},
    plan::{DraftWave, FailurePolicy, HookFailure, HookPhase, PlanDraft},
};

use crate::{
    drafts::{hook, hook_that, plan, wave},
    run::{Run, hook_answered, pause, proceed, retry},
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
fn hold_waits_for_a_person_and_a_resume_runs_the_hook_again() {
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
            "w0 hook Failed \"a wave cannot be skipped after its launch\"",
            "hold hook w0 \"a wave cannot be skipped after its launch\"",
        ]
    );
}

#[test]
fn abort_fails_the_wave_and_a_retry_runs_the_checks_again() {
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
fn a_failure_of_the_hook_itself_holds_or_aborts_but_never_proceeds() {
    let failed = || HookAnswer::Failed {
        message: Arc::from("trap"),
    };
    let mut run = Run::started(&checked(HookFailure::Hold));
    run.verdict(0, failed());
    assert_eq!(run.holds(), ["hook w0"]);

    let mut run = Run::started(&checked(HookFailure::Abort));
    run.verdict(0, failed());
    assert_eq!(run.waves(), [WaveState::Failed]);
    assert_eq!(run.servers(0), [ServerState::Skipped]);
}

#[test]
fn retries_wait_and_are_used_up() {
    let mut run = Run::started(&checked(HookFailure::Hold));
    assert_eq!(run.verdict(0, again()), ["w0 hook Retry +3s \"not yet\""]);
    assert!(run.wants().is_empty());
    assert!(run.pass(2).is_empty());
    assert_eq!(run.pass(1), ["w0 check hook 0 run 2"]);
    assert_eq!(
        run.verdict(0, again()),
        [
            "w0 hook Failed \"no verdict after 1 retries: not yet\"",
            "hold hook w0 \"no verdict after 1 retries: not yet\"",
            "execution Paused (decided by a hook: no verdict after 1 retries: not yet)",
        ]
    );
}

#[test]
fn a_retry_that_falls_due_on_hold_waits_for_the_resume() {
    let mut run = Run::started(&checked(HookFailure::Hold));
    run.verdict(0, again());
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
    let message = Arc::from("look");
    HookAnswer::Hold { message }
}

fn skip() -> HookAnswer {
    let message = Arc::from("nothing to do");
    HookAnswer::Skip { message }
}

fn abort() -> HookAnswer {
    let message = Arc::from("broken");
    HookAnswer::Abort { message }
}

fn again() -> HookAnswer {
    HookAnswer::Retry {
        after: Span::from_secs(3),
        message: Arc::from("not yet"),
    }
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
