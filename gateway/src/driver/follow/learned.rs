//! How long earlier jobs were in each phase. Known to this process only: the
//! first job after a start is followed without. A job is expected to do as
//! earlier ones of the same wave of the same plan, and where there were none,
//! as any of its place.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tidegate_core::Span;

use super::schedule::Phase;
use crate::ports::drs::OrderKind;

/// Newest durations that are kept of each phase. No two jobs are the same, so
/// one is not enough; each that is kept costs looks.
const KEPT: usize = 6;
/// Phases that are kept, over all waves and places. Above it those that come
/// first in order are forgotten.
const PHASES: usize = 16_384;

/// What was learned, by account, Region, kind of job, wave and phase.
#[derive(Debug, Default)]
pub(super) struct Learned(BTreeMap<Key, VecDeque<Span>>);

/// Whose durations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) kind: OrderKind,
    /// Plan and wave; `None` for all of them together.
    pub(super) wave: Option<Arc<str>>,
    pub(super) phase: Phase,
}

impl Key {
    fn of_any_wave(&self) -> Self {
        Self {
            wave: None,
            ..self.clone()
        }
    }
}

impl Learned {
    /// A job was seen to pass a phase that it had been in for so long.
    pub(super) fn passed(&mut self, key: Key, lasted: Span) {
        self.keep(key.of_any_wave(), lasted);
        self.keep(key, lasted);
    }

    fn keep(&mut self, key: Key, lasted: Span) {
        if self.0.len() >= PHASES && !self.0.contains_key(&key) {
            self.0.pop_first();
        }
        let kept = self.0.entry(key).or_default();
        kept.push_back(lasted);
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }

    /// How long the newest jobs of the wave were in it, or else of any wave.
    pub(super) fn of(&self, key: &Key) -> Vec<Span> {
        let kept = self.0.get(key);
        let kept = kept.or_else(|| self.0.get(&key.of_any_wave()));
        kept.into_iter().flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(region: usize, phase: Phase) -> Key {
        Key {
            account: "123456789012".to_owned(),
            region: format!("region-{region:05}"),
            kind: OrderKind::Drill,
            wave: Some("shop/web".into()),
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
    fn a_wave_is_expected_to_do_as_before_and_a_new_one_as_others_of_its_place() {
        let mut learned = Learned::default();
        let wave = |name: &str| Key {
            wave: Some(name.into()),
            ..key(0, Phase::Launch)
        };
        learned.passed(wave("shop/db"), Span::from_secs(600));
        learned.passed(wave("shop/web"), Span::from_secs(280));
        let secs = |name| learned.of(&wave(name));
        assert_eq!(secs("shop/db"), [Span::from_secs(600)]);
        assert_eq!(secs("shop/web"), [Span::from_secs(280)]);
        let all = [600, 280].map(Span::from_secs);
        assert_eq!(secs("shop/cache"), all);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut learned = Learned::default();
        for place in 0..PHASES {
            learned.passed(key(place, Phase::Launch), Span::from_secs(1));
        }
        assert_eq!(learned.0.len(), PHASES);
        assert_eq!(learned.of(&key(PHASES - 1, Phase::Launch)).len(), 1);
        assert_eq!(learned.of(&key(0, Phase::Launch)), []);
    }
}
