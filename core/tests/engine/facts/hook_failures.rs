//! Failures of hooks themselves: the plan says by their kind what they mean.

use tidegate_core::{
    WaveIx,
    engine::{
        Event, ExecutionState, HookAnswer, HookOutcome, HookVerdict, ReasonCode, ServerState,
        WaveState,
    },
    plan::{
        DraftHook, DraftWave, FailurePolicy, HookFailure, HookFailureKind, HookPhase, PlanDraft,
    },
};

use crate::{
    drafts::{hook, hook_with, plan, wave},
    run::{Run, again, failing, pause, proceed, retry},
};

#[test]
fn a_failure_of_the_hook_itself_holds_or_aborts_but_never_proceeds() {
    for kind in HookFailureKind::ALL {
        let mut run = Run::started(&checked(vec![hook("ready")]));
        run.verdict(0, failing(kind, "broken"));
        assert_eq!(run.holds(), ["hook w0"], "{kind}");

        let mut run = Run::started(&checked(vec![DraftHook {
            on_failure: Some(HookFailure::Abort),
            ..hook("ready")
        }]));
        run.verdict(0, failing(kind, "broken"));
        assert_eq!(run.waves(), [WaveState::Failed], "{kind}");
        assert_eq!(run.servers(0), [ServerState::Skipped]);
        assert_eq!(
            run.execution.wave(WaveIx(0)).reason().to_string(),
            format!("a hook failed: ready ({kind}): broken")
        );
    }
}

#[test]
fn each_kind_has_its_answer() {
    let mut run = Run::started(&checked(vec![answering(&[
        (HookFailureKind::Trap, HookFailure::Abort),
        (HookFailureKind::Fuel, HookFailure::Hold),
    ])]));
    assert_eq!(
        run.verdict(0, failing(HookFailureKind::Fuel, "endless")),
        [
            "w0 hook Failed fuel \"endless\"",
            "hold hook w0 \"ready (fuel): endless\"",
            "execution Paused (a hook failed: ready (fuel): endless)",
        ]
    );
    run.hear(Event::Resume);
    run.verdict(0, failing(HookFailureKind::Trap, ""));
    assert_eq!(run.waves(), [WaveState::Failed]);
}

#[test]
fn a_failure_that_is_asked_again_waits_and_counts_as_a_retry() {
    let mut run = Run::started(&checked(vec![DraftHook {
        retries: Some(2),
        ..answering(&[(HookFailureKind::Host, HookFailure::Retry)])
    }]));
    let busy = || failing(HookFailureKind::Host, "busy");
    assert_eq!(
        run.verdict(0, busy()),
        ["w0 hook Retry +15s \"failed (host), to be asked again: busy\""]
    );
    assert!(run.pass(14).is_empty());
    assert_eq!(run.pass(1), ["w0 check hook 0 run 2"]);
    run.verdict(0, again(5, "not yet"));
    run.pass(5);
    assert_eq!(
        run.verdict(0, busy())[..2],
        [
            "w0 hook Failed host \"no verdict after 2 retries: busy\"",
            "hold hook w0 \"ready (host): no verdict after 2 retries: busy\"",
        ]
    );
}

#[test]
fn asking_again_ends_in_the_default_answer_and_never_in_a_waiver_of_another_kind() {
    let mut run = Run::started(&checked(vec![DraftHook {
        retries: Some(0),
        on_failure: Some(HookFailure::Abort),
        ..answering(&[
            (HookFailureKind::ContractMismatch, HookFailure::Retry),
            (HookFailureKind::Timeout, HookFailure::Waive),
        ])
    }]));
    run.verdict(0, failing(HookFailureKind::ContractMismatch, "v2"));
    assert_eq!(run.waves(), [WaveState::Failed]);

    let mut run = Run::started(&checked(vec![DraftHook {
        retries: Some(0),
        on_failure: Some(HookFailure::Retry),
        ..hook("ready")
    }]));
    run.verdict(0, failing(HookFailureKind::Trap, ""));
    assert_eq!(run.holds(), ["hook w0"]);
}

#[test]
fn a_waived_failure_goes_on_and_is_shown() {
    let waiver = answering(&[(HookFailureKind::Memory, HookFailure::Waive)]);
    let mut run = Run::started(&checked(vec![waiver, hook("second")]));
    assert_eq!(
        run.verdict(0, failing(HookFailureKind::Memory, "too large")),
        [
            "w0 hook Waived memory \"too large\"",
            "w0 check hook 1 run 1"
        ]
    );
    run.verdict(0, proceed());
    run.launches(0, 0);
    assert_eq!(run.waves(), [WaveState::SucceededWithWarnings]);
    assert_eq!(run.state(), ExecutionState::SucceededWithWarnings);
    let reason = run.execution.wave(WaveIx(0)).reason();
    assert_eq!(reason.code, ReasonCode::Tolerated);
    assert_eq!(&*reason.text, "hook ready waived (memory)");
}

#[test]
fn a_waiver_does_not_outlive_a_run_that_proceeds() {
    let mut run = Run::started(&plan(vec![DraftWave {
        verify: vec![
            answering(&[(HookFailureKind::Error, HookFailure::Waive)]),
            hook("second"),
        ],
        on_failure: Some(FailurePolicy::Pause),
        ..wave("db", &[], &[1])
    }]));
    run.launches(0, 0);
    run.verdict(0, failing(HookFailureKind::Error, ""));
    run.verdict(0, HookAnswer::bare(HookVerdict::Abort, "broken"));
    run.hear(retry(0));
    run.verdict(0, proceed());
    run.verdict(0, proceed());
    assert_eq!(run.waves(), [WaveState::Succeeded]);
}

#[test]
fn patience_that_is_used_up_is_a_timeout_however_it_was_used_up() {
    let patient = |draft| DraftHook {
        failure_answers: vec![(HookFailureKind::Timeout, HookFailure::Waive)],
        ..draft
    };
    let seldom = patient(DraftHook {
        retries: Some(0),
        ..hook("ready")
    });
    let short = patient(DraftHook {
        timeout: Some(tidegate_core::Span::from_secs(4)),
        ..hook("ready")
    });
    for draft in [seldom, short] {
        let mut run = Run::started(&checked(vec![draft]));
        let first = run.verdict(0, again(5, "not yet")).swap_remove(0);
        assert!(first.starts_with("w0 hook Waived timeout"), "{first}");
    }
}

#[test]
fn a_hook_that_wants_to_be_asked_at_once_waits_a_second() {
    let mut run = Run::started(&checked(vec![hook("ready")]));
    assert_eq!(run.verdict(0, again(0, "")), ["w0 hook Retry +1s"]);
    assert_eq!(run.pass(1), ["w0 check hook 0 run 2"]);
}

#[test]
fn a_failure_that_is_heard_while_pausing_is_asked_again_after_the_resume() {
    let mut run = Run::started(&checked(vec![answering(&[(
        HookFailureKind::Host,
        HookFailure::Retry,
    )])]));
    run.hear(pause());
    run.pass(10_000);
    assert_eq!(
        run.verdict(0, failing(HookFailureKind::Host, ""))[0],
        "w0 hook Retry +10015s \"failed (host), to be asked again\""
    );
    assert_eq!(run.state(), ExecutionState::Paused);
}

#[test]
fn what_earlier_hooks_came_to_can_be_read() {
    let waiver = answering(&[(HookFailureKind::Trap, HookFailure::Waive)]);
    let mut run = Run::started(&checked(vec![waiver, hook("second"), hook("third")]));
    run.verdict(0, failing(HookFailureKind::Trap, "unreachable"));
    run.verdict(0, proceed());
    let earlier = |hook| -> Vec<_> {
        let wave = run.execution.wave(WaveIx(0));
        let runs = wave.earlier_hooks(HookPhase::PreWave, tidegate_core::HookIx(hook));
        runs.map(|run| run.outcome.expect("it ended")).collect()
    };
    let waived = HookOutcome::Waived {
        kind: HookFailureKind::Trap,
    };
    assert_eq!(earlier(0), []);
    assert_eq!(earlier(1), [waived]);
    assert_eq!(earlier(2), [waived, HookOutcome::Proceed]);
}

fn answering(answers: &[(HookFailureKind, HookFailure)]) -> DraftHook {
    hook_with("ready", answers)
}

fn checked(check: Vec<DraftHook>) -> PlanDraft {
    plan(vec![DraftWave {
        check,
        ..wave("db", &[], &[1])
    }])
}
