//! When a job is looked at next: values in, a wait out.
//!
//! The end of a phase is expected where earlier jobs of the same kind passed
//! it. Far from an expected end a job is looked at rarely, close to it often,
//! and less and less often when it is long overdue. Where nothing was learned
//! yet, the wait grows with the time that the phase has lasted: that is as
//! precise for a phase of minutes as for one of seconds, in earnest and in an
//! emulator whose time runs faster.

use std::time::Duration;

use tidegate_core::Span;

/// How often jobs are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollBounds {
    /// Around an expected end.
    pub min: Duration,
    /// Far from one.
    pub max: Duration,
}

/// How far a job is: as far as the last of its servers that has not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// DRS was asked.
    Requested,
    /// A snapshot is taken; lasts until its conversion begins.
    Snapshot,
    /// The snapshot is converted.
    Conversion,
    /// Instances are launched or terminated. What waits for the job waits for
    /// the end of this.
    Launch,
    /// Every server has settled, and the job has not ended.
    Closing,
}

/// Of a phase at whose end nobody waits, the end is seen so much less
/// precisely.
const COARSE: u64 = 5;
/// Of how long a phase lasted, its next end may be so much earlier or later,
/// in per cent, and still be called expected.
const SPREAD: u64 = 3;

impl PollBounds {
    /// The same wait always.
    #[must_use]
    pub const fn fixed(interval: Duration) -> Self {
        Self {
            min: interval,
            max: interval,
        }
    }

    /// How long to wait before a job is looked at again that has been in a
    /// phase for `elapsed`, if earlier jobs were in it for as long as
    /// `learned` says.
    pub(super) fn wait(self, phase: Phase, elapsed: Span, learned: &[Span]) -> Span {
        let finest = self.finest(phase);
        let elapsed = elapsed.as_millis();
        let ends = learned.iter().map(|end| end.as_millis());
        let wait = ends
            .map(|end| towards(phase, elapsed, end, finest))
            .min()
            .unwrap_or_else(|| blind(phase, elapsed));
        Span::from_millis(wait.max(finest).min(millis(self.max)))
    }

    /// How far apart two looks are in a phase at least, in milliseconds.
    fn finest(self, phase: Phase) -> u64 {
        let min = millis(self.min);
        match phase {
            Phase::Requested | Phase::Snapshot | Phase::Conversion => {
                min.saturating_mul(COARSE).min(millis(self.max))
            }
            Phase::Launch | Phase::Closing => min,
        }
    }
}

/// The wait for an end that is expected there: a part of the way to it, and
/// as small a part of the way beyond it.
fn towards(phase: Phase, elapsed: u64, end: u64, finest: u64) -> u64 {
    let margin = (end.saturating_mul(SPREAD) / 100).max(finest.saturating_mul(2));
    let (first, last) = (end.saturating_sub(margin), end.saturating_add(margin));
    if elapsed < first {
        // An end may come early, and then somebody waits for the look.
        let part = match phase {
            Phase::Requested | Phase::Snapshot | Phase::Conversion => 2,
            Phase::Launch | Phase::Closing => 4,
        };
        (first - elapsed) / part
    } else {
        elapsed.saturating_sub(last) / 10
    }
}

/// The wait where nothing is known.
fn blind(phase: Phase, elapsed: u64) -> u64 {
    match phase {
        Phase::Requested | Phase::Snapshot | Phase::Conversion => elapsed / 10,
        Phase::Launch | Phase::Closing => elapsed / 50,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: PollBounds = PollBounds {
        min: Duration::from_secs(1),
        max: Duration::from_secs(30),
    };

    /// Waits in seconds at these seconds of a phase.
    fn waits(phase: Phase, learned: &[u64], at: &[u64]) -> Vec<u64> {
        let learned: Vec<Span> = learned.iter().copied().map(Span::from_secs).collect();
        let wait = |secs: &u64| BOUNDS.wait(phase, Span::from_secs(*secs), &learned);
        at.iter().map(|at| wait(at).as_millis() / 1000).collect()
    }

    #[test]
    fn what_is_expected_is_looked_at_rarely_before_and_often_around_its_end() {
        let at = [0, 100, 200, 240, 265, 271, 280, 288];
        let seen = waits(Phase::Launch, &[280], &at);
        assert_eq!(seen, [30, 30, 17, 7, 1, 1, 1, 1]);
    }

    #[test]
    fn what_is_long_overdue_is_looked_at_less_and_less_often() {
        let at = [289, 348, 500, 800];
        assert_eq!(waits(Phase::Launch, &[280], &at), [1, 5, 21, 30]);
    }

    #[test]
    fn the_nearest_of_several_ends_counts() {
        let at = [60, 119, 180, 500, 590];
        let seen = waits(Phase::Launch, &[60, 600], &at);
        assert_eq!(seen, [1, 5, 11, 20, 1]);
    }

    #[test]
    fn the_end_of_a_phase_for_which_nobody_waits_is_seen_less_precisely() {
        let at = [0, 20, 50, 55, 70];
        assert_eq!(waits(Phase::Snapshot, &[52], &at), [21, 11, 5, 5, 5]);
    }

    #[test]
    fn where_nothing_is_known_the_wait_grows_with_the_time_that_passed() {
        let at = [0, 50, 200, 280, 3600];
        assert_eq!(waits(Phase::Launch, &[], &at), [1, 1, 4, 5, 30]);
        assert_eq!(waits(Phase::Conversion, &[], &at), [5, 5, 20, 28, 30]);
    }

    #[test]
    fn the_bounds_hold_whatever_was_learned_and_however_long_it_takes() {
        let extremes = [0, 1, 1_000, u64::MAX / 3, u64::MAX];
        for phase in [Phase::Requested, Phase::Launch, Phase::Closing] {
            for elapsed in extremes.map(Span::from_millis) {
                for learned in extremes.map(Span::from_millis) {
                    let wait = BOUNDS.wait(phase, elapsed, &[learned]).as_millis();
                    assert!((1_000..=30_000).contains(&wait), "{wait}");
                }
            }
        }
    }

    #[test]
    fn a_fixed_interval_is_always_the_same() {
        let fixed = PollBounds::fixed(Duration::from_secs(7));
        for phase in [Phase::Requested, Phase::Launch, Phase::Closing] {
            for secs in [0, 10, 1_000] {
                let elapsed = Span::from_secs(secs);
                let learned = [Span::from_secs(10)];
                assert_eq!(fixed.wait(phase, elapsed, &learned), Span::from_secs(7));
            }
        }
    }
}
