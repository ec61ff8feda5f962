//! What a tape means to the engine.

use std::sync::Arc;

use tidegate_core::{
    Span,
    engine::{
        Finding, HookAnswer, HookEvidence, HookVerdict, LogLevel, LogLine, Severity as Weight,
    },
    plan::HookFailureKind,
};
use tidegate_hooks::{Failure, FailureKind, Level, Outcome, Severity, Tape, Verdict};

/// Bytes of findings that are recorded; what is beyond stays on the tape.
const FINDING_BYTES: usize = 64 << 10;

/// The answer of an attempt.
pub(super) fn answer(tape: &Tape, taped: bool) -> HookAnswer {
    let evidence = Arc::new(evidence(tape, taped));
    match &tape.outcome {
        Outcome::Report(report) => HookAnswer {
            verdict: match report.verdict {
                Verdict::Proceed => HookVerdict::Proceed,
                Verdict::Retry(after) => HookVerdict::Retry {
                    after: Span::from_millis(after.into()),
                },
                Verdict::Hold => HookVerdict::Hold,
                Verdict::Skip => HookVerdict::Skip,
                Verdict::Abort => HookVerdict::Abort,
            },
            message: report.reason.as_str().into(),
            evidence,
        },
        Outcome::Failure(failure) => HookAnswer {
            verdict: HookVerdict::Failed {
                kind: kind(failure.kind),
            },
            message: failure.message.as_str().into(),
            evidence,
        },
    }
}

/// The answer of an attempt that was not made.
pub(super) fn not_run(failure: &Failure) -> HookAnswer {
    HookAnswer {
        verdict: HookVerdict::Failed {
            kind: kind(failure.kind),
        },
        message: failure.message.as_str().into(),
        evidence: Arc::default(),
    }
}

fn evidence(tape: &Tape, taped: bool) -> HookEvidence {
    let (findings, findings_dropped) = match &tape.outcome {
        Outcome::Report(report) => kept(&report.findings),
        Outcome::Failure(_) => (Vec::new(), 0),
    };
    HookEvidence {
        findings,
        findings_dropped,
        log: tape
            .log
            .iter()
            .map(|line| LogLine {
                level: match line.level {
                    Level::Debug => LogLevel::Debug,
                    Level::Info => LogLevel::Info,
                    Level::Warning => LogLevel::Warning,
                    Level::Error => LogLevel::Error,
                },
                text: line.message.as_str().into(),
            })
            .collect(),
        log_dropped: tape.log_dropped,
        fuel: tape.usage.fuel,
        peak_memory: tape.usage.peak_memory,
        probes: tape.usage.probes,
        elapsed: Span::from_millis(tape.usage.elapsed_ms.into()),
        taped,
    }
}

/// As many findings as are recorded, the first ones, and how many are not.
fn kept(findings: &[tidegate_hooks::Finding]) -> (Vec<Finding>, u32) {
    let mut room = FINDING_BYTES;
    let kept: Vec<Finding> = findings
        .iter()
        .map_while(|finding| {
            room = room.checked_sub(size(finding))?;
            Some(Finding {
                code: finding.code.as_str().into(),
                severity: match finding.severity {
                    Severity::Info => Weight::Info,
                    Severity::Warning => Weight::Warning,
                    Severity::Error => Weight::Error,
                },
                subject: finding.subject.as_str().into(),
                message: finding.message.as_str().into(),
                evidence: finding.evidence.clone(),
            })
        })
        .collect();
    let dropped = u32::try_from(findings.len() - kept.len()).unwrap_or(u32::MAX);
    (kept, dropped)
}

fn size(finding: &tidegate_hooks::Finding) -> usize {
    let evidence = finding.evidence.iter();
    let evidence: usize = evidence.map(|(name, value)| name.len() + value.len()).sum();
    finding.code.len() + finding.subject.len() + finding.message.len() + evidence
}

fn kind(kind: FailureKind) -> HookFailureKind {
    match kind {
        FailureKind::Error => HookFailureKind::Error,
        FailureKind::Trap => HookFailureKind::Trap,
        FailureKind::Stack => HookFailureKind::Stack,
        FailureKind::Fuel => HookFailureKind::Fuel,
        FailureKind::Timeout => HookFailureKind::Timeout,
        FailureKind::Memory => HookFailureKind::Memory,
        FailureKind::Table => HookFailureKind::Table,
        FailureKind::BadOutput => HookFailureKind::BadOutput,
        FailureKind::ContractMismatch => HookFailureKind::ContractMismatch,
        FailureKind::DigestMismatch => HookFailureKind::DigestMismatch,
        FailureKind::ProbeDenied => HookFailureKind::ProbeDenied,
        FailureKind::Host => HookFailureKind::Host,
    }
}
