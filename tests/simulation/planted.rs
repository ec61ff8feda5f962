//! A simulation that finds nothing shows nothing. Here are bugs that it must
//! find, each planted in the code under test for one run.

use std::sync::Mutex;

use tidegate_core::engine::Planted as InEngine;
use tidegate_gateway::driver::Planted as InDriver;

use crate::{THREADS, process::Bug, run};

/// Seeds after which a bug counts as not found.
const SEEDS: u64 = 2_000;

const BUGS: [Bug; 14] = [
    Bug::Driver(InDriver::SkipsFence),
    Bug::Driver(InDriver::AnswersTooSoon),
    Bug::Driver(InDriver::ActsTooSoon),
    Bug::Driver(InDriver::ForgetsNonce),
    Bug::Driver(InDriver::ForgetsRequests),
    Bug::Driver(InDriver::ForgetsClaims),
    Bug::Driver(InDriver::GivesUpTakeovers),
    Bug::Driver(InDriver::GivesServersAway),
    Bug::Driver(InDriver::LosesJobs),
    Bug::Engine(InEngine::ForgetsPause),
    Bug::Engine(InEngine::JudgesEarly),
    Bug::Engine(InEngine::AsksAgainBlindly),
    Bug::Engine(InEngine::AdoptsNewest),
    Bug::Engine(InEngine::BelievesFirstLook),
];

#[test]
fn every_planted_bug_is_found() {
    let (bugs, missed) = (Mutex::new(BUGS.to_vec()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(bug) = bugs.lock().expect("no thread panics").pop() {
                    if let Some((seeds, rule)) = found(bug) {
                        println!("{bug:?}: found by seed {seeds}: {rule}");
                    } else {
                        missed.lock().expect("no thread panics").push(bug);
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().expect("no thread panics");
    assert_eq!(missed, [], "not found within {SEEDS} seeds");
}

fn found(bug: Bug) -> Option<(u64, String)> {
    (0..SEEDS).find_map(|seed| Some((seed, run::once(seed, Some(bug)).broken?)))
}
