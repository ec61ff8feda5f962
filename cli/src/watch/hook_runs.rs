//! Runs of hooks in words: what came of them, what they found, and what they
//! used.

use std::cmp::Reverse;

use tidegate_proto::v1::{HookFinding, HookOutcome, HookRun, HookSeverity};

use crate::names;

/// Findings that are told without being asked for; the rest is counted.
const TOLD: usize = 3;

/// What came of a run: `FAILED (TIMEOUT)`.
pub(crate) fn outcome(run: &HookRun) -> String {
    let word = names::hook_outcome(run.outcome());
    match run.outcome() {
        HookOutcome::Failed | HookOutcome::Waived => {
            format!("{word} ({})", names::hook_failure_kind(run.failure_kind()))
        }
        HookOutcome::Unspecified
        | HookOutcome::Running
        | HookOutcome::Proceed
        | HookOutcome::Retry
        | HookOutcome::Hold
        | HookOutcome::Skip
        | HookOutcome::Abort
        | HookOutcome::Dropped => word.to_owned(),
    }
}

/// The findings that are more than for the record, the worst first.
pub(crate) fn notable(run: &HookRun) -> Vec<&HookFinding> {
    let mut notable: Vec<&HookFinding> = run
        .findings
        .iter()
        .filter(|finding| is_notable(finding))
        .collect();
    notable.sort_by_key(|finding| Reverse(finding.severity));
    notable
}

fn is_notable(finding: &HookFinding) -> bool {
    match finding.severity() {
        HookSeverity::Warning | HookSeverity::Error => true,
        HookSeverity::Unspecified | HookSeverity::Info => false,
    }
}

/// The worst findings in a few words each, and how many more there are.
pub(crate) fn told(run: &HookRun) -> Vec<String> {
    let notable = notable(run);
    let mut told: Vec<String> = notable.iter().take(TOLD).map(|it| finding(it)).collect();
    let more = notable.len().saturating_sub(TOLD) + unseen(run, notable.len());
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told
}

/// Findings that did not come along and may be notable: where one that is not
/// came along, those that did not are no worse.
fn unseen(run: &HookRun, notable: usize) -> usize {
    let kept = run.findings.len();
    let total = usize::try_from(run.finding_count).unwrap_or(usize::MAX);
    if notable == kept {
        total.saturating_sub(kept)
    } else {
        0
    }
}

/// A finding: `s-1 port-closed: port 5432 is closed`. One without a subject is
/// of the wave.
pub(crate) fn finding(finding: &HookFinding) -> String {
    let mut text = finding.code.clone();
    if !finding.subject.is_empty() {
        text = format!("{} {text}", finding.subject);
    }
    if !finding.message.is_empty() {
        text = format!("{text}: {}", finding.message);
    }
    text
}

/// A finding with its severity and with what was measured.
pub(crate) fn measured(it: &HookFinding) -> String {
    let severity = names::hook_severity(it.severity());
    let evidence: Vec<String> = it
        .evidence
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let text = format!("{severity} {} {}", finding(it), evidence.join(" "));
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use tidegate_proto::v1::HookFailureKind;

    use super::*;

    fn found(severities: &[HookSeverity], count: u32) -> HookRun {
        let findings = (1..).zip(severities).map(|(n, &severity)| HookFinding {
            code: "port-closed".to_owned(),
            severity: severity.into(),
            subject: format!("s-{n}"),
            message: "no answer".to_owned(),
            evidence: [("port".to_owned(), "22".to_owned())].into(),
        });
        HookRun {
            findings: findings.collect(),
            finding_count: count,
            ..HookRun::default()
        }
    }

    #[test]
    fn the_worst_findings_are_told_and_the_rest_is_counted() {
        use HookSeverity::{Error, Info, Warning};
        let run = found(&[Info, Warning, Error, Warning, Error], 5);
        assert_eq!(
            told(&run),
            [
                "s-3 port-closed: no answer",
                "s-5 port-closed: no answer",
                "s-2 port-closed: no answer",
                "and 1 more"
            ]
        );
    }

    #[test]
    fn findings_that_did_not_come_along_are_counted_if_they_may_be_bad() {
        use HookSeverity::{Error, Info};
        assert_eq!(told(&found(&[Error], 30)).last().unwrap(), "and 29 more");
        assert_eq!(told(&found(&[Error, Info], 30)).len(), 1);
        assert!(told(&found(&[Info], 1)).is_empty());
    }

    #[test]
    fn a_failure_is_told_with_its_kind() {
        let mut run = found(&[], 0);
        run.set_failure_kind(HookFailureKind::ProbeDenied);
        run.set_outcome(HookOutcome::Waived);
        assert_eq!(outcome(&run), "WAIVED (PROBE_DENIED)");
        run.set_outcome(HookOutcome::Hold);
        assert_eq!(outcome(&run), "HOLD");
    }

    #[test]
    fn a_finding_of_the_wave_has_no_subject() {
        let mut run = found(&[HookSeverity::Error], 1);
        assert_eq!(
            measured(&run.findings[0]),
            "ERROR s-1 port-closed: no answer port=22"
        );
        run.findings[0].subject.clear();
        run.findings[0].evidence.clear();
        assert_eq!(measured(&run.findings[0]), "ERROR port-closed: no answer");
    }
}
