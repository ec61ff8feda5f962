//! The pace of all reads of one account and Region. DRS throttles them
//! together, so one that is throttled slows every other: the gap between two
//! calls grows, and shrinks again with each that succeeds. Values in, values
//! out; `reads` does the waiting.

use tidegate_core::{Span, Timestamp};

/// The first gap.
const FIRST: Span = Span::from_millis(500);

/// When the next read may be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pace {
    /// Between two calls. Zero while nothing is throttled.
    gap: Span,
    /// No call before this.
    free_at: Timestamp,
    /// When the gap grew last.
    grown_at: Timestamp,
}

/// Whether a read may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Now.
    Now,
    /// Not before this; ask again then.
    At(Timestamp),
}

impl Pace {
    /// Takes a turn, if there is one.
    pub(super) fn turn(&mut self, now: Timestamp) -> Turn {
        if now < self.free_at {
            return Turn::At(self.free_at);
        }
        self.free_at = now + self.gap;
        Turn::Now
    }

    /// When the next turn is.
    pub(super) fn free_at(&self) -> Timestamp {
        self.free_at
    }

    /// A read was answered.
    pub(super) fn answered(&mut self) {
        let half = Span::from_millis(self.gap.as_millis() / 2);
        self.gap = if half < FIRST { Span::ZERO } else { half };
    }

    /// A read that began at `begun` was throttled. Several that were under way
    /// together tell the same thing, so they slow down once.
    pub(super) fn throttled(
        &mut self,
        begun: Timestamp,
        now: Timestamp,
        after: Option<Span>,
        longest: Span,
    ) {
        if begun >= self.grown_at {
            self.gap = self.gap.doubled(1, longest).max(FIRST.min(longest));
            self.grown_at = now;
        }
        let wait = self.gap.max(after.unwrap_or(Span::ZERO));
        self.free_at = self.free_at.max(now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Span = Span::from_secs(4);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn nothing_waits_while_nothing_is_throttled() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            assert_eq!(pace.turn(at(5)), Turn::Now);
            pace.answered();
        }
    }

    #[test]
    fn one_that_is_throttled_slows_every_other() {
        let mut pace = Pace::default();
        pace.throttled(at(10), at(20), None, LONGEST);
        assert_eq!(pace.turn(at(30)), Turn::At(at(520)));
        assert_eq!(pace.turn(at(520)), Turn::Now);
        assert_eq!(pace.turn(at(521)), Turn::At(at(1_020)));
    }

    #[test]
    fn the_gap_doubles_to_the_longest_and_halves_with_each_answer() {
        let mut pace = Pace::default();
        let mut gaps = Vec::new();
        for now in (1..=5).map(|n| at(n * 100_000)) {
            pace.throttled(now, now, None, LONGEST);
            gaps.push(pace.gap.as_millis());
        }
        for _ in 0..5 {
            pace.answered();
            gaps.push(pace.gap.as_millis());
        }
        let wanted = [500, 1_000, 2_000, 4_000, 4_000, 2_000, 1_000, 500, 0, 0];
        assert_eq!(gaps, wanted);
    }

    #[test]
    fn what_drs_asks_for_is_waited_for_even_above_the_longest() {
        let mut pace = Pace::default();
        let after = Some(Span::from_secs(9));
        pace.throttled(at(0), at(0), after, LONGEST);
        assert_eq!(pace.turn(at(8_999)), Turn::At(at(9_000)));
        // A shorter wish does not make it shorter.
        pace.throttled(at(0), at(100), Some(Span::from_secs(1)), LONGEST);
        assert_eq!(pace.turn(at(200)), Turn::At(at(9_000)));
    }

    #[test]
    fn calls_that_were_under_way_together_slow_down_once() {
        let mut pace = Pace::default();
        for answered in [50, 60, 70] {
            pace.throttled(at(10), at(answered), None, LONGEST);
        }
        assert_eq!(pace.gap, FIRST);
    }
}
