//! Waiting ever longer after something failed that is tried until it succeeds:
//! a read of DRS, which changes no execution, or a write into the journal. That
//! DRS throttles is waited for in `reads`, together with everybody else.

use std::time::Duration;

use super::{DriverSettings, jitter::Jitter};

/// First wait after a read of DRS failed; doubled each time.
const FIRST: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    next: Duration,
    longest: Duration,
    jitter: Jitter,
}

impl Backoff {
    /// Of reads of DRS, for whoever `jitter` is for: callers that fail together
    /// do not all come back together.
    pub(super) fn new(settings: &DriverSettings, jitter: Jitter) -> Self {
        Self::between(FIRST, settings.read_backoff_max, jitter)
    }

    /// From the first wait to the longest.
    pub(super) fn between(first: Duration, longest: Duration, jitter: Jitter) -> Self {
        let first = first.min(longest);
        Self {
            first,
            next: first,
            longest,
            jitter,
        }
    }

    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }

    /// How long to wait after this failure.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (self.next * 2).min(self.longest);
        self.jitter.shortened(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(seed: u64) -> Backoff {
        let settings = DriverSettings {
            read_backoff_max: Duration::from_secs(2),
            ..DriverSettings::default()
        };
        Backoff::new(&settings, Jitter::new(seed, "someone"))
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = backoff(1);
        for full in [500, 1_000, 2_000, 2_000] {
            let wait = backoff.next().as_millis();
            assert!((full * 3 / 4..=full).contains(&wait), "{wait} of {full}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(500));
    }

    #[test]
    fn the_same_seed_waits_the_same_and_another_does_not() {
        let waits = |seed| {
            let mut backoff = backoff(seed);
            [backoff.next(), backoff.next(), backoff.next()]
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
