//! The time that all hooks of one phase of a wave may take together.

use tidegate_core::{
    Span, WaveIx,
    engine::{Deadline, DeadlineReason, Event, WaveState},
    plan::{DraftHook, DraftWave, HookFailure, HookFailureKind, PlanDraft},
};

use crate::{
    drafts::{hook, hook_with, plan, wave},
    run::{BEGINNING, Run, again, failing, pause, proceed},
};

const OVER: &str = "the hooks of this phase may take 60 s together, which is over";

#[test]
fn a_hook_that_runs_when_the_time_is_over_has_timed_out() {
    let mut run = Run::started(&gated(vec![hook("ready"), hook("ping")]));
    run.pass(40);
    run.verdict(0, proceed());
    assert_eq!(due(&run), Some(60));
    assert!(run.pass(19).is_empty());
    assert_eq!(
        run.pass(1),
        [
            format!("w0 hook Failed timeout {OVER:?}"),
            format!("hold hook w0 \"ping (timeout): {OVER}\""),
            format!("execution Paused (a hook failed: ping (timeout): {OVER})"),
        ]
    );
    assert!(run.wants().is_empty());
}

#[test]
fn a_person_who_goes_on_grants_the_time_anew() {
    let mut run = Run::started(&gated(vec![hook("ready")]));
    run.pass(60);
    run.pass(1_000);
    run.hear(Event::Resume);
    assert_eq!(run.wants(), ["check/0/0/2"]);
    assert_eq!(due(&run), Some(1_120));
}

#[test]
fn time_on_hold_does_not_count_against_the_hooks_of_a_phase() {
    let mut run = Run::started(&gated(vec![hook("ready"), hook("ping")]));
    run.pass(10);
    run.hear(pause());
    run.pass(500);
    assert_eq!(due(&run), None);
    run.verdict(0, proceed());
    run.pass(490);
    run.hear(Event::Resume);
    assert_eq!(due(&run), Some(1_050));
}

#[test]
fn a_hook_that_is_heard_on_hold_has_the_time_that_was_left() {
    let mut run = Run::started(&gated(vec![hook("ready")]));
    run.pass(10);
    run.hear(pause());
    run.pass(1_000);
    assert_eq!(run.verdict(0, again(49, ""))[0], "w0 hook Retry +1059s");
    let mut run = Run::started(&gated(vec![hook("ready")]));
    run.pass(10);
    run.hear(pause());
    run.pass(1_000);
    assert_eq!(
        run.verdict(0, again(50, ""))[0],
        "w0 hook Failed timeout \"no verdict within the 60 s of all hooks of this phase\""
    );
}

#[test]
fn a_retry_that_would_come_too_late_is_not_waited_for() {
    let mut run = Run::started(&gated(vec![hook("ready"), hook("ping")]));
    run.pass(30);
    run.verdict(0, proceed());
    let first = run.verdict(0, again(30, "not yet")).swap_remove(0);
    assert_eq!(
        first,
        "w0 hook Failed timeout \"no verdict within the 60 s of all hooks of this phase: not yet\""
    );
}

#[test]
fn hooks_that_are_still_to_be_run_fail_with_the_one_that_took_the_time() {
    let waived = || hook_with("ready", &[(HookFailureKind::Timeout, HookFailure::Waive)]);
    let mut run = Run::started(&gated(vec![waived(), waived(), hook("last")]));
    assert_eq!(
        run.pass(60)[..6],
        [
            format!("w0 hook Waived timeout {OVER:?}"),
            "w0 check hook 1 run 1".to_string(),
            format!("w0 hook Waived timeout {OVER:?}"),
            "w0 check hook 2 run 1".to_string(),
            format!("w0 hook Failed timeout {OVER:?}"),
            format!("hold hook w0 \"last (timeout): {OVER}\""),
        ]
    );
}

#[test]
fn a_hook_is_not_asked_again_when_the_time_is_over() {
    let mut run = Run::started(&gated(vec![DraftHook {
        on_failure: Some(HookFailure::Retry),
        ..hook("ready")
    }]));
    run.pass(46);
    run.verdict(0, failing(HookFailureKind::Trap, ""));
    assert_eq!(run.holds(), ["hook w0"]);
    run.hear(Event::Resume);
    run.pass(60);
    assert_eq!(run.holds(), ["hook w0"]);
}

#[test]
fn each_phase_has_its_own_time() {
    let mut run = Run::started(&plan(vec![DraftWave {
        check: vec![hook("ready")],
        verify: vec![hook("ping")],
        gate_timeout: Some(Span::from_secs(60)),
        ..wave("db", &[], &[1])
    }]));
    run.pass(50);
    run.verdict(0, proceed());
    run.pass(500);
    run.launches(0, 0);
    assert_eq!(due(&run), Some(610));
    run.verdict(0, proceed());
    assert_eq!(run.waves(), [WaveState::Succeeded]);
}

#[test]
fn a_tick_that_comes_late_ends_a_hook_that_was_to_be_asked_again() {
    let mut run = Run::started(&gated(vec![hook("ready")]));
    run.verdict(0, again(30, "not yet"));
    assert_eq!(
        run.pass(70)[..2],
        [
            "w0 check hook 0 run 2".to_string(),
            format!("w0 hook Failed timeout {OVER:?}"),
        ]
    );
}

/// When the time of the first wave's hooks is over, in seconds from the
/// beginning.
fn due(run: &Run) -> Option<u64> {
    let Deadline { at, reason } = run.execution.next_deadline()?;
    assert_eq!(reason, DeadlineReason::GateTimeout(WaveIx(0)));
    assert_eq!(run.execution.gate_deadline(WaveIx(0)), Some(at));
    Some(at.since(BEGINNING).as_millis() / 1000)
}

fn gated(check: Vec<DraftHook>) -> PlanDraft {
    plan(vec![DraftWave {
        check,
        gate_timeout: Some(Span::from_secs(60)),
        ..wave("db", &[], &[1])
    }])
}
