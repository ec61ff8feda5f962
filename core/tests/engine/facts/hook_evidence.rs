//! What hooks find, say and use: recorded whole, kept in part, and never
//! decided by.

use std::{collections::BTreeMap, sync::Arc};

use tidegate_core::{
    Span, WaveIx,
    engine::{
        Change, CommandId, Event, Finding, HookAnswer, HookEvidence, HookRun, HookVerdict,
        LogLevel, LogLine, Severity,
    },
    plan::{DraftWave, HookPhase, PlanDraft},
};

use crate::{
    drafts::{hook, plan, wave},
    run::{Run, hook_answered},
};

#[test]
fn the_state_keeps_the_worst_twenty_in_their_order() {
    let mut findings: Vec<Finding> = (0..30).map(|n| finding(n, Severity::Info)).collect();
    findings[7].severity = Severity::Warning;
    findings[21].severity = Severity::Error;
    findings[25].severity = Severity::Warning;
    let mut run = Run::started(&checked());
    run.verdict(
        0,
        answer(HookEvidence {
            findings,
            findings_dropped: 12,
            ..HookEvidence::default()
        }),
    );
    let kept = &first(&run).findings;
    let codes: Vec<&str> = kept.iter().map(|finding| &*finding.code).collect();
    assert_eq!(codes[..5], ["21", "7", "25", "0", "1"]);
    assert_eq!(codes.len(), 20);
    assert_eq!(first(&run).finding_count, 42);
}

#[test]
fn the_change_carries_everything_and_the_state_what_it_cost() {
    let evidence = HookEvidence {
        log: vec![LogLine {
            level: LogLevel::Info,
            text: Arc::from("asking"),
        }],
        fuel: 1_234,
        peak_memory: 65_536,
        probes: 3,
        elapsed: Span::from_millis(12),
        taped: true,
        ..HookEvidence::default()
    };
    let run = Run::started(&checked());
    let event = hook_answered(0, HookPhase::PreWave, 1, answer(evidence.clone()));
    let changes = run.execution.decide(event, run.now).expect("no request");
    let Some(Change::HookEnded { evidence: told, .. }) = changes.first() else {
        panic!("the hook has ended: {changes:?}");
    };
    assert_eq!(**told, evidence);

    let mut run = run;
    run.verdict(0, answer(evidence));
    let kept = first(&run);
    assert_eq!(
        (kept.fuel, kept.peak_memory, kept.probes),
        (1_234, 65_536, 3)
    );
}

#[test]
fn a_new_run_begins_without_what_the_last_one_found() {
    let mut run = Run::started(&checked());
    let after = Span::from_secs(1);
    run.verdict(
        0,
        HookAnswer {
            verdict: HookVerdict::Retry { after },
            ..answer(HookEvidence {
                findings: vec![finding(0, Severity::Error)],
                ..HookEvidence::default()
            })
        },
    );
    assert_eq!(first(&run).finding_count, 1);
    run.pass(1);
    assert_eq!((first(&run).attempt, first(&run).finding_count), (2, 0));
    assert!(first(&run).findings.is_empty());
}

#[test]
fn what_was_found_decides_nothing() {
    let run = Run::started(&checked());
    let command: CommandId = run.execution.outstanding()[0];
    let grave = answer(HookEvidence {
        findings: vec![finding(0, Severity::Error)],
        ..HookEvidence::default()
    });
    let decided = |answer| {
        let event = Event::HookAnswered { command, answer };
        let changes = run.execution.decide(event, run.now).expect("no request");
        crate::lines::lines(&changes)
    };
    let bare = HookAnswer::bare(HookVerdict::Proceed, "");
    assert_eq!(decided(grave), decided(bare));
}

fn answer(evidence: HookEvidence) -> HookAnswer {
    HookAnswer {
        evidence: Arc::new(evidence),
        ..HookAnswer::bare(HookVerdict::Proceed, "")
    }
}

fn finding(code: u32, severity: Severity) -> Finding {
    Finding {
        code: Arc::from(code.to_string()),
        severity,
        subject: Arc::from("s-1"),
        message: Arc::from(""),
        evidence: BTreeMap::from([("port".to_string(), "5432".to_string())]),
    }
}

fn first(run: &Run) -> &HookRun {
    &run.execution.wave(WaveIx(0)).hooks()[0]
}

fn checked() -> PlanDraft {
    plan(vec![DraftWave {
        check: vec![hook("ready")],
        ..wave("db", &[], &[1])
    }])
}
