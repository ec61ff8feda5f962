//! Several members with leases over one journal and one table: their clocks
//! drift, they stand still for longer than a lease, die, join and leave, and
//! their calls of journal and table meet the same fates as all others. People
//! go to any of them.
//!
//! Beside the rules of a single owner: nobody asks DRS for an execution that
//! another member has taken over.
//!
//! A seed nearly always lives the same life again; reads of those who follow an
//! execution may come in another order.

mod life;
mod recovery;

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use tidegate_gateway::driver::Planted;

use self::life::Life;
use crate::{THREADS, errors::Errors, number, process::Bug, world::lock};

/// Seeds of one run, unless `TIDEGATE_CLUSTER_SEEDS` says otherwise.
const SEEDS: u64 = 600;
/// Seeds after which a bug counts as not found.
const BUG_SEEDS: u64 = 1_000;

const BUGS: [Bug; 5] = [
    Bug::Driver(Planted::ActsWithoutLease),
    Bug::Driver(Planted::ForgetsUntold),
    Bug::Driver(Planted::SkipsFence),
    Bug::Driver(Planted::ForgetsClaims),
    Bug::Driver(Planted::ActsTooSoon),
];

struct Outcome {
    broken: Option<String>,
    lines: Vec<String>,
}

fn once(seed: u64, bug: Option<Bug>) -> Outcome {
    let errors = Errors::default();
    tracing::subscriber::with_default(errors.clone(), || {
        let mut life = Life::new(seed, bug, errors);
        let lived = life.live().and_then(|()| life.heal());
        life.end();
        let trace = std::mem::take(&mut lock(&life.world).trace);
        Outcome {
            broken: lived.err(),
            lines: trace.into_lines(),
        }
    })
}

fn replay(seed: u64) -> String {
    format!(
        "TIDEGATE_CLUSTER_SEED={seed} cargo test -p tidegate-tests --test simulation \
         one_seed_of_a_cluster -- --nocapture"
    )
}

#[test]
fn no_seed_of_a_cluster_breaks_a_rule() {
    let seeds = number("TIDEGATE_CLUSTER_SEEDS").unwrap_or(SEEDS);
    let (next, steps) = (AtomicU64::new(0), AtomicU64::new(0));
    let broken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let outcome = once(seed, None);
                    steps.fetch_add(outcome.lines.len() as u64, Ordering::Relaxed);
                    if let Some(rule) = outcome.broken {
                        next.store(seeds, Ordering::Relaxed);
                        let mut broken = broken.lock().expect("no thread panics");
                        broken.push((seed, rule));
                    }
                }
            });
        }
    });
    println!("{seeds} seeds, {} lines of trace", steps.into_inner());
    let broken = broken.into_inner().expect("no thread panics");
    if let Some((seed, rule)) = broken.into_iter().min() {
        panic!("seed {seed}: {rule}\nreplay it:\n  {}", replay(seed));
    }
}

#[test]
fn one_seed_of_a_cluster() {
    let seed = number("TIDEGATE_CLUSTER_SEED");
    let outcome = once(seed.unwrap_or(1), None);
    if seed.is_some() {
        println!("{}", outcome.lines.join("\n"));
    }
    assert_eq!(outcome.broken, None);
}

#[test]
fn every_bug_planted_in_a_cluster_is_found() {
    let (bugs, missed) = (Mutex::new(BUGS.to_vec()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(bug) = next(&bugs) {
                    if let Some((seed, rule)) = found(bug) {
                        println!("{bug:?}: found by seed {seed}: {rule}");
                    } else {
                        missed.lock().expect("no thread panics").push(bug);
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().expect("no thread panics");
    assert_eq!(missed, [], "not found within {BUG_SEEDS} seeds");
}

fn next(bugs: &Mutex<Vec<Bug>>) -> Option<Bug> {
    bugs.lock().expect("no thread panics").pop()
}

fn found(bug: Bug) -> Option<(u64, String)> {
    (0..BUG_SEEDS).find_map(|seed| Some((seed, once(seed, Some(bug)).broken?)))
}
