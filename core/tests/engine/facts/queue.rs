//! Launches wait for their turn under the quotas of DRS.

use tidegate_core::{
    Span, WaveIx,
    engine::{
        Action, Event, ExecutionState, JobReport, Launch, LaunchAnswer, ServerState, WaveState, Why,
    },
    plan::{DraftWave, FailurePolicy, PlanDraft},
};

use crate::{
    drafts::{plan, retry as retries, wave},
    run::{
        BEGINNING, Run, admitted, cancel, deferral, job_id, launch_answered, over_quota, pause,
        refusal, skip, too_large, unknown,
    },
};

#[test]
fn a_launch_waits_for_its_turn_and_drs_is_not_asked_before() {
    let mut run = Run::queueing(&one());
    assert_eq!(run.waves(), [WaveState::Launching]);
    assert_eq!(run.servers(0), [ServerState::Pending; 3]);
    assert_eq!(run.wants(), ["admit/0/0/1"]);

    assert_eq!(
        run.hear(admitted(0, 0, 1)),
        [
            "w0/0 asking 1",
            "w0 server 0 Requested",
            "w0 server 1 Requested",
            "w0 server 2 Requested",
        ]
    );
    assert_eq!(run.wants(), ["launch/0/0/1"]);
    assert!(run.hear(admitted(0, 0, 1)).is_empty());
}

#[test]
fn the_intent_is_as_old_as_the_turn() {
    let mut run = Run::queueing(&one());
    run.pass(50);
    run.hear(admitted(0, 0, 1));
    let turn = BEGINNING + Span::from_secs(50);
    assert_eq!(launch(&run, 0).intended_at, turn);

    run.answer(0, 0, over_quota());
    run.pass(50);
    run.hear(admitted(0, 0, 2));
    assert_eq!(launch(&run, 0).intended_at, turn);
}

#[test]
fn a_full_quota_is_no_failure_and_the_launch_waits_again() {
    let mut run = Run::queueing(&one());
    run.hear(admitted(0, 0, 1));
    assert_eq!(
        run.answer(0, 0, over_quota()),
        ["w0/0 queued 2 (a quota of DRS is full: 20 jobs run)"]
    );
    assert_eq!(run.wants(), ["admit/0/0/2"]);
    assert!(run.hear(admitted(0, 0, 1)).is_empty());
    assert_eq!(run.hear(admitted(0, 0, 2)), ["w0/0 asking 2"]);
}

#[test]
fn a_deferred_launch_waits_for_its_turn_when_its_wait_is_over() {
    let mut run = Run::queueing(&one());
    run.hear(admitted(0, 0, 1));
    run.answer(0, 0, deferral());
    assert_eq!(run.pass(2), ["w0/0 queued 2"]);
    assert_eq!(run.wants(), ["admit/0/0/2"]);
}

#[test]
fn what_waits_for_its_turn_is_not_in_flight() {
    let mut run = Run::queueing(&one());
    run.hear(pause());
    assert_eq!(run.state(), ExecutionState::Paused);
    assert!(run.wants().is_empty());
    assert!(run.hear(admitted(0, 0, 1)).is_empty());
    assert!(run.hear(too_large(0, 0, 1, 1)).is_empty());

    run.hear(Event::Resume);
    assert_eq!(run.wants(), ["admit/0/0/1"]);
}

#[test]
fn a_new_owner_finds_a_queued_launch_where_it_was() {
    let mut run = Run::queueing(&one());
    assert_eq!(run.owner("b"), ["owner b epoch 1"]);
    assert_eq!(run.wants(), ["admit/0/0/1"]);
}

#[test]
fn cancel_drops_what_waits_for_its_turn() {
    let mut run = Run::queueing(&one());
    run.hear(cancel());
    assert_eq!(run.state(), ExecutionState::Cancelled);
    assert_eq!(run.servers(0), [ServerState::Skipped; 3]);
    assert!(run.hear(admitted(0, 0, 1)).is_empty());
}

#[test]
fn a_wave_that_waits_for_its_turn_may_be_skipped() {
    let mut run = Run::queueing(&one());
    assert!(run.execution.allows(Action::SkipWave(WaveIx(0))));
    run.hear(skip(0));
    assert_eq!(run.state(), ExecutionState::SucceededWithWarnings);

    let mut run = Run::queueing(&one());
    run.hear(admitted(0, 0, 1));
    assert_eq!(run.refused(skip(0)), Why::WavePastSkipping);
}

#[test]
fn time_runs_out_for_a_wave_that_waits_for_its_turn() {
    let mut run = Run::queueing(&plan(vec![DraftWave {
        timeout: Some(Span::from_secs(60)),
        on_failure: Some(FailurePolicy::Pause),
        ..wave("db", &[], &[1])
    }]));
    run.pass(60);
    assert_eq!(run.waves(), [WaveState::Failed]);
    assert!(run.wants().is_empty());

    run.hear(crate::run::retry(0));
    assert_eq!(run.wants(), ["admit/0/1/1"]);
}

#[test]
fn an_answer_over_quota_after_the_end_of_a_wave_is_its_last() {
    let mut run = Run::queueing(&plan(vec![DraftWave {
        timeout: Some(Span::from_secs(60)),
        ..wave("db", &[], &[1])
    }]));
    run.hear(admitted(0, 0, 1));
    run.pass(60);
    run.answer(0, 0, over_quota());
    assert_eq!(run.state(), ExecutionState::Failed);
}

#[test]
fn a_lost_answer_is_still_settled_by_looking() {
    let mut run = Run::queueing(&one());
    run.hear(admitted(0, 0, 1));
    run.answer(0, 0, unknown());
    assert_eq!(run.wants(), ["look/0/0/1"]);
    assert_eq!(
        run.hear(launch_answered(0, 0, 1, over_quota())),
        ["w0/0 queued 2 (a quota of DRS is full: 20 jobs run)"]
    );
}

#[test]
fn a_launch_with_too_many_servers_is_queued_in_parts() {
    let mut run = Run::queueing(&one());
    assert!(run.hear(too_large(0, 0, 1, 3)).is_empty());
    assert_eq!(
        run.hear(too_large(0, 0, 1, 2)),
        [
            "w0/0 abandoned (a quota of DRS is full: 3 servers, 2 in one job)",
            "w0 queue us-west-2 [0, 1]",
            "w0 queue us-west-2 [2]",
        ]
    );
    assert_eq!(run.wants(), ["admit/0/1/1", "admit/0/2/1"]);
    run.admits = true;
    run.hear(Event::Tick);
    run.launches(0, 1);
    run.launches(0, 2);
    assert_eq!(run.state(), ExecutionState::Succeeded);
}

#[test]
fn parts_of_a_launch_that_drs_found_too_large_have_not_been_asked_for() {
    let mut run = Run::queueing(&one());
    run.hear(admitted(0, 0, 1));
    run.answer(0, 0, over_quota());
    run.hear(too_large(0, 0, 2, 2));
    assert_eq!(run.servers(0), [ServerState::Pending; 3]);
    run.hear(admitted(0, 1, 1));
    let asked = [
        ServerState::Requested,
        ServerState::Requested,
        ServerState::Pending,
    ];
    assert_eq!(run.servers(0), asked);
}

#[test]
fn a_late_answer_to_a_launch_in_parts_changes_nothing() {
    let mut run = Run::queueing(&one());
    run.hear(admitted(0, 0, 1));
    run.answer(0, 0, over_quota());
    run.hear(too_large(0, 0, 2, 2));
    let report = JobReport {
        job: job_id(0, 0),
        ended: false,
        servers: Vec::new(),
    };
    let accepted = LaunchAnswer::Accepted(report);
    assert!(run.hear(launch_answered(0, 0, 1, accepted)).is_empty());
}

#[test]
fn servers_that_failed_stay_failed_until_it_is_the_turn_of_their_retry() {
    let mut run = Run::queueing(&plan(vec![DraftWave {
        retry: retries(1, 5, 5),
        ..wave("db", &[], &[1])
    }]));
    run.hear(admitted(0, 0, 1));
    run.answer(0, 0, refusal());
    run.pass(5);
    assert_eq!(run.servers(0), [ServerState::Failed]);
    run.hear(admitted(0, 1, 1));
    assert_eq!(run.servers(0), [ServerState::Requested]);
}

fn launch(run: &Run, launch: usize) -> &Launch {
    &run.execution.wave(WaveIx(0)).launches()[launch]
}

fn one() -> PlanDraft {
    plan(vec![wave("db", &[], &[1, 2, 3])])
}
