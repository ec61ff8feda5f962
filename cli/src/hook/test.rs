//! `tidegate hook test`.

use std::path::PathBuf;

use serde::Serialize;
use tidegate_hooks::{Hook, Host, Limits, LogLine, Outcome, Usage, Vector, VectorFile};

use super::{
    build,
    compiler::host,
    component::Component,
    headroom::{self, Headroom},
    limits::LimitArgs,
    numbers,
};
use crate::{
    failure::{Exit, Failure},
    print::{Printer, table},
};

/// Run a hook's vectors, and see how far it is from its limits.
///
/// Vectors are data: what the hook is told, what the world answers, what must
/// come of it. Nothing is probed.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Test {
    /// A component, or a project's folder, which is built first.
    #[arg(value_name = "DIR|FILE", default_value = ".")]
    subject: PathBuf,
    /// The vectors [default: what hook.toml says, or vectors.yaml beside the component].
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArgs,
}

/// What came of all vectors.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Tested {
    hook: String,
    digest: String,
    failed: usize,
    vectors: Vec<Ran>,
    headroom: Vec<Headroom>,
}

/// What came of one vector.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Ran {
    vector: String,
    holds: bool,
    /// Each in a few lines.
    differences: Vec<String>,
    /// Of a vector about parameters there is no outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    log: Vec<LogLine>,
}

impl Test {
    /// Runs the verb.
    pub(super) async fn run(self, printer: Printer) -> Result<Exit, Failure> {
        let limits = self.limits.get()?;
        let component = if self.subject.is_dir() {
            build::build(&self.subject, printer).await?
        } else {
            Component::read(&self.subject)?
        };
        let file = component.vectors(self.vectors.as_deref())?;
        let host = host()?;
        let hook = component.prepare(&host).await?;
        let tested = test(&host, &hook, &limits, &file).await;
        printer.own_list(&tested, &tested.vectors, |ran| ran.vector.clone(), as_text)?;
        for warning in headroom::warnings(&tested.headroom) {
            printer.note(&warning);
        }
        Ok(if tested.failed == 0 {
            Exit::Ok
        } else {
            Exit::Differs
        })
    }
}

async fn test(host: &Host, hook: &Hook, limits: &Limits, file: &VectorFile) -> Tested {
    let mut vectors = Vec::new();
    for vector in &file.vectors {
        vectors.push(run(host, hook, limits, vector).await);
    }
    Tested {
        hook: hook.manifest().name.clone(),
        digest: hook.digest().to_string(),
        failed: vectors.iter().filter(|ran| !ran.holds).count(),
        vectors,
        headroom: headroom::measure(host, hook, limits, &file.vectors).await,
    }
}

async fn run(host: &Host, hook: &Hook, limits: &Limits, vector: &Vector) -> Ran {
    let run = vector.run(host, hook, limits).await;
    let differences = match &run.judged {
        Ok(()) => Vec::new(),
        Err(mismatch) => mismatch
            .discrepancies
            .iter()
            .map(ToString::to_string)
            .collect(),
    };
    let (outcome, usage, log) = match run.tape {
        Some(tape) => (Some(tape.outcome), Some(tape.usage), tape.log),
        None => (None, None, Vec::new()),
    };
    Ran {
        vector: vector.name.clone(),
        holds: run.judged.is_ok(),
        differences,
        outcome,
        usage,
        log,
    }
}

fn as_text(tested: &Tested) -> String {
    let heading = [
        "VECTOR", "HOLDS", "OUTCOME", "FINDINGS", "FUEL", "MEMORY", "PROBES",
    ];
    let mut text = table(heading, tested.vectors.iter().map(row));
    for ran in tested.vectors.iter().filter(|ran| !ran.holds) {
        text += &format!("\n\n{} does not hold:", ran.vector);
        for difference in &ran.differences {
            text += &format!("\n  {}", difference.replace('\n', "\n  "));
        }
        for line in &ran.log {
            text += &format!("\n  log: {}", line.message);
        }
    }
    let holding = tested.vectors.len() - tested.failed;
    text += &format!(
        "\n\n{}\n\n{holding} of {} vectors hold",
        headroom::as_text(&tested.headroom),
        tested.vectors.len()
    );
    text
}

fn row(ran: &Ran) -> [String; 7] {
    let (outcome, findings) = match &ran.outcome {
        Some(Outcome::Report(report)) => (
            report.verdict.to_string(),
            report.findings.len().to_string(),
        ),
        Some(Outcome::Failure(failure)) => (failure.kind.to_string(), String::new()),
        None => ("of parameters".to_owned(), String::new()),
    };
    let used = |shown: fn(&Usage) -> String| ran.usage.as_ref().map(shown).unwrap_or_default();
    [
        ran.vector.clone(),
        if ran.holds { "yes" } else { "NO" }.to_owned(),
        outcome,
        findings,
        used(|usage| numbers::count(usage.fuel)),
        used(|usage| numbers::bytes(usage.peak_memory)),
        used(|usage| usage.probes.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use tidegate_hooks::{Level, Report, Verdict};

    use super::*;

    fn ran(vector: &str, differences: &[&str]) -> Ran {
        Ran {
            vector: vector.to_owned(),
            holds: differences.is_empty(),
            differences: differences.iter().map(ToString::to_string).collect(),
            outcome: Some(Outcome::Report(Report {
                verdict: Verdict::Retry(15_000),
                reason: String::new(),
                findings: Vec::new(),
            })),
            usage: Some(Usage {
                fuel: 12_345,
                peak_memory: 1 << 20,
                probes: 2,
                elapsed_ms: 1,
            }),
            log: vec![LogLine {
                level: Level::Info,
                message: "asked twice".to_owned(),
            }],
        }
    }

    #[test]
    fn a_vector_that_does_not_hold_is_shown_with_what_came_instead() {
        let tested = Tested {
            hook: "db-ready".to_owned(),
            digest: "sha256:00".to_owned(),
            failed: 1,
            vectors: vec![
                ran("open", &[]),
                ran(
                    "closed",
                    &["verdict: expected hold", "findings:\n  expected a"],
                ),
            ],
            headroom: Vec::new(),
        };
        insta::assert_snapshot!(as_text(&tested), @r#"
        VECTOR  HOLDS  OUTCOME               FINDINGS  FUEL   MEMORY   PROBES
        open    yes    retry after 15000 ms  0         12.3k  1.0 MiB  2
        closed  NO     retry after 15000 ms  0         12.3k  1.0 MiB  2

        closed does not hold:
          verdict: expected hold
          findings:
            expected a
          log: asked twice

        no vector has servers, so it is not known what more of them need

        1 of 2 vectors hold
        "#);
    }
}
