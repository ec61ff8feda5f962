//! What may fail without failing a wave, and what is only a warning.

use std::sync::Arc;

use tidegate_core::{
    LaunchIx, ServerIx, WaveIx,
    engine::{Event, ExecutionState, ServerState, WaveState},
    plan::DraftWave,
};

use crate::{
    drafts::{plan, wave},
    run::Run,
};

#[test]
fn a_failed_server_does_not_hide_its_siblings() {
    let mut run = Run::started(&plan(vec![wave("db", &[], &[1, 2])]));
    run.accept(0, 0);
    assert_eq!(
        run.job(0, 0, false, &[(ServerIx(0), ServerState::Failed)]),
        ["w0 server 0 Failed"]
    );
    assert_eq!(run.waves(), [WaveState::Recovering]);
    run.job(0, 0, true, &[(ServerIx(1), ServerState::Launched)]);
    assert_eq!(run.waves(), [WaveState::Failed]);
    assert_eq!(run.servers(0), [ServerState::Failed, ServerState::Launched]);
}

#[test]
fn as_many_servers_as_tolerated_may_fail() {
    let mut run = Run::started(&plan(vec![DraftWave {
        tolerance: 1,
        ..wave("db", &[], &[1, 2])
    }]));
    run.accept(0, 0);
    run.job(
        0,
        0,
        true,
        &[
            (ServerIx(0), ServerState::Failed),
            (ServerIx(1), ServerState::Launched),
        ],
    );
    assert_eq!(run.waves(), [WaveState::SucceededWithWarnings]);
    assert_eq!(run.state(), ExecutionState::SucceededWithWarnings);
}

#[test]
fn an_optional_server_does_not_count() {
    let mut draft = wave("db", &[], &[1, 2]);
    draft.groups[0].servers[0].optional = true;
    let mut run = Run::started(&plan(vec![draft]));
    run.accept(0, 0);
    run.job(0, 0, true, &[(ServerIx(1), ServerState::Launched)]);
    assert_eq!(run.servers(0), [ServerState::Failed, ServerState::Launched]);
    assert_eq!(run.waves(), [WaveState::SucceededWithWarnings]);
}

#[test]
fn a_job_that_ends_says_nothing_of_servers_that_it_does_not_name() {
    let mut run = Run::started(&plan(vec![wave("db", &[], &[1])]));
    run.accept(0, 0);
    assert_eq!(
        run.job(0, 0, true, &[])[..2],
        [
            "w0/0 ended job-0-0",
            "w0 server 0 Failed (the DRS job ended without a result for this server)",
        ]
    );
}

#[test]
fn an_instance_that_is_gone_again_was_not_recovered() {
    let mut run = Run::started(&plan(vec![wave("db", &[], &[1])]));
    run.accept(0, 0);
    run.ends(0, 0, ServerState::Terminated);
    assert_eq!(run.servers(0), [ServerState::Failed]);
    assert_eq!(run.state(), ExecutionState::Failed);
}

#[test]
fn a_warning_shows_in_the_verdict_and_is_recorded_once() {
    let mut run = Run::started(&plan(vec![wave("db", &[], &[1])]));
    run.accept(0, 0);
    let mut report = run.report(0, 0, false, &[(ServerIx(0), ServerState::Launched)]);
    report.servers[0].warnings = vec![Arc::from("USING_PREVIOUS_SNAPSHOT")];
    let heard = Event::JobObserved {
        wave: WaveIx(0),
        launch: LaunchIx(0),
        report,
    };
    assert_eq!(
        run.hear(heard.clone()),
        [
            "w0 server 0 warned \"USING_PREVIOUS_SNAPSHOT\"",
            "w0 server 0 Launched i-0-0",
        ]
    );
    assert!(run.hear(heard).is_empty());
    run.job(0, 0, true, &[]);
    assert_eq!(run.state(), ExecutionState::SucceededWithWarnings);
}
