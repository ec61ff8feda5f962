//! How long earlier jobs were in each phase. Known to this process only: the
//! first job after a start is followed without.

use std::collections::{BTreeMap, VecDeque};

use tidegate_core::Span;

use super::schedule::Phase;
use crate::ports::drs::OrderKind;

/// Newest durations that are kept of each phase. Jobs of one place differ by
/// what they launch, so one is not enough; each that is kept costs looks.
const KEPT: usize = 6;
/// Phases that are kept, over all places. Above it those of the place that
/// comes first in order are forgotten.
const PLACES: usize = 4_096;

/// What was learned, by account, Region, kind of job and phase.
#[derive(Debug, Default)]
pub(super) struct Learned(BTreeMap<Key, VecDeque<Span>>);

/// Whose durations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) kind: OrderKind,
    pub(super) phase: Phase,
}

impl Learned {
    /// A job was seen to pass a phase that it had been in for so long.
    pub(super) fn passed(&mut self, key: Key, lasted: Span) {
        if self.0.len() >= PLACES && !self.0.contains_key(&key) {
            self.0.pop_first();
        }
        let kept = self.0.entry(key).or_default();
        kept.push_back(lasted);
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }

    /// How long the newest jobs were in it.
    pub(super) fn of(&self, key: &Key) -> Vec<Span> {
        let kept = self.0.get(key);
        kept.into_iter().flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(region: usize, phase: Phase) -> Key {
        Key {
            account: "123456789012".to_owned(),
            region: format!("region-{region:04}"),
            kind: OrderKind::Drill,
            phase,
        }
    }

    #[test]
    fn the_newest_durations_of_a_phase_are_kept_and_no_others() {
        let mut learned = Learned::default();
        let launch = key(0, Phase::Launch);
        for secs in 1..=10 {
            learned.passed(launch.clone(), Span::from_secs(secs));
        }
        let newest: Vec<Span> = (5..=10).map(Span::from_secs).collect();
        assert_eq!(learned.of(&launch), newest);
        assert_eq!(learned.of(&key(0, Phase::Conversion)), []);
        let recovery = Key {
            kind: OrderKind::Recovery,
            ..launch
        };
        assert_eq!(learned.of(&recovery), []);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut learned = Learned::default();
        for place in 0..PLACES + 10 {
            learned.passed(key(place, Phase::Launch), Span::from_secs(1));
        }
        assert_eq!(learned.0.len(), PLACES);
        assert_eq!(learned.of(&key(PLACES, Phase::Launch)).len(), 1);
        assert_eq!(learned.of(&key(0, Phase::Launch)), []);
    }
}
