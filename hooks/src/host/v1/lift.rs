//! From the contract's types to this crate's, within bounds.
//!
//! What is for people to read is cut to a length; what code goes by must fit.
//! All that a guest returns together is bounded before it gets here, by the
//! store's hostcall fuel.

use super::bindings::{
    exports::tidegate::hooks::hook,
    tidegate::hooks::{log, probe as wire, types},
};
use crate::{
    Entries, Finding, Level, Method, Report, Severity, Target, Verdict, host::failed::Broken,
};

/// Bytes of a reason, a message or a value of evidence. The rest is cut off.
pub(super) const MESSAGE: usize = 1024;
/// Bytes of a finding's code, subject and names of evidence.
const NAME: usize = 256;
/// Pieces of evidence of a finding.
const EVIDENCE: usize = 64;
/// Bytes of a path, with its query.
const PATH: usize = 8 << 10;

pub(super) fn report(report: hook::Report, findings: usize) -> Result<Report, Broken> {
    let found = report.findings.len();
    if found > findings {
        return Err(Broken::new(format!(
            "{found} findings; at most {findings} are allowed"
        )));
    }
    Ok(Report {
        verdict: match report.verdict {
            types::Verdict::Proceed => Verdict::Proceed,
            types::Verdict::Retry(after_ms) => Verdict::Retry(after_ms),
            types::Verdict::Hold => Verdict::Hold,
            types::Verdict::Skip => Verdict::Skip,
            types::Verdict::Abort => Verdict::Abort,
        },
        reason: line(&report.reason, MESSAGE),
        findings: report
            .findings
            .into_iter()
            .map(finding)
            .collect::<Result<_, _>>()?,
    })
}

fn finding(finding: types::Finding) -> Result<Finding, Broken> {
    if finding.code.is_empty() {
        return Err(Broken::new("a finding without a code"));
    }
    Ok(Finding {
        code: name(finding.code, "a finding's code")?,
        severity: match finding.severity {
            types::Severity::Info => Severity::Info,
            types::Severity::Warning => Severity::Warning,
            types::Severity::Error => Severity::Error,
        },
        subject: name(finding.subject, "a finding's subject")?,
        message: line(&finding.message, MESSAGE),
        evidence: evidence(finding.evidence)?,
    })
}

fn evidence(entries: Vec<types::Entry>) -> Result<Entries, Broken> {
    let given = entries.len();
    if given > EVIDENCE {
        return Err(Broken::new(format!(
            "{given} pieces of evidence of one finding; at most {EVIDENCE} are allowed"
        )));
    }
    let mut evidence = Entries::new();
    for types::Entry { name, value } in entries {
        let name = self::name(name, "a name of evidence")?;
        if let Some((name, _)) = evidence.get_key_value(&name) {
            return Err(Broken::new(format!("the evidence {name:?} twice")));
        }
        evidence.insert(name, line(&value, MESSAGE));
    }
    Ok(evidence)
}

/// Something that code goes by.
fn name(text: String, what: &str) -> Result<String, Broken> {
    if text.len() > NAME {
        let long = text.len();
        return Err(Broken::new(format!(
            "{what} of {long} bytes; at most {NAME} are allowed"
        )));
    }
    Ok(text)
}

/// Something for people: one line, cut where it is too long.
pub(super) fn line(text: &str, bytes: usize) -> String {
    let kept = &text[..text.floor_char_boundary(bytes)];
    let mut line = kept.replace(char::is_control, " ");
    if kept.len() < text.len() {
        line.push('…');
    }
    line
}

pub(super) fn target(target: wire::Target) -> Result<Target, Broken> {
    Ok(match target {
        wire::Target::Server(wire::ServerPort { server, port }) => Target::Server {
            server: name(server, "a probed server's id")?,
            port,
        },
        wire::Target::Endpoint(endpoint) => {
            Target::Endpoint(name(endpoint, "a probed endpoint's name")?)
        }
    })
}

pub(super) fn path(path: String) -> Result<String, Broken> {
    if path.len() > PATH {
        let long = path.len();
        return Err(Broken::new(format!(
            "a probed path of {long} bytes; at most {PATH} are allowed"
        )));
    }
    Ok(path)
}

pub(super) fn method(method: wire::Method) -> Method {
    match method {
        wire::Method::Get => Method::Get,
        wire::Method::Head => Method::Head,
    }
}

pub(super) fn level(level: log::Level) -> Level {
    match level {
        log::Level::Debug => Level::Debug,
        log::Level::Info => Level::Info,
        log::Level::Warning => Level::Warning,
        log::Level::Error => Level::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(findings: Vec<types::Finding>) -> hook::Report {
        hook::Report {
            verdict: types::Verdict::Proceed,
            reason: "x\ny".to_owned() + &"é".repeat(MESSAGE),
            findings,
        }
    }

    fn found(code: &str, evidence: &[&str]) -> types::Finding {
        let entry = |name: &&str| types::Entry {
            name: (*name).to_owned(),
            value: String::new(),
        };
        types::Finding {
            code: code.to_owned(),
            severity: types::Severity::Info,
            subject: String::new(),
            message: String::new(),
            evidence: evidence.iter().map(entry).collect(),
        }
    }

    #[test]
    fn a_reason_is_one_line_and_cut_between_characters() {
        let reason = report(given(vec![]), 0)
            .expect("it is within bounds")
            .reason;
        assert!(
            reason.starts_with("x yé") && reason.ends_with("é…"),
            "{reason}"
        );
        assert_eq!(reason.len(), MESSAGE - 1 + "…".len());
    }

    #[test]
    fn what_code_goes_by_is_not_cut_but_refused() {
        let long = "x".repeat(NAME + 1);
        let many: Vec<String> = (0..=EVIDENCE).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (finding, why) in [
            (found("", &[]), "a finding without a code"),
            (found(&long, &[]), "a finding's code of 257 bytes"),
            (found("a", &[&long]), "a name of evidence of 257 bytes"),
            (found("a", &["b", "b"]), "the evidence \"b\" twice"),
            (found("a", &many), "65 pieces of evidence"),
        ] {
            let broken = report(given(vec![finding]), 1).expect_err(why);
            assert!(broken.to_string().contains(why), "{broken}: {why}");
        }
        report(given(vec![found("a", &["b"])]), 1).expect("it is within bounds");
        let broken = report(given(vec![found("a", &[])]), 0).expect_err("one too many");
        assert_eq!(broken.to_string(), "1 findings; at most 0 are allowed");
    }
}
