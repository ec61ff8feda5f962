//! Pause: nothing new is offered, and what is in flight is heard.

use tidegate_core::{
    engine::{Event, ExecutionState, ServerState, WaveState, Why},
    plan::{DraftWave, PlanDraft},
};

use crate::{
    drafts::{hook, plan, wave},
    run::{Run, pause, proceed, retry},
};

#[test]
fn a_pause_before_the_start_is_honoured_before_the_first_wave() {
    let mut run = Run::new(&one());
    assert_eq!(run.hear(pause()), ["hold operator"]);

    assert_eq!(
        run.hear(Event::Start),
        [
            "execution Running",
            "execution Paused (requested by an operator)"
        ]
    );
    assert_eq!(run.waves(), [WaveState::Waiting]);
    assert!(run.wants().is_empty());
    assert_eq!(run.execution.next_deadline(), None);
}

#[test]
fn pause_lets_inflight_launches_finish_and_offers_nothing_new() {
    let mut run = Run::started(&two());
    assert_eq!(
        run.hear(pause()),
        [
            "hold operator",
            "execution Pausing (requested by an operator)"
        ]
    );
    assert_eq!(run.wants(), ["launch/0/0/1"]);

    assert_eq!(run.accept(0, 0), ["w0/0 running job-0-0", "w0 Recovering"]);
    assert_eq!(
        run.ends(0, 0, ServerState::Launched),
        [
            "w0 server 0 Launched i-0-0",
            "w0/0 ended job-0-0",
            "w0 Verifying",
            "w0 Succeeded",
            "execution Paused (requested by an operator)",
        ]
    );
    assert!(run.wants().is_empty());

    assert_eq!(
        run.hear(Event::Resume),
        [
            "lift operator",
            "w1 Checking",
            "w1 selected 1 servers",
            "w1 Launching",
            "w1 attempt 1",
            "w1 queue us-west-2 [0]",
            "execution Running",
            "w1/0 asking 1",
            "w1 server 0 Requested",
        ]
    );
}

#[test]
fn a_plan_of_one_wave_pauses_before_its_checks() {
    let mut run = Run::started(&PlanDraft {
        waves: vec![DraftWave {
            verify: vec![hook("ping")],
            ..wave("db", &[], &[1])
        }],
        ..one()
    });
    run.hear(pause());
    run.launches(0, 0);
    assert_eq!(run.waves(), [WaveState::Verifying]);
    assert_eq!(run.state(), ExecutionState::Paused);
    assert!(run.wants().is_empty());

    assert_eq!(
        run.hear(Event::Resume),
        [
            "lift operator",
            "w0 verify hook 0 run 1",
            "execution Running"
        ]
    );
}

#[test]
fn a_hook_that_runs_is_heard_while_pausing() {
    let mut run = Run::started(&checked());
    run.hear(pause());
    assert_eq!(run.state(), ExecutionState::Pausing);

    assert_eq!(
        run.verdict(0, proceed()),
        [
            "w0 hook Proceed",
            "execution Paused (requested by an operator)"
        ]
    );
    assert!(run.wants().is_empty());
    assert_eq!(run.waves(), [WaveState::Checking]);
}

#[test]
fn a_planned_pause_waits_for_a_resume() {
    let mut run = Run::new(&PlanDraft {
        waves: vec![DraftWave {
            pause_before: true,
            ..wave("db", &[], &[1])
        }],
        ..one()
    });
    assert_eq!(
        run.hear(Event::Start),
        [
            "execution Running",
            "w0 Gated (planned pause)",
            "hold planned w0 \"before wave db\"",
            "execution Paused (planned pause: before wave db)",
        ]
    );
    assert_eq!(
        run.hear(Event::Resume)[..3],
        [
            "lift planned w0 \"before wave db\"",
            "w0 gate open",
            "w0 Checking"
        ]
    );
}

#[test]
fn a_planned_pause_also_holds_a_sibling_that_has_not_taken_its_first_step() {
    let mut run = Run::started(&plan(vec![
        wave("db", &[], &[1]),
        DraftWave {
            pause_before: true,
            ..wave("web", &[], &[2])
        },
    ]));
    assert_eq!(run.waves(), [WaveState::Checking, WaveState::Gated]);
    assert!(run.wants().is_empty());
    run.hear(Event::Resume);
    assert_eq!(run.wants(), ["launch/0/0/1", "launch/1/0/1"]);
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let mut run = Run::started(&two());
    assert_eq!(run.refused(Event::Resume), Why::NothingToResume);
    run.hear(pause());
    assert_eq!(run.refused(pause()), Why::AlreadyPaused);
    run.hear(Event::Resume);
    assert_eq!(run.refused(Event::Resume), Why::NothingToResume);
    assert_eq!(run.refused(Event::Start), Why::Begun);
    assert_eq!(run.refused(retry(0)), Why::WaveNotFailed);
    assert_eq!(run.refused(retry(99)), Why::WaveNotFailed);
}

#[test]
fn the_last_wave_of_a_paused_execution_may_end_it() {
    let mut run = Run::started(&one());
    run.hear(pause());
    run.launches(0, 0);
    assert_eq!(run.state(), ExecutionState::Succeeded);
    assert!(run.holds().is_empty());
}

fn one() -> PlanDraft {
    plan(vec![wave("db", &[], &[1])])
}

fn two() -> PlanDraft {
    plan(vec![wave("db", &[], &[1]), wave("web", &["db"], &[2])])
}

fn checked() -> PlanDraft {
    plan(vec![DraftWave {
        check: vec![hook("ready")],
        ..wave("db", &[], &[1])
    }])
}
