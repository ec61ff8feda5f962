//! Deterministic simulation: the real engine and the real driver in a world
//! whose time, network, disk and deaths one seed decides.
//!
//! Processes are tokio runtimes that are dropped to kill them; the driver's
//! ports lead into one [`world`], in which every call waits until the
//! scheduler picks its [fate](calls::Fate): done, done and the answer lost,
//! never done, done later, done twice, refused, throttled. DRS is the
//! emulator's model, the journal is the one in memory. After every step the
//! rules are checked: by the [`ledger`], which folds the journal beside the
//! driver; by the [`people`], who know what they were answered; by the
//! [`watchers`]; and against the [`truth`], which is what DRS really has. In
//! the end the world [heals](heal), and everything must end as DRS says.
//!
//! A [`cluster`] of several owners with leases, which all accept everything,
//! lives in the same world.
//!
//! What is *not* simulated: gRPC, the AWS adapters and the disk, each of which
//! has its own tests.

mod calls;
mod chance;
mod cluster;
mod corpus;
mod errors;
mod fates;
mod heal;
mod ledger;
mod patience;
mod people;
mod plans;
mod planted;
mod ports;
mod process;
mod reach;
mod run;
mod simulation;
mod swarm;
mod trace;
mod truth;
mod watchers;
mod world;

/// Seeds of one run, unless `TIDEGATE_SEEDS` says otherwise.
const SEEDS: u64 = 2_000;
/// Seeds that run at the same time.
const THREADS: usize = 2;

#[test]
fn no_seed_breaks_a_rule() {
    let seeds = number("TIDEGATE_SEEDS").unwrap_or(SEEDS);
    let first = number("TIDEGATE_FIRST_SEED").unwrap_or(0);
    let (lines, broken) = run::every(first..first + seeds, |seed| run::once(seed, None));
    println!("{seeds} seeds, {lines} lines of trace");
    if let Some((seed, rule)) = broken {
        let replay = run::replay("TIDEGATE_SEED", "one_seed", seed);
        panic!("seed {seed}: {rule}\nreplay it:\n  {replay}");
    }
}

#[test]
fn one_seed() {
    let seed = number("TIDEGATE_SEED");
    let outcome = run::twice(|| run::once(seed.unwrap_or(1), None));
    if seed.is_some() {
        println!("{}", outcome.lines.join("\n"));
    }
    assert_eq!(outcome.broken, None);
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
