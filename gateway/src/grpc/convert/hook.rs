//! Runs of hooks, and what they found and said.

use tidegate_core::{
    engine::{Finding, HookEvidence, HookRun, LogLine},
    plan::WavePlan,
};
use tidegate_proto::v1;

use super::{enums, time::timestamp};

/// A hook's run with the findings that the state keeps.
pub(crate) fn run(planned: &WavePlan, run: &HookRun) -> v1::HookRun {
    let used = planned.hook(run.phase, run.hook);
    v1::HookRun {
        hook: used.map(|used| used.hook.to_string()).unwrap_or_default(),
        phase: enums::hook_phase(run.phase).into(),
        index: u32::from(run.hook.0),
        attempt: run.attempt,
        outcome: enums::hook_outcome(run.outcome).into(),
        message: run.message.to_string(),
        start_time: Some(timestamp(run.started_at)),
        end_time: run.ended_at.map(timestamp),
        failure_kind: enums::failure_of(run.outcome).into(),
        findings: findings(&run.findings),
        finding_count: run.finding_count,
        fuel: run.fuel,
        peak_memory_bytes: run.peak_memory,
        probe_count: run.probes,
    }
}

/// A hook's run that has just ended, with all that was kept of its evidence.
pub(crate) fn ended(planned: &WavePlan, it: &HookRun, evidence: &HookEvidence) -> v1::HookRun {
    v1::HookRun {
        findings: findings(&evidence.findings),
        ..run(planned, it)
    }
}

/// What was found, in the order given.
pub(crate) fn findings(findings: &[Finding]) -> Vec<v1::HookFinding> {
    let shown = findings.iter().map(|finding| v1::HookFinding {
        code: finding.code.to_string(),
        severity: enums::severity(finding.severity).into(),
        subject: finding.subject.to_string(),
        message: finding.message.to_string(),
        evidence: finding.evidence.clone(),
    });
    shown.collect()
}

/// What was logged.
pub(crate) fn log(lines: &[LogLine]) -> Vec<v1::HookLogLine> {
    let shown = lines.iter().map(|line| v1::HookLogLine {
        level: enums::log_level(line.level).into(),
        message: line.text.to_string(),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_core::{
        HookIx, Span, WaveIx,
        engine::{Change, FINDINGS_KEPT, HookOutcome, LogLevel, Severity},
        plan::{HookFailureKind, HookPhase},
    };

    use super::super::{commit, wave};
    use super::*;
    use crate::grpc::fixtures;

    fn finding(code: usize, severity: Severity) -> Finding {
        Finding {
            code: format!("f-{code}").into(),
            severity,
            subject: Arc::from("s-1"),
            message: Arc::from("port 5432 is closed"),
            evidence: [("elapsed".to_owned(), "3 ms".to_owned())].into(),
        }
    }

    fn evidence() -> HookEvidence {
        let infos = (0..FINDINGS_KEPT + 9).map(|code| finding(code, Severity::Info));
        HookEvidence {
            findings: infos.chain([finding(99, Severity::Error)]).collect(),
            findings_dropped: 4,
            log: vec![LogLine {
                level: LogLevel::Warning,
                text: Arc::from("slow"),
            }],
            log_dropped: 2,
            fuel: 123_456,
            peak_memory: 1 << 20,
            probes: 3,
            elapsed: Span::from_millis(17),
            taped: true,
        }
    }

    /// The two changes of a hook of `database`, and the execution after them.
    fn ran(outcome: HookOutcome) -> (v1::HookMoved, v1::HookRun) {
        let view = fixtures::view();
        let mut state = (*view.execution).clone();
        let changes = vec![
            Change::HookStarted {
                wave: WaveIx(0),
                phase: HookPhase::PreWave,
                hook: HookIx(0),
                attempt: 2,
            },
            Change::HookEnded {
                wave: WaveIx(0),
                outcome,
                message: Arc::from("as it said"),
                evidence: Arc::new(evidence()),
            },
        ];
        let record = fixtures::record(2, 3, changes);
        let shown = commit::commit(&mut state, &view.origin, &record);
        let Some(v1::change::Kind::Hook(moved)) = shown.changes[1].kind.clone() else {
            panic!("the second change is the hook's end");
        };
        (moved, wave::waves(&state)[0].hook_runs[0].clone())
    }

    #[test]
    fn an_execution_keeps_the_worst_findings_and_a_change_has_all() {
        let (moved, kept) = ran(HookOutcome::Hold);
        let changed = moved.run.unwrap();

        assert_eq!(kept.findings.len(), FINDINGS_KEPT);
        assert_eq!(kept.findings[0].code, "f-99");
        assert_eq!(kept.findings[0].severity(), v1::HookSeverity::Error);
        assert_eq!(changed.findings.len(), FINDINGS_KEPT + 10);
        assert_eq!(changed.findings[0].code, "f-0", "in the order of the hook");
        assert_eq!(changed.findings[0].evidence["elapsed"], "3 ms");
        let total = u32::try_from(FINDINGS_KEPT).unwrap() + 14;
        assert_eq!((kept.finding_count, changed.finding_count), (total, total));
    }

    #[test]
    fn a_run_shows_what_it_used() {
        let (moved, kept) = ran(HookOutcome::Proceed);
        for run in [kept, moved.run.unwrap()] {
            assert_eq!((run.fuel, run.peak_memory_bytes), (123_456, 1 << 20));
            assert_eq!((run.probe_count, run.attempt), (3, 2));
            assert_eq!(run.failure_kind(), v1::HookFailureKind::Unspecified);
        }
    }

    #[test]
    fn the_log_is_in_the_change_and_whether_there_is_a_tape() {
        let (moved, _) = ran(HookOutcome::Proceed);
        assert_eq!(moved.log[0].level(), v1::HookLogLevel::Warning);
        assert_eq!(moved.log[0].message, "slow");
        assert_eq!(moved.log_dropped, 2);
        assert!(moved.taped);
    }

    #[test]
    fn a_failure_is_shown_with_its_kind_whatever_the_plan_makes_of_it() {
        let kind = HookFailureKind::BadOutput;
        for (outcome, shown) in [
            (HookOutcome::Failed { kind }, v1::HookOutcome::Failed),
            (HookOutcome::Waived { kind }, v1::HookOutcome::Waived),
        ] {
            let (_, run) = ran(outcome);
            assert_eq!(run.outcome(), shown);
            assert_eq!(run.failure_kind(), v1::HookFailureKind::BadOutput);
        }
    }

    #[test]
    fn every_kind_of_failure_has_its_own_name_on_the_wire() {
        for kind in HookFailureKind::ALL {
            let shown = enums::failure_kind(kind).as_str_name();
            let wire = kind.name().to_uppercase().replace('-', "_");
            assert_eq!(shown, format!("HOOK_FAILURE_KIND_{wire}"));
        }
    }
}
