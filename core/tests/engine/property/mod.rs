//! One property: whatever happens to an execution, in whatever order, the
//! laws hold after every change, and once the world heals it ends as its
//! record implies.

pub(crate) mod drs;
pub(crate) mod genes;
pub(crate) mod heal;
pub(crate) mod hook_laws;
pub(crate) mod laws;
pub(crate) mod steps;
pub(crate) mod verdict;
pub(crate) mod world;

use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};
use tidegate_core::engine::Event;

use self::{
    genes::{Setting, setting},
    steps::{Step, steps},
    world::World,
};

const CASES: u32 = 8_000;

#[test]
fn no_interleaving_breaks_a_law_and_every_execution_ends() {
    let cases = std::env::var("TIDEGATE_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(CASES);
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(
        &(setting(), any::<bool>(), steps()),
        |(setting, early, steps)| {
            live(&setting, early, &steps);
            Ok::<(), TestCaseError>(())
        },
    );
    if let Err(broken) = outcome {
        panic!("{broken}");
    }
}

/// One life of an execution. With `early`, people may ask for things before
/// it begins.
pub(crate) fn live(setting: &Setting, early: bool, steps: &[Step]) -> World {
    let mut world = World::new(setting);
    if !early {
        world.hear(Event::Start);
    }
    for (ix, step) in steps.iter().enumerate() {
        if early && ix == 3 {
            world.hear(Event::Start);
        }
        world.step(step);
    }
    world.heal();
    world
}
