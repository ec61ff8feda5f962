//! Seeds that broke a rule while this was built. They must not again.

use crate::run;

const SEEDS: &str = include_str!("corpus/seeds.txt");

#[test]
fn seeds_that_broke_a_rule_stay_mended() {
    let lines = SEEDS.lines();
    for line in lines.filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let seed = line.split(' ').next().and_then(|seed| seed.parse().ok());
        let seed: u64 = seed.unwrap_or_else(|| panic!("{line}: no seed"));
        let broken = run::twice(|| run::once(seed, None)).broken;
        let replay = run::replay("TIDEGATE_SEED", "one_seed", seed);
        assert_eq!(broken, None, "{line}\n{replay}");
    }
}
