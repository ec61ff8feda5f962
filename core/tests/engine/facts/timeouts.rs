//! Timeouts: time on hold does not count, and nothing that DRS still does is
//! forgotten.

use tidegate_core::{
    ServerIx, Span,
    engine::{Event, ExecutionState, ServerState, WaveState, Why},
    plan::{DraftHook, DraftWave, FailurePolicy, PlanDraft},
};

use crate::{
    drafts::{hook, plan, wave},
    run::{BEGINNING, Run, again, deferral, pause, retry},
};

#[test]
fn time_on_hold_does_not_count() {
    let mut run = Run::started(&limited(FailurePolicy::Stop));
    run.accept(0, 0);
    run.pass(50);
    run.hear(pause());
    assert!(run.pass(1_000).is_empty());
    run.hear(Event::Resume);
    assert!(run.pass(49).is_empty());
    assert_eq!(
        run.pass(1)[..2],
        ["w0 server 0 Failed (timed out)", "w0 Failed (timed out)"]
    );
}

#[test]
fn time_on_hold_before_the_start_does_not_lengthen_anything() {
    let mut run = Run::new(&PlanDraft {
        timeout: Some(Span::from_secs(100)),
        ..plan(vec![wave("db", &[], &[1])])
    });
    run.hear(pause());
    run.pass(1_000);
    run.hear(Event::Start);
    run.pass(10);
    run.hear(Event::Resume);
    let due = run.execution.next_deadline().expect("time is limited").at;
    assert_eq!(due.since(BEGINNING), Span::from_secs(1_110));
}

#[test]
fn time_on_hold_does_not_count_against_a_hook() {
    let mut run = Run::started(&plan(vec![DraftWave {
        check: vec![DraftHook {
            timeout: Some(Span::from_secs(30)),
            ..hook("ready")
        }],
        ..wave("db", &[], &[1])
    }]));
    assert_eq!(run.verdict(0, again(10, "")), ["w0 hook Retry +10s"]);
    run.hear(pause());
    run.pass(1_000);
    run.hear(Event::Resume);
    assert_eq!(run.verdict(0, again(10, "")), ["w0 hook Retry +1010s"]);
    run.pass(10);
    for due in [1_020, 1_030] {
        let line = format!("w0 hook Retry +{due}s");
        assert_eq!(run.verdict(0, again(10, "")), [line]);
        run.pass(10);
    }
    assert_eq!(
        run.verdict(0, again(10, ""))[..2],
        [
            "w0 hook Failed timeout \"no verdict within 30 s\"",
            "hold hook w0 \"ready (timeout): no verdict within 30 s\"",
        ]
    );
}

#[test]
fn an_instance_that_comes_too_late_is_recorded_and_not_asked_for_again() {
    let mut run = Run::started(&limited(FailurePolicy::Pause));
    run.accept(0, 0);
    run.pass(100);
    assert_eq!(run.waves(), [WaveState::Failed]);
    assert_eq!(run.state(), ExecutionState::Pausing);
    assert_eq!(run.wants(), ["follow/0/0"]);
    assert_eq!(run.refused(retry(0)), Why::JobRuns);

    run.job(0, 0, true, &[(ServerIx(0), ServerState::Launched)]);
    assert_eq!(run.servers(0), [ServerState::Launched]);
    assert_eq!(run.execution.launched().count(), 1);
    assert_eq!(run.state(), ExecutionState::Paused);

    assert_eq!(
        run.hear(retry(0))[1..3],
        ["w0 Verifying (requested by an operator)", "w0 Succeeded"]
    );
}

#[test]
fn an_execution_that_runs_out_of_time_follows_its_jobs_and_fails() {
    let mut run = Run::started(&PlanDraft {
        timeout: Some(Span::from_secs(100)),
        ..plan(vec![
            wave("a", &[], &[1]),
            wave("b", &[], &[2]),
            wave("c", &["a"], &[3]),
        ])
    });
    run.accept(0, 0);
    run.answer(1, 0, deferral());
    run.pass(100);
    assert_eq!(
        run.waves(),
        [
            WaveState::Recovering,
            WaveState::Cancelled,
            WaveState::Cancelled
        ]
    );
    assert_eq!(run.refused(pause()), Why::Ending);
    run.ends(0, 0, ServerState::Launched);
    assert_eq!(run.state(), ExecutionState::Failed);
    assert_eq!(run.execution.launched().count(), 1);
}

#[test]
fn a_wave_that_times_out_gives_up_what_drs_has_not_taken() {
    let mut run = Run::started(&limited(FailurePolicy::Stop));
    run.answer(0, 0, deferral());
    run.pass(100);
    assert_eq!(run.servers(0), [ServerState::Failed]);
    assert_eq!(run.state(), ExecutionState::Failed);
}

#[test]
fn of_two_waves_that_are_late_at_once_the_second_waits_for_the_decision() {
    let late = |name: &str, server| DraftWave {
        timeout: Some(Span::from_secs(100)),
        on_failure: Some(FailurePolicy::Pause),
        ..wave(name, &[], &[server])
    };
    let mut run = Run::started(&plan(vec![late("a", 1), late("b", 2)]));
    run.answer(0, 0, deferral());
    run.answer(1, 0, deferral());
    run.pass(100);
    assert_eq!(run.waves(), [WaveState::Failed, WaveState::Launching]);
    run.hear(retry(0));
    assert_eq!(run.waves(), [WaveState::Launching, WaveState::Failed]);
    assert_eq!(run.holds(), ["failed w1"]);
}

#[test]
fn a_hold_keeps_an_execution_from_timing_out() {
    let mut run = Run::started(&PlanDraft {
        timeout: Some(Span::from_secs(100)),
        ..plan(vec![wave("db", &[], &[1])])
    });
    run.hear(pause());
    assert!(run.pass(500).is_empty());
    run.launches(0, 0);
    assert_eq!(run.state(), ExecutionState::Succeeded);
}

fn limited(policy: FailurePolicy) -> PlanDraft {
    plan(vec![DraftWave {
        timeout: Some(Span::from_secs(100)),
        on_failure: Some(policy),
        ..wave("db", &[], &[1])
    }])
}
