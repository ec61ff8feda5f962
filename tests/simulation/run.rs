//! Running seeds: each twice, and both runs must be the same.

use crate::{errors::Errors, process::Bug, simulation::Simulation, world::lock};

/// What came of one run.
pub(crate) struct Outcome {
    pub(crate) broken: Option<String>,
    pub(crate) hash: u64,
    pub(crate) steps: usize,
    pub(crate) lines: Vec<String>,
}

/// One life and its end.
pub(crate) fn once(seed: u64, bug: Option<Bug>) -> Outcome {
    let errors = Errors::default();
    tracing::subscriber::with_default(errors.clone(), || {
        let mut simulation = Simulation::new(seed, bug, errors);
        let lived = simulation.live().and_then(|()| simulation.heal());
        while !simulation.processes.is_empty() {
            simulation.kill(0);
        }
        let trace = std::mem::take(&mut lock(&simulation.world).trace);
        Outcome {
            broken: lived.err(),
            hash: trace.hash(),
            steps: trace.len(),
            lines: trace.into_lines(),
        }
    })
}

/// The same seed twice; the second run shows that the first can be replayed.
pub(crate) fn twice(seed: u64) -> Outcome {
    let first = once(seed, None);
    let second = once(seed, None);
    if first.hash == second.hash {
        return first;
    }
    let differ = first
        .lines
        .iter()
        .zip(&second.lines)
        .position(|(a, b)| a != b);
    let at = differ.unwrap_or_else(|| first.lines.len().min(second.lines.len()));
    let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
    Outcome {
        broken: Some(format!(
            "two runs differ at line {at}:\n  {}\n  {}",
            line(&first.lines),
            line(&second.lines)
        )),
        ..first
    }
}

/// The command that shows this again, with all that happened before it.
pub(crate) fn replay(seed: u64) -> String {
    format!(
        "TIDEGATE_SEED={seed} cargo test -p tidegate-tests --test simulation one_seed -- --nocapture"
    )
}
