//! Power that goes at any write, sync or change of length: while the journal
//! is made, opened and repaired, written, and closed; several times in a row.
//! Each time what is found must be all that was acknowledged, with the commit
//! under way there as a whole or not at all.

mod changes;
mod contents;
mod disk;
mod life;
mod random;

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use self::{
    disk::Syncs,
    life::{Tally, live},
};

/// How many seeds a run tries; another number in `TIDEGATE_POWER_SEEDS`, or
/// one seed alone in `TIDEGATE_POWER_SEED`.
const SEEDS: u64 = 3_000;
const THREADS: usize = 2;

#[test]
fn whenever_the_power_goes_all_that_was_acknowledged_is_there_and_nothing_in_part() {
    let began = Instant::now();
    let (first, count) = match (
        number("TIDEGATE_POWER_SEED"),
        number("TIDEGATE_POWER_SEEDS"),
    ) {
        (Some(seed), _) => (seed, 1),
        (None, count) => (0, count.unwrap_or(SEEDS)),
    };
    let outcomes = run(first, count, Syncs::Honest, false);
    let mut sum = Tally::default();
    for (seed, outcome) in outcomes {
        match outcome {
            Ok(tally) => sum.add(&tally),
            Err(broken) => panic!(
                "seed {seed}: {broken}\nagain: TIDEGATE_POWER_SEED={seed} cargo test --package \
                 tidegate-gateway --lib whenever_the_power_goes"
            ),
        }
    }
    tell(&format!("{count} seeds in {:?}: {sum:?}", began.elapsed()));
    if count >= SEEDS {
        sum.has_tried_everything();
    }
}

/// As the gateway does it: here a seed does not determine everything.
#[test]
fn nor_is_anything_lost_while_a_thread_syncs_the_pages() {
    const SEEDS: u64 = 500;
    for (seed, outcome) in run(0, SEEDS, Syncs::Honest, true) {
        if let Err(broken) = outcome {
            panic!("seed {seed}: {broken}");
        }
    }
}

/// The control: a disk that says "synced" and is not is found out.
#[test]
fn a_disk_that_lies_about_syncs_is_caught() {
    const SEEDS: u64 = 100;
    let lies = [
        Syncs::Lying { one_in: 1 },
        Syncs::Lying { one_in: 10 },
        Syncs::LyingOfPages,
    ];
    for syncs in lies {
        let outcomes = run(0, SEEDS, syncs, false);
        let caught = outcomes.iter().filter(|(_, outcome)| outcome.is_err());
        let caught = caught.count();
        tell(&format!("{syncs:?}: caught by {caught} of {SEEDS} seeds"));
        assert!(caught >= 10, "{caught}");
    }
}

/// A seed is all that a run depends on, so that it can be run again.
#[test]
fn a_seed_determines_all_that_happens() {
    let twice = [(); 2].map(|()| run(0, 20, Syncs::Honest, false));
    let [first, second] = twice.map(|outcomes| format!("{outcomes:?}"));
    assert_eq!(first, second);
}

type Outcome = Result<Tally, life::Broken>;

/// Runs so many seeds, and gives what came of them in order.
fn run(first: u64, count: u64, syncs: Syncs, in_background: bool) -> Vec<(u64, Outcome)> {
    let next = AtomicU64::new(first);
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let mut outcomes = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return outcomes;
            }
            outcomes.push((seed, runtime.block_on(live(seed, syncs, in_background))));
        }
    };
    let mut outcomes: Vec<_> = thread::scope(|scope| {
        let threads = [(); THREADS].map(|()| scope.spawn(work));
        threads.map(|thread| thread.join().expect("no seed panics"))
    })
    .into_iter()
    .flatten()
    .collect();
    outcomes.sort_by_key(|(seed, _)| *seed);
    outcomes
}

fn tell(figures: &str) {
    println!("{figures}");
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().expect("a number"))
}

impl Tally {
    fn add(&mut self, other: &Self) {
        let Self {
            in_creation,
            in_recovery,
            in_commit,
            in_close,
            answered,
            kept,
            lost,
            operations,
        } = other;
        self.in_creation += in_creation;
        self.in_recovery += in_recovery;
        self.in_commit += in_commit;
        self.in_close += in_close;
        self.answered += answered;
        self.kept += kept;
        self.lost += lost;
        self.operations += operations;
    }

    /// A harness that cuts nothing finds nothing.
    fn has_tried_everything(&self) {
        let rare = [self.in_creation, self.in_recovery, self.in_close, self.kept];
        assert!(rare.into_iter().all(|cuts| cuts > 50), "{self:?}");
        let common = [self.in_commit, self.lost];
        assert!(common.into_iter().all(|cuts| cuts > 500), "{self:?}");
    }
}
