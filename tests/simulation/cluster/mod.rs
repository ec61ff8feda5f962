//! Several members with leases over one journal and one table: their clocks
//! drift, they stand still for longer than a lease, die, join and leave, and
//! their calls of journal and table meet the same fates as all others. People
//! go to any of them.
//!
//! Beside the rules of a single owner: nobody asks DRS for an execution that
//! another member has taken over.

mod life;
mod recovery;

use tidegate_gateway::driver::Planted;

use self::life::Life;
use crate::{
    errors::Errors,
    number,
    process::Bug,
    run::{self, Outcome},
};

/// Seeds of one run, unless `TIDEGATE_CLUSTER_SEEDS` says otherwise.
const SEEDS: u64 = 600;
/// Seeds after which a bug counts as not found.
const BUG_SEEDS: u64 = 1_000;

/// An owner that forgets its nonce is none of them: it reads what it has written
/// itself like what others have, and decides anew. Nor is one that does not read
/// what a dead member wrote, or forgets whom it could not tell: `suite/cluster`
/// shows both, and here somebody nearly always asks again. Nor is one that gives
/// back what came back to it, shown there as well: what has to happen for that
/// seldom does by chance.
const BUGS: [Bug; 6] = [
    Bug::Driver(Planted::ActsWithoutLease),
    Bug::Driver(Planted::TakesTooSoon),
    Bug::Driver(Planted::SkipsFence),
    Bug::Driver(Planted::ForgetsClaims),
    Bug::Driver(Planted::ActsTooSoon),
    Bug::Driver(Planted::KeepsRoom),
];

fn once(seed: u64, bug: Option<Bug>) -> Outcome {
    let errors = Errors::default();
    tracing::subscriber::with_default(errors.clone(), || {
        let mut life = Life::new(seed, bug, errors);
        let lived = life.live().and_then(|()| life.heal());
        life.end();
        Outcome::of(lived, &life.world)
    })
}

#[test]
fn no_seed_of_a_cluster_breaks_a_rule() {
    let seeds = number("TIDEGATE_CLUSTER_SEEDS").unwrap_or(SEEDS);
    let first = number("TIDEGATE_FIRST_CLUSTER_SEED").unwrap_or(0);
    let (lines, broken) = run::every(first..first + seeds, |seed| once(seed, None));
    println!("{seeds} seeds, {lines} lines of trace");
    if let Some((seed, rule)) = broken {
        let replay = run::replay("TIDEGATE_CLUSTER_SEED", "one_seed_of_a_cluster", seed);
        panic!("seed {seed}: {rule}\nreplay it:\n  {replay}");
    }
}

#[test]
fn one_seed_of_a_cluster() {
    let seed = number("TIDEGATE_CLUSTER_SEED");
    let outcome = run::twice(|| once(seed.unwrap_or(1), None));
    if seed.is_some() {
        println!("{}", outcome.lines.join("\n"));
    }
    assert_eq!(outcome.broken, None);
}

#[test]
fn every_bug_planted_in_a_cluster_is_found() {
    let missed = run::missed(&BUGS, BUG_SEEDS, once);
    assert_eq!(missed, [], "not found within {BUG_SEEDS} seeds");
}
