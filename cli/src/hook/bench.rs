//! `tidegate hook bench`.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde::Serialize;
use tidegate_hooks::{Expected, Hook, Host, Limits, Outcome, Vector, VectorFile};

use super::{
    compiler::{compiler, host},
    component::Component,
    limits::LimitArgs,
    numbers,
    run::outcome,
};
use crate::{
    failure::{Exit, Failure},
    print::{Printer, table},
};

/// Measure how long a hook takes.
///
/// Each run is a fresh sandbox, as in an execution. The probes are answered by
/// the vector, in no time.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Bench {
    /// The component, or the folder in which `hook build` left it.
    #[arg(value_name = "FILE")]
    component: PathBuf,
    /// The vectors, of which the first that is about a verdict is run
    /// [default: what hook.toml says, or vectors.yaml beside the component].
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// How often it is run.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    runs: u32,
    #[command(flatten)]
    limits: LimitArgs,
}

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Measured {
    hook: String,
    digest: String,
    component_bytes: u64,
    artifact_bytes: u64,
    compile_us: u64,
    vector: String,
    outcome: String,
    runs: u32,
    check_p50_us: u64,
    check_p99_us: u64,
    fuel: u64,
    peak_memory: u64,
}

impl Bench {
    /// Runs the verb.
    pub(super) async fn run(self, printer: Printer) -> Result<Exit, Failure> {
        let limits = self.limits.get()?;
        let component = Component::read(&self.component)?;
        let file = component.vectors(self.vectors.as_deref())?;
        let vector = first(&file)?;
        let (compile, artifact_bytes) = compile(&component).await?;
        let host = host()?;
        let hook = component.prepare(&host).await?;
        let (times, tape) = check(&host, &hook, &limits, vector, self.runs).await;
        let measured = Measured {
            hook: hook.manifest().name.clone(),
            digest: hook.digest().to_string(),
            component_bytes: component.bytes.len() as u64,
            artifact_bytes,
            compile_us: micros(compile),
            vector: vector.name.clone(),
            outcome: outcome(&tape.outcome),
            runs: self.runs,
            check_p50_us: micros(percentile(&times, 50)),
            check_p99_us: micros(percentile(&times, 99)),
            fuel: tape.usage.fuel,
            peak_memory: tape.usage.peak_memory,
        };
        printer.own(&measured, &measured.hook, as_text)?;
        Ok(match tape.outcome {
            Outcome::Report(_) => Exit::Ok,
            Outcome::Failure(_) => Exit::Error,
        })
    }
}

fn first(file: &VectorFile) -> Result<&Vector, Failure> {
    let about_a_verdict = |vector: &&Vector| matches!(vector.expected, Expected::Verdict { .. });
    file.vectors.iter().find(about_a_verdict).ok_or_else(|| {
        Failure::Invalid("no vector is about a verdict, so there is nothing to run".to_owned())
    })
}

/// The time of a compilation in a child of its own, and the artifact's size.
async fn compile(component: &Component) -> Result<(Duration, u64), Failure> {
    let started = Instant::now();
    let compiled = compiler()?.compile(&component.bytes).await;
    let artifact = compiled
        .map_err(|error| Failure::Invalid(format!("{}: {error}", component.path.display())))?;
    Ok((started.elapsed(), artifact.len() as u64))
}

/// The times of so many runs, sorted, and the last tape.
async fn check(
    host: &Host,
    hook: &Hook,
    limits: &Limits,
    vector: &Vector,
    runs: u32,
) -> (Vec<Duration>, tidegate_hooks::Tape) {
    let mut times = Vec::new();
    let mut once = async || {
        let probes = vector.probes();
        let started = Instant::now();
        let tape = host.check(hook, limits, &vector.context, &probes).await;
        times.push(started.elapsed());
        tape
    };
    let mut tape = once().await;
    for _ in 1..runs {
        tape = once().await;
    }
    times.sort_unstable();
    (times, tape)
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(last * percent / 100)
        .copied()
        .unwrap_or_default()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn as_text(measured: &Measured) -> String {
    let time = |micros| numbers::time(Duration::from_micros(micros));
    let rows = [
        ("component", numbers::bytes(measured.component_bytes)),
        ("compiled", numbers::bytes(measured.artifact_bytes)),
        ("compilation", time(measured.compile_us)),
        ("vector", measured.vector.clone()),
        ("outcome", measured.outcome.clone()),
        ("runs", measured.runs.to_string()),
        ("check p50", time(measured.check_p50_us)),
        ("check p99", time(measured.check_p99_us)),
        ("fuel", numbers::count(measured.fuel)),
        ("memory", numbers::bytes(measured.peak_memory)),
    ];
    let rows = rows.map(|(what, value)| [what.to_owned(), value]);
    table([measured.hook.as_str(), ""], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(50));
        assert_eq!(percentile(&times, 99), Duration::from_millis(99));
        assert_eq!(percentile(&times[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
