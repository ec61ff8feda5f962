//! Skipping waves, whatever they are at.

use tidegate_core::{
    WaveIx,
    engine::{Action, ExecutionState, ServerState, WaveState, Why},
    plan::{DraftWave, PlanDraft},
};

use crate::{
    drafts::{hook, plan, wave},
    run::{Run, deferral, skip},
};

#[test]
fn what_waits_for_a_skipped_wave_still_waits_for_the_waves_before_it() {
    let mut run = Run::started(&chain());
    run.hear(skip(1));
    assert_eq!(run.waves()[2], WaveState::Waiting);
    assert_eq!(run.wants(), ["launch/0/0/1"]);

    run.launches(0, 0);
    assert_eq!(run.wants(), ["launch/2/0/1"]);
}

#[test]
fn skips_in_a_row_pass_on_what_they_waited_for() {
    let mut run = Run::new(&plan(vec![
        wave("a", &[], &[1]),
        wave("b", &["a"], &[2]),
        wave("c", &["b"], &[3]),
        wave("d", &["c", "a"], &[4]),
    ]));
    run.hear(skip(2));
    run.hear(skip(1));
    run.hear(tidegate_core::engine::Event::Start);
    assert_eq!(run.waves()[3], WaveState::Waiting);
    run.launches(0, 0);
    assert_eq!(run.wants(), ["launch/3/0/1"]);
}

#[test]
fn a_wave_that_drs_does_not_take_may_be_skipped() {
    let mut run = Run::started(&chain());
    assert_eq!(run.refused(skip(0)), Why::WavePastSkipping);
    run.answer(0, 0, deferral());
    assert_eq!(
        run.hear(skip(0))[..3],
        [
            "w0/0 abandoned (requested by an operator)",
            "w0 server 0 Skipped (requested by an operator)",
            "w0 Skipped (requested by an operator)",
        ]
    );
    assert_eq!(run.wants(), ["launch/1/0/1"]);
}

#[test]
fn a_wave_may_be_skipped_while_its_checks_run() {
    let mut run = Run::started(&plan(vec![DraftWave {
        verify: vec![hook("ping")],
        ..wave("db", &[], &[1])
    }]));
    run.launches(0, 0);
    assert_eq!(
        run.hear(skip(0)),
        [
            "w0 hook Dropped",
            "w0 Skipped (requested by an operator)",
            "execution SucceededWithWarnings (with tolerated failures)",
        ]
    );
    assert_eq!(run.servers(0), [ServerState::Launched]);
    assert_eq!(run.execution.launched().count(), 1);
}

#[test]
fn every_wave_may_be_skipped_before_the_start() {
    let mut run = Run::new(&chain());
    for wave in 0..3 {
        run.hear(skip(wave));
    }
    run.hear(tidegate_core::engine::Event::Start);
    assert_eq!(run.state(), ExecutionState::SucceededWithWarnings);
}

#[test]
fn a_wave_that_the_plan_does_not_have_is_refused_quietly() {
    let run = Run::started(&chain());
    assert!(!run.execution.allows(Action::SkipWave(WaveIx(99))));
    assert!(!run.execution.allows(Action::RetryWave(WaveIx(99))));
    assert_eq!(run.refused(skip(99)), Why::WavePastSkipping);
}

fn chain() -> PlanDraft {
    plan(vec![
        wave("a", &[], &[1]),
        wave("b", &["a"], &[2]),
        wave("c", &["b"], &[3]),
    ])
}
