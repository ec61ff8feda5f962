//! Chance that is given and not drawn: what waits how much longer or shorter
//! is a function of a seed and of who waits, so that a run can be repeated.

use std::time::Duration;

/// A source of waits that differ.
#[derive(Clone, Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    /// For one subject.
    pub(super) fn new(seed: u64, subject: &str) -> Self {
        // FNV-1a over the subject, then mixed with each draw.
        let hash = subject.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(seed ^ hash)
    }

    /// The wait, or up to a quarter less of it.
    pub(super) fn shortened(&mut self, wait: Duration) -> Duration {
        let part = u32::try_from(self.draw() % 251).unwrap_or_default();
        wait - wait * part / 1_000
    }

    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.0;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn subjects_that_begin_together_are_spread_over_a_quarter_of_the_wait() {
        let wait = Duration::from_secs(10);
        let waits: BTreeSet<Duration> = (0..1_000)
            .map(|n| Jitter::new(7, &format!("execution-{n}")).shortened(wait))
            .collect();
        assert!(waits.len() > 200, "{}", waits.len());
        assert!(waits.iter().all(|it| (wait * 3 / 4..=wait).contains(it)));
    }
}
