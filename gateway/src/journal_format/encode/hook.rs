//! Ends of hooks as they are stored.

use tidegate_core::{
    WaveIx,
    engine::{Finding, HookEvidence, HookOutcome, LogLine},
    plan::HookFailureKind,
};
use tidegate_proto::journal::v1::{self as stored, change::Change as Stored};

use super::enums;

/// Stores the end of a hook.
pub(super) fn ended(
    wave: WaveIx,
    outcome: HookOutcome,
    message: &str,
    evidence: &HookEvidence,
) -> Stored {
    let (outcome, detail) = from_outcome(outcome);
    let (retry_at_ms, failure_kind) = match detail {
        Detail::None => (0, stored::HookFailureKind::Unspecified.into()),
        Detail::RetryAt(at_ms) => (at_ms, stored::HookFailureKind::Unspecified.into()),
        Detail::Kind(kind) => (0, enums::from_failure_kind(kind)),
    };
    Stored::HookEnded(stored::HookEnded {
        wave: wave.0.into(),
        outcome: outcome.into(),
        retry_at_ms,
        message: message.to_owned(),
        failure_kind,
        evidence: from_evidence(evidence),
    })
}

/// What belongs to an outcome.
enum Detail {
    None,
    RetryAt(u64),
    Kind(HookFailureKind),
}

fn from_outcome(outcome: HookOutcome) -> (stored::HookOutcome, Detail) {
    match outcome {
        HookOutcome::Proceed => (stored::HookOutcome::Proceed, Detail::None),
        HookOutcome::Retry { at } => {
            let at = Detail::RetryAt(at.as_millis());
            (stored::HookOutcome::Retry, at)
        }
        HookOutcome::Hold => (stored::HookOutcome::Hold, Detail::None),
        HookOutcome::Skip => (stored::HookOutcome::Skip, Detail::None),
        HookOutcome::Abort => (stored::HookOutcome::Abort, Detail::None),
        HookOutcome::Failed { kind } => (stored::HookOutcome::Failed, Detail::Kind(kind)),
        HookOutcome::Waived { kind } => (stored::HookOutcome::Waived, Detail::Kind(kind)),
        HookOutcome::Dropped => (stored::HookOutcome::Dropped, Detail::None),
    }
}

/// `None` where nothing was heard: absence and emptiness say the same.
fn from_evidence(evidence: &HookEvidence) -> Option<stored::HookEvidence> {
    (*evidence != HookEvidence::default()).then(|| stored::HookEvidence {
        findings: evidence.findings.iter().map(from_finding).collect(),
        findings_dropped: evidence.findings_dropped,
        log: evidence.log.iter().map(from_log_line).collect(),
        log_dropped: evidence.log_dropped,
        fuel: evidence.fuel,
        peak_memory_bytes: evidence.peak_memory,
        probes: evidence.probes,
        elapsed_ms: evidence.elapsed.as_millis(),
        taped: evidence.taped,
    })
}

fn from_finding(finding: &Finding) -> stored::HookFinding {
    stored::HookFinding {
        code: finding.code.to_string(),
        severity: enums::from_severity(finding.severity),
        subject: finding.subject.to_string(),
        message: finding.message.to_string(),
        evidence: finding.evidence.clone(),
    }
}

fn from_log_line(line: &LogLine) -> stored::HookLogLine {
    stored::HookLogLine {
        level: enums::from_log_level(line.level),
        text: line.text.to_string(),
    }
}
