//! An execution in every state of an execution and of a wave, brought there
//! by the shortest way.

use tidegate_core::{
    Span,
    engine::{Event, HookAnswer, HookVerdict, Looked, ServerState},
    plan::{DraftWave, FailurePolicy, HookFailure, HookFailureKind, PlanDraft},
};

use crate::{
    drafts::{hook_with, plan, retry, wave},
    run::{
        Run, again, cancel, deferral, failing, over_quota, pause, proceed, refusal, skip, unknown,
    },
};

pub(crate) type Station = (&'static str, Run);

pub(crate) fn of_executions() -> Vec<Station> {
    vec![
        ("PENDING", Run::new(&plain())),
        ("RUNNING", Run::started(&plain())),
        ("PAUSING", after(&plain(), [pause()])),
        ("PAUSED before the start", {
            let mut run = Run::new(&plain());
            run.hear(pause());
            run.hear(Event::Start);
            run
        }),
        ("PAUSED for a failed wave", failed(FailurePolicy::Pause)),
        ("CANCELLING", after(&plain(), [cancel()])),
        ("CANCELLED", {
            let mut run = after(&plain(), [cancel()]);
            run.answer(0, 0, refusal());
            run
        }),
        ("SUCCEEDED", {
            let mut run = Run::started(&plain());
            run.launches(0, 0);
            run
        }),
        ("SUCCEEDED_WITH_WARNINGS", {
            let mut run = Run::new(&plain());
            run.hear(skip(0));
            run.hear(Event::Start);
            run
        }),
        ("FAILED", failed(FailurePolicy::Stop)),
        ("RUNNING, timed out", {
            let mut run = Run::started(&PlanDraft {
                timeout: Some(Span::from_secs(10)),
                ..plain()
            });
            run.pass(10);
            run
        }),
    ]
}

/// A wave with a check on each side, an automatic retry, and a time limit.
pub(crate) fn of_waves() -> Vec<Station> {
    let mut all = before_launches();
    all.extend(in_launches());
    all.extend(after_launches());
    all
}

fn before_launches() -> Vec<Station> {
    vec![
        ("WAITING", Run::new(&checked(false))),
        ("GATED", Run::started(&checked(true))),
        ("CHECKING", Run::started(&checked(false))),
        ("CHECKING, delayed", {
            let mut run = Run::started(&checked(false));
            run.verdict(0, later());
            run
        }),
        ("CHECKING, held", {
            let mut run = Run::started(&checked(false));
            run.verdict(0, HookAnswer::bare(HookVerdict::Hold, "look"));
            run
        }),
    ]
}

fn in_launches() -> Vec<Station> {
    vec![
        ("LAUNCHING, queued", queued()),
        ("LAUNCHING, queued over quota", {
            let mut run = launching();
            run.admits = false;
            run.answer(0, 0, over_quota());
            run
        }),
        ("LAUNCHING, asking", launching()),
        ("LAUNCHING, reconciling", {
            let mut run = launching();
            run.answer(0, 0, unknown());
            run
        }),
        ("LAUNCHING, no trace", {
            let mut run = launching();
            run.answer(0, 0, unknown());
            run.pass(120);
            run.look(0, 0, Looked::Nothing);
            run
        }),
        ("LAUNCHING, deferred", {
            let mut run = launching();
            run.answer(0, 0, deferral());
            run
        }),
        ("LAUNCHING, backoff", {
            let mut run = launching();
            run.answer(0, 0, refusal());
            run
        }),
    ]
}

fn after_launches() -> Vec<Station> {
    vec![
        ("RECOVERING", recovering()),
        ("VERIFYING", verifying()),
        ("VERIFYING, delayed after a failure", {
            let mut run = verifying();
            run.verdict(0, failing(HookFailureKind::Fuel, "endless"));
            run
        }),
        ("SUCCEEDED_WITH_WARNINGS, waived", {
            let mut run = verifying();
            run.verdict(0, failing(HookFailureKind::Memory, "too large"));
            run
        }),
        ("SUCCEEDED", {
            let mut run = verifying();
            run.verdict(0, proceed());
            run
        }),
        ("FAILED, undecided", aborted()),
        ("FAILED, late launch", {
            let mut run = recovering();
            run.pass(1_000);
            run
        }),
        ("SKIPPED", after(&checked(false), [skip(0)])),
        ("CANCELLED", after(&checked(false), [cancel()])),
    ]
}

fn after<const N: usize>(draft: &PlanDraft, events: [Event; N]) -> Run {
    let mut run = Run::started(draft);
    for event in events {
        run.hear(event);
    }
    run
}

fn failed(policy: FailurePolicy) -> Run {
    let mut draft = plain();
    draft.waves[0].on_failure = Some(policy);
    let mut run = Run::started(&draft);
    run.answer(0, 0, refusal());
    run
}

fn launching() -> Run {
    let mut run = Run::started(&checked(false));
    run.verdict(0, proceed());
    run
}

fn queued() -> Run {
    let mut run = Run::started(&checked(false));
    run.admits = false;
    run.verdict(0, proceed());
    run
}

pub(crate) fn recovering() -> Run {
    let mut run = launching();
    run.accept(0, 0);
    run
}

fn verifying() -> Run {
    let mut run = recovering();
    run.ends(0, 0, ServerState::Launched);
    run
}

fn aborted() -> Run {
    let mut run = verifying();
    run.verdict(0, HookAnswer::bare(HookVerdict::Abort, "broken"));
    run
}

pub(crate) fn later() -> HookAnswer {
    again(5, "")
}

fn plain() -> PlanDraft {
    plan(vec![wave("db", &[], &[1])])
}

/// What the checks of a station's wave do when they fail; else they hold.
const ANSWERS: [(HookFailureKind, HookFailure); 3] = [
    (HookFailureKind::Fuel, HookFailure::Retry),
    (HookFailureKind::Memory, HookFailure::Waive),
    (HookFailureKind::Host, HookFailure::Abort),
];

fn checked(pause_before: bool) -> PlanDraft {
    PlanDraft {
        unknown_launch: Some(tidegate_core::plan::UnknownLaunch::AskPerson),
        ..plan(vec![DraftWave {
            pause_before,
            check: vec![hook_with("ready", &ANSWERS)],
            verify: vec![hook_with("ping", &ANSWERS)],
            on_failure: Some(FailurePolicy::Pause),
            retry: retry(1, 5, 5),
            timeout: Some(Span::from_secs(1_000)),
            ..wave("db", &[], &[1])
        }])
    }
}
