//! `tidegate plan ready`.

use tidegate_proto::v1::{
    CheckReadinessRequest, CheckReadinessResponse, readiness_finding::Severity,
};

use crate::{
    failure::{Exit, Failure},
    print::table,
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
    if answer.findings.is_empty() {
        return headline;
    }
    let rows = answer.findings.iter().map(|finding| {
        [
            severity(finding.severity()).to_owned(),
            finding.code.clone(),
            finding.wave.clone(),
            finding.server.clone(),
            finding.message.clone(),
        ]
    });
    let heading = ["SEVERITY", "CODE", "WAVE", "SERVER", "MESSAGE"];
    format!("{headline}\n\n{}", table(heading, rows))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Unspecified => "UNKNOWN",
        Severity::Info => "INFO",
        Severity::Warning => "WARNING",
        Severity::Blocking => "BLOCKING",
    }
}
