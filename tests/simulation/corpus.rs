//! Seeds that broke a rule while this was built. They must not again.

use tidegate_gateway::driver::Planted;

use crate::{process::Bug, run};

const SEEDS: &str = include_str!("corpus/seeds.txt");

#[test]
fn seeds_that_broke_a_rule_stay_mended() {
    let lines = SEEDS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let seed = words.next().and_then(|seed| seed.parse().ok());
        let seed: u64 = seed.unwrap_or_else(|| panic!("{line}: no seed"));
        match words.next() {
            Some("-") => {
                let broken = run::twice(seed).broken;
                assert_eq!(broken, None, "{line}\n{}", run::replay(seed));
            }
            Some("GivesUpTakeovers") => {
                let bug = Some(Bug::Driver(Planted::GivesUpTakeovers));
                let found = run::once(seed, bug).broken.is_some();
                assert!(found, "{line}: the planted bug is not found");
                assert_eq!(run::twice(seed).broken, None, "{line}");
            }
            other => panic!("{line}: no bug is called {other:?}"),
        }
    }
}
