//! Seeded chance (SplitMix64).

use std::time::{SystemTime, UNIX_EPOCH};

/// Draws numbers from a seed.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

/// The seed that was asked for, or another one each time.
pub(super) fn seed() -> u64 {
    match std::env::var("TIDEGATE_CHAOS_SEED") {
        Ok(seed) => seed.parse().expect("TIDEGATE_CHAOS_SEED is a number"),
        Err(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.map_or(0, |now| u64::from(now.subsec_nanos()))
        }
    }
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a small number");
        usize::try_from(self.next() % bound).expect("below the bound")
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}
