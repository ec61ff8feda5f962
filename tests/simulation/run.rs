//! Running seeds: each twice, and both runs must be the same.

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    THREADS,
    errors::Errors,
    process::Bug,
    simulation::Simulation,
    world::{SharedWorld, lock},
};

/// What came of one run.
pub(crate) struct Outcome {
    pub(crate) broken: Option<String>,
    pub(crate) hash: u64,
    pub(crate) lines: Vec<String>,
}

impl Outcome {
    /// Of a life that is over, and the world that it was lived in.
    pub(crate) fn of(lived: Result<(), String>, world: &SharedWorld) -> Self {
        let trace = std::mem::take(&mut lock(world).trace);
        Self {
            broken: lived.err(),
            hash: trace.hash(),
            lines: trace.into_lines(),
        }
    }
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
        Outcome::of(lived, &simulation.world)
    })
}

/// The same life twice; the second run shows that the first can be replayed.
pub(crate) fn twice(once: impl Fn() -> Outcome) -> Outcome {
    let (first, second) = (once(), once());
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

/// Lives every seed twice, until one breaks a rule. Returns how many lines all
/// traces have, and the seed with its rule.
pub(crate) fn every(
    seeds: Range<u64>,
    once: impl Fn(u64) -> Outcome + Sync,
) -> (u64, Option<(u64, String)>) {
    let (next, lines) = (AtomicU64::new(seeds.start), AtomicU64::new(0));
    let until_broken = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds.end {
            return None;
        }
        let outcome = twice(|| once(seed));
        lines.fetch_add(outcome.lines.len() as u64, Ordering::Relaxed);
        if let Some(rule) = outcome.broken {
            next.store(seeds.end, Ordering::Relaxed);
            return Some((seed, rule));
        }
    };
    let broken = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(until_broken)).collect();
        let broken = threads
            .into_iter()
            .filter_map(|thread| thread.join().expect("the simulation itself does not panic"));
        broken.min()
    });
    (lines.into_inner(), broken)
}

/// Plants each bug, and looks for it in so many seeds. Returns those that are
/// not found.
#[expect(clippy::print_stdout, reason = "figures for whoever runs it")]
pub(crate) fn missed(
    bugs: &[Bug],
    seeds: u64,
    once: impl Fn(u64, Option<Bug>) -> Outcome + Sync,
) -> Vec<Bug> {
    let (left, missed) = (Mutex::new(bugs.to_vec()), Mutex::new(Vec::new()));
    let next = || left.lock().expect("no thread panics").pop();
    let look = || {
        while let Some(bug) = next() {
            let found = (0..seeds).find_map(|seed| Some((seed, once(seed, Some(bug)).broken?)));
            match found {
                Some((seed, rule)) => println!("{bug:?}: found by seed {seed}: {rule}"),
                None => missed.lock().expect("no thread panics").push(bug),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(look);
        }
    });
    missed.into_inner().expect("no thread panics")
}

/// The command that shows this again, with all that happened before it.
pub(crate) fn replay(variable: &str, test: &str, seed: u64) -> String {
    format!(
        "{variable}={seed} cargo test -p tidegate-tests --test simulation {test} -- --nocapture"
    )
}
