//! A simulation that finds nothing shows nothing. Here are bugs that it must
//! find, each planted in the code under test for one run.

use tidegate_core::engine::Planted as InEngine;
use tidegate_gateway::driver::Planted as InDriver;

use crate::{process::Bug, run};

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
    let missed = run::missed(&BUGS, SEEDS, run::once);
    assert_eq!(missed, [], "not found within {SEEDS} seeds");
}
