//! `tidegate hook run`.

use std::{fs, path::PathBuf};

use clap::ValueEnum;
use jiff::Timestamp;
use tidegate_hooks::{
    Context, Entries, Hook, Limits, LiveProbes, Mode, Network, Outcome, Phase, Setting, Severity,
    Tape,
};

use super::{
    compiler::host, component::Component, limits::LimitArgs, numbers, targets::TargetArgs,
};
use crate::{
    failure::{Exit, Failure},
    print::{Printer, table},
};

/// Ask a hook once about live servers and endpoints.
///
/// Probes are really made, under the network policy of a gateway. Exits 0 with
/// any verdict, and 1 if the hook gave none.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Run {
    /// The component, or the folder in which `hook build` left it.
    #[arg(value_name = "FILE")]
    component: PathBuf,
    #[command(flatten)]
    targets: TargetArgs,
    /// Which side of the launch it is asked on.
    #[arg(long, value_enum, default_value = "post-wave")]
    phase: PhaseArg,
    /// Let it reach this machine; no other rule is relaxed.
    #[arg(long)]
    allow_loopback: bool,
    /// Where to write the tape, which `hook replay` plays.
    #[arg(long, value_name = "FILE")]
    tape: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Which side of the launch.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PhaseArg {
    PreWave,
    PostWave,
}

impl From<PhaseArg> for Phase {
    fn from(phase: PhaseArg) -> Self {
        match phase {
            PhaseArg::PreWave => Self::PreWave,
            PhaseArg::PostWave => Self::PostWave,
        }
    }
}

impl Run {
    /// Runs the verb.
    pub(super) async fn run(self, printer: Printer) -> Result<Exit, Failure> {
        let limits = self.limits.get()?;
        let component = Component::read(&self.component)?;
        let host = host()?;
        let hook = component.prepare(&host).await?;
        let context = self.context(&hook, &limits)?;
        let probes = self.probes(&hook, &limits)?;
        let accepts = host.accepts(&hook, &limits, &context.parameters).await;
        accepts.map_err(|failure| {
            Failure::Invalid(format!("the hook refuses the parameters: {failure}"))
        })?;
        let tape = host.check(&hook, &limits, &context, &probes).await;
        if let Some(path) = &self.tape {
            write(&tape, path)?;
            printer.note(&format!("tape written to {}", path.display()));
        }
        printer.own(&tape, &outcome(&tape.outcome), as_text)?;
        Ok(match tape.outcome {
            Outcome::Report(_) => Exit::Ok,
            Outcome::Failure(_) => Exit::Error,
        })
    }

    fn context(&self, hook: &Hook, limits: &Limits) -> Result<Context, Failure> {
        let phase = Phase::from(self.phase);
        if !hook.manifest().phases.contains(&phase) {
            let other = match phase {
                Phase::PreWave => "post-wave",
                Phase::PostWave => "pre-wave",
            };
            return Err(Failure::Invalid(format!(
                "hook {} is for another phase; write --phase {other}",
                hook.manifest().name
            )));
        }
        let now = Timestamp::now();
        let deadline = now
            .checked_add(limits.wall)
            .map_err(|error| Failure::Other(format!("the clock is wrong: {error}")))?;
        Ok(Context {
            plan: "none".to_owned(),
            execution: "none".to_owned(),
            wave: "none".to_owned(),
            phase,
            mode: Mode::Drill,
            attempt: 1,
            now: now.to_string(),
            deadline: deadline.to_string(),
            remaining_ms: u32::try_from(limits.wall.as_millis()).unwrap_or(u32::MAX),
            servers: self.targets.servers(phase),
            upstream: Vec::new(),
            parameters: self.targets.parameters()?,
            facts: Entries::new(),
            earlier: Vec::new(),
        })
    }

    fn probes(&self, hook: &Hook, limits: &Limits) -> Result<LiveProbes, Failure> {
        let grants = self.targets.grants(hook.manifest())?;
        let setting = if self.allow_loopback {
            Setting::Development
        } else {
            Setting::Production
        };
        LiveProbes::new(&grants, limits, setting, Network::system())
            .map_err(|error| Failure::Invalid(error.to_string()))
    }
}

fn write(tape: &Tape, path: &PathBuf) -> Result<(), Failure> {
    let mut json = serde_json::to_string_pretty(tape).expect("a tape has string keys only");
    json.push('\n');
    fs::write(path, json)
        .map_err(|error| Failure::Other(format!("cannot write {}: {error}", path.display())))
}

/// In a word or two.
pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Report(report) => report.verdict.to_string(),
        Outcome::Failure(failure) => format!("no verdict ({})", failure.kind),
    }
}

fn as_text(tape: &Tape) -> String {
    let (why, findings) = match &tape.outcome {
        Outcome::Report(report) => (&report.reason, report.findings.as_slice()),
        Outcome::Failure(failure) => (&failure.message, &[][..]),
    };
    let rows = [
        ("because", why.clone()),
        ("fuel", numbers::count(tape.usage.fuel)),
        ("memory", numbers::bytes(tape.usage.peak_memory)),
        ("probes", tape.usage.probes.to_string()),
        ("time", format!("{} ms", tape.usage.elapsed_ms)),
    ];
    let said = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let rows = said.map(|(what, value)| [what.to_owned(), value]);
    let mut text = table([outcome(&tape.outcome).as_str(), ""], rows);
    if !findings.is_empty() {
        let rows = findings.iter().map(|finding| {
            [
                severity(finding.severity).to_owned(),
                finding.code.clone(),
                finding.subject.clone(),
                finding.message.clone(),
            ]
        });
        text += "\n\n";
        text += &table(["FINDING", "CODE", "SUBJECT", "MESSAGE"], rows);
    }
    if !tape.log.is_empty() {
        text += "\n\nLOG";
    }
    for line in &tape.log {
        text += &format!("\n  {}", line.message);
    }
    text
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
