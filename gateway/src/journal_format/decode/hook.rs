//! Stored ends of hooks.

use std::sync::Arc;

use tidegate_core::{
    Span, Timestamp,
    engine::{Change, Finding, HookEvidence, HookOutcome, LogLine},
    plan::HookFailureKind,
};
use tidegate_proto::journal::v1 as stored;

use super::{
    super::{FormatError, enums},
    value::to_wave,
};

/// Reads the end of a hook.
pub(super) fn ended(ended: stored::HookEnded) -> Result<Change, FormatError> {
    Ok(Change::HookEnded {
        wave: to_wave(ended.wave)?,
        outcome: to_outcome(&ended)?,
        message: ended.message.into(),
        evidence: match ended.evidence {
            None => Arc::default(),
            Some(evidence) => Arc::new(to_evidence(evidence)?),
        },
    })
}

fn to_outcome(ended: &stored::HookEnded) -> Result<HookOutcome, FormatError> {
    const FIELD: &str = "outcome of a hook";
    match stored::HookOutcome::try_from(ended.outcome) {
        Ok(stored::HookOutcome::Unspecified) => Err(FormatError::Missing { field: FIELD }),
        Ok(stored::HookOutcome::Proceed) => Ok(HookOutcome::Proceed),
        Ok(stored::HookOutcome::Retry) => Ok(HookOutcome::Retry {
            at: Timestamp::from_millis(ended.retry_at_ms),
        }),
        Ok(stored::HookOutcome::Hold) => Ok(HookOutcome::Hold),
        Ok(stored::HookOutcome::Skip) => Ok(HookOutcome::Skip),
        Ok(stored::HookOutcome::Abort) => Ok(HookOutcome::Abort),
        Ok(stored::HookOutcome::Failed) => Ok(HookOutcome::Failed {
            kind: to_kind_of_failed(ended.failure_kind)?,
        }),
        Ok(stored::HookOutcome::Dropped) => Ok(HookOutcome::Dropped),
        Ok(stored::HookOutcome::Waived) => Ok(HookOutcome::Waived {
            kind: enums::to_failure_kind(ended.failure_kind)?,
        }),
        Err(_) => Err(FormatError::UnknownValue {
            field: FIELD,
            value: ended.outcome,
        }),
    }
}

/// The gateways that wrote no kind could run no hooks: whatever failed there,
/// no hook was to blame.
fn to_kind_of_failed(value: i32) -> Result<HookFailureKind, FormatError> {
    if value == i32::from(stored::HookFailureKind::Unspecified) {
        Ok(HookFailureKind::Host)
    } else {
        enums::to_failure_kind(value)
    }
}

fn to_evidence(evidence: stored::HookEvidence) -> Result<HookEvidence, FormatError> {
    let findings = evidence.findings.into_iter().map(to_finding);
    let log = evidence.log.into_iter().map(to_log_line);
    Ok(HookEvidence {
        findings: findings.collect::<Result<_, _>>()?,
        findings_dropped: evidence.findings_dropped,
        log: log.collect::<Result<_, _>>()?,
        log_dropped: evidence.log_dropped,
        fuel: evidence.fuel,
        peak_memory: evidence.peak_memory_bytes,
        probes: evidence.probes,
        elapsed: Span::from_millis(evidence.elapsed_ms),
        taped: evidence.taped,
    })
}

fn to_finding(finding: stored::HookFinding) -> Result<Finding, FormatError> {
    Ok(Finding {
        code: finding.code.into(),
        severity: enums::to_severity(finding.severity)?,
        subject: finding.subject.into(),
        message: finding.message.into(),
        evidence: finding.evidence,
    })
}

fn to_log_line(line: stored::HookLogLine) -> Result<LogLine, FormatError> {
    Ok(LogLine {
        level: enums::to_log_level(line.level)?,
        text: line.text.into(),
    })
}
