//! Retries: only the failed servers are asked for again.

use tidegate_core::{
    ServerIx, Timestamp,
    engine::{ServerState, WaveState},
    plan::{DraftWave, FailurePolicy, PlanDraft},
};

use crate::{
    drafts::{plan, retry as retries, wave},
    run::{BEGINNING, Run, retry},
};

#[test]
fn automatic_retries_double_their_wait_and_ask_only_for_failed_servers() {
    let mut run = Run::started(&retried());
    run.accept(0, 0);
    let one_failed = [
        (ServerIx(0), ServerState::Launched),
        (ServerIx(1), ServerState::Failed),
    ];
    assert_eq!(
        run.job(0, 0, true, &one_failed),
        [
            "w0 server 0 Launched i-0-0",
            "w0 server 1 Failed",
            "w0/0 ended job-0-0",
            "w0 Launching (servers failed: 1 of 2 failed, 0 tolerated)",
            "w0 retry +5s",
        ]
    );
    assert!(run.wants().is_empty());
    assert!(run.pass(4).is_empty());
    assert_eq!(
        run.pass(1),
        [
            "w0 attempt 2",
            "w0 queue us-west-2 [1]",
            "w0/1 asking 1",
            "w0 server 1 Requested"
        ]
    );

    run.accept(0, 1);
    run.ends(0, 1, ServerState::Failed);
    assert_eq!(due(&run), 15);
    run.pass(10);
    run.accept(0, 2);
    run.ends(0, 2, ServerState::Failed);
    assert_eq!(run.waves(), [WaveState::Failed]);
}

#[test]
fn a_person_retries_and_the_automatic_retries_count_anew() {
    let mut run = Run::started(&retried());
    for launch in 0..3 {
        run.accept(0, launch);
        run.ends(0, launch, ServerState::Failed);
        run.pass(60);
    }
    assert_eq!(run.holds(), ["failed w0"]);
    assert_eq!(
        run.hear(retry(0))[2..],
        [
            "w0 attempt 4",
            "w0 queue us-west-2 [0, 1]",
            "execution Running",
            "w0/3 asking 1",
            "w0 server 0 Requested",
            "w0 server 1 Requested",
        ]
    );
    run.accept(0, 3);
    run.ends(0, 3, ServerState::Failed);
    assert_eq!(run.waves(), [WaveState::Launching]);
}

/// Seconds from the beginning to the next deadline.
fn due(run: &Run) -> u64 {
    let at: Timestamp = run.execution.next_deadline().expect("something is due").at;
    at.since(BEGINNING).as_millis() / 1000
}

fn retried() -> PlanDraft {
    plan(vec![DraftWave {
        retry: retries(2, 5, 60),
        on_failure: Some(FailurePolicy::Pause),
        ..wave("db", &[], &[1, 2])
    }])
}
