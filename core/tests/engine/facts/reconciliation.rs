//! A launch whose answer is unknown is settled by looking.

use tidegate_core::{
    JobId,
    engine::{
        Event, ExecutionState, JobReport, Kind, LaunchAnswer, Looked, ServerState, Settings,
        WaveState,
    },
    plan::PlanDraft,
};

use crate::{
    drafts::{plan, wave},
    run::{Run, deferral, job_id, launch_answered, refusal, unknown},
};

#[test]
fn a_new_owner_looks_and_adopts_what_it_finds() {
    let mut run = Run::started(&one());
    assert_eq!(
        run.owner("b"),
        [
            "owner b epoch 1",
            "w0/0 reconciling 1 (the gateway restarted while DRS was asked)",
        ]
    );
    assert_eq!(run.wants(), ["look/0/0/1"]);
    assert!(run.look(0, 0, Looked::Nothing).is_empty());
    assert_eq!(
        run.look(0, 0, found(0)),
        [
            "w0/0 running job-0-0 (found at DRS and adopted)",
            "w0 Recovering"
        ]
    );
}

#[test]
fn what_was_answered_is_followed_by_the_new_owner_as_before() {
    let mut run = Run::started(&one());
    run.accept(0, 0);
    assert_eq!(run.owner("b"), ["owner b epoch 1"]);
    assert_eq!(run.wants(), ["follow/0/0"]);
}

#[test]
fn no_trace_within_the_settle_window_is_no_answer() {
    let mut run = Run::started(&one());
    run.answer(0, 0, unknown());
    run.pass(119);
    assert!(run.look(0, 0, Looked::Nothing).is_empty());
    run.pass(1);
    assert_eq!(
        run.look(0, 0, Looked::Nothing),
        [
            "w0/0 deferred 1 +120s (DRS shows no trace of it)",
            "w0/0 queued 2",
            "w0/0 asking 2"
        ]
    );
}

#[test]
fn a_recovery_asks_a_person_first() {
    let mut run = recovery(&one());
    run.answer(0, 0, unknown());
    run.pass(120);
    run.look(0, 0, Looked::Nothing);
    assert_eq!(run.holds(), ["approval w0"]);
    assert_eq!(run.state(), ExecutionState::Paused);
    assert_eq!(run.wants(), ["look/0/0/1"]);
    assert!(run.look(0, 0, Looked::Nothing).is_empty());

    run.hear(Event::Resume);
    assert_eq!(run.wants(), ["launch/0/0/2"]);
}

#[test]
fn an_approval_covers_only_what_was_looked_for_in_vain() {
    let mut run = recovery_of_two_jobs();
    run.answer(0, 0, unknown());
    run.answer(0, 1, unknown());
    run.pass(120);
    run.look(0, 1, Looked::Nothing);

    run.hear(Event::Resume);
    assert_eq!(run.wants(), ["look/0/0/1", "launch/0/1/2"]);
}

#[test]
fn an_approval_stays_while_another_launch_still_waits_for_it() {
    let mut run = recovery_of_two_jobs();
    run.answer(0, 0, unknown());
    run.answer(0, 1, unknown());
    run.pass(120);
    run.look(0, 0, Looked::Nothing);
    run.look(0, 1, Looked::Nothing);

    run.look(0, 0, found(0));
    assert_eq!(run.holds(), ["approval w0"]);
    run.look(0, 1, found(1));
    assert!(run.holds().is_empty());
}

#[test]
fn a_late_answer_settles_what_a_person_was_asked_about() {
    for late in [deferral(), refusal()] {
        let mut run = recovery(&one());
        run.answer(0, 0, unknown());
        run.pass(120);
        run.look(0, 0, Looked::Nothing);
        run.answer(0, 0, late);
        assert!(run.holds().is_empty());
    }
}

#[test]
fn an_acceptance_that_comes_late_is_adopted() {
    let mut run = Run::started(&one());
    run.answer(0, 0, unknown());
    run.accept(0, 0);
    assert_eq!(run.waves(), [WaveState::Recovering]);
}

#[test]
fn an_answer_to_an_earlier_attempt_changes_nothing() {
    let mut run = Run::started(&one());
    run.answer(0, 0, deferral());
    run.pass(2);
    assert_eq!(run.wants(), ["launch/0/0/2"]);
    assert!(run.hear(launch_answered(0, 0, 1, refusal())).is_empty());
}

#[test]
fn a_launch_that_drs_does_not_take_is_asked_for_again_ever_later() {
    let mut run = Run::started(&one());
    let waits = [2, 4, 8, 16, 32, 60, 60];
    for wait in waits {
        run.answer(0, 0, deferral());
        assert!(run.pass(wait - 1).is_empty());
        assert!(!run.pass(1).is_empty());
    }
    let after = Some(tidegate_core::Span::from_secs(90));
    let reason = "throttled".into();
    run.answer(0, 0, LaunchAnswer::Deferred { reason, after });
    assert!(run.pass(89).is_empty());
    assert!(!run.pass(1).is_empty());
}

#[test]
fn a_second_job_is_a_warning_and_the_earliest_is_adopted() {
    let mut run = Run::started(&one());
    run.answer(0, 0, unknown());
    let duplicates = vec![JobId::from("job-x")];
    let report = report(0);
    assert_eq!(
        run.look(0, 0, Looked::Found { report, duplicates })[..2],
        [
            "w0 server 0 warned \"DRS also has job job-x for this server\"",
            "w0/0 running job-0-0 (found at DRS and adopted)",
        ]
    );
    run.ends(0, 0, ServerState::Launched);
    assert_eq!(run.state(), ExecutionState::SucceededWithWarnings);
}

fn found(launch: u16) -> Looked {
    Looked::Found {
        report: report(launch),
        duplicates: Vec::new(),
    }
}

fn report(launch: u16) -> JobReport {
    JobReport {
        job: job_id(0, launch),
        ended: false,
        servers: Vec::new(),
    }
}

fn recovery(draft: &PlanDraft) -> Run {
    let mut run = Run::of(Kind::Recovery, draft, Settings::default());
    run.hear(Event::Start);
    run
}

fn recovery_of_two_jobs() -> Run {
    let settings = Settings {
        servers_per_job: 1,
        ..Settings::default()
    };
    let draft = plan(vec![wave("db", &[], &[1, 2])]);
    let mut run = Run::of(Kind::Recovery, &draft, settings);
    run.hear(Event::Start);
    run
}

fn one() -> PlanDraft {
    plan(vec![wave("db", &[], &[1])])
}
