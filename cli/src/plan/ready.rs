//! `tidegate plan ready`.

use tidegate_proto::v1::{
    CheckReadinessRequest, CheckReadinessResponse, readiness_finding::Severity,
};

use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Look at DRS and say what would keep a plan from working now.
///
/// Exits with code 9 if a finding is BLOCKING.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Ready {
    /// Name of the plan.
    plan: String,
    /// Revision of the plan [default: the newest].
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    revision: u64,
}

impl Ready {
    /// Runs the verb.
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let request = CheckReadinessRequest {
            name: self.plan,
            revision: self.revision,
        };
        let answer = session
            .gateway
            .ask(async || {
                let mut plans = session.gateway.plans();
                plans.check_readiness(request.clone()).await
            })
            .await?;
        session.printer.one(&answer, &request.name, as_table)?;
        Ok(if answer.ready { Exit::Ok } else { Exit::State })
    }
}

fn as_table(answer: &CheckReadinessResponse) -> String {
    let word = if answer.ready { "ready" } else { "not ready" };
    let headline = format!(
        "{word}: {} servers would be launched now",
        answer.server_count
    );
    let mut text = headline;
    // Findings come worst first, so each severity is one block.
    let mut last = None;
    for finding in &answer.findings {
        if last.replace(finding.severity()) != Some(finding.severity()) {
            text.push_str(&format!("\n\n{}", severity(finding.severity())));
        }
        let wave = Some(finding.wave.as_str()).filter(|wave| !wave.is_empty());
        let server = Some(finding.server.as_str()).filter(|server| !server.is_empty());
        let place: Vec<&str> = wave.into_iter().chain(server).collect();
        let place = if place.is_empty() {
            "the plan".to_owned()
        } else {
            place.join(" ")
        };
        let (code, message) = (&finding.code, &finding.message);
        text.push_str(&format!("\n  {code}  {place}: {message}"));
        if !finding.remedy.is_empty() {
            text.push_str(&format!("\n      {}", finding.remedy));
        }
    }
    text
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Unspecified => "UNKNOWN",
        Severity::Info => "INFO",
        Severity::Warning => "WARNING",
        Severity::Blocking => "BLOCKING",
    }
}

#[cfg(test)]
mod tests {
    use tidegate_proto::v1::ReadinessFinding;

    use super::*;

    #[test]
    fn findings_are_grouped_by_severity_and_say_what_to_do() {
        let finding = |severity: Severity, server: &str| ReadinessFinding {
            severity: severity.into(),
            code: "CODE".to_owned(),
            wave: "web".to_owned(),
            server: server.to_owned(),
            message: "is wrong".to_owned(),
            remedy: "Mend it.".to_owned(),
        };
        let answer = CheckReadinessResponse {
            ready: false,
            findings: vec![
                finding(Severity::Blocking, "s-1"),
                finding(Severity::Blocking, "s-2"),
                finding(Severity::Info, ""),
            ],
            server_count: 2,
        };
        let wanted = "not ready: 2 servers would be launched now\n\n\
            BLOCKING\n  CODE  web s-1: is wrong\n      Mend it.\n  \
            CODE  web s-2: is wrong\n      Mend it.\n\n\
            INFO\n  CODE  web: is wrong\n      Mend it.";
        assert_eq!(as_table(&answer), wanted);
    }
}
