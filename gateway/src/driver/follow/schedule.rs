//! When a job is looked at next: values in, a wait out.
//!
//! The end of a phase is expected where earlier jobs of the same kind passed
//! it. Far from an expected end a job is looked at rarely, close to it often,
//! and less and less often when it is long overdue. Where nothing was learned
//! yet, the wait grows with the time that has passed: that is as precise for
//! minutes as for seconds, in earnest and in an emulator whose time runs
//! faster.
//!
//! One look serves every job of a place, and each of them has its own wishes,
//! so what one job may ask for is little: about as much as a fixed poll of
//! 30 s by ten executions, of each by itself, is what ten together cost.

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

/// How long something has lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lasted {
    /// The phase.
    pub(super) phase: Span,
    /// The job, since DRS accepted it.
    pub(super) job: Span,
}

/// Of a phase at whose end nobody waits, the end is seen so much less
/// precisely.
const COARSE: u64 = 15;
/// Of how long a phase lasted, its next end may be so much earlier or later,
/// in per cent, and still be called expected.
const SPREAD: u64 = 3;
/// How many looks are spread over the time in which an end is expected: the
/// less is known of when it comes, the further apart they are.
const LOOKS: u64 = 8;

impl PollBounds {
    /// The same wait always.
    #[must_use]
    pub const fn fixed(interval: Duration) -> Self {
        Self {
            min: interval,
            max: interval,
        }
    }

    /// How long to wait before a job is looked at again, if earlier jobs were
    /// in its phase for as long as `learned` says.
    pub(super) fn wait(self, phase: Phase, lasted: Lasted, learned: &[Span]) -> Span {
        let finest = self.finest(phase);
        let elapsed = lasted.phase.as_millis();
        let wait = expected(learned, finest)
            .iter()
            .map(|window| window.wait(phase, elapsed))
            .min()
            .unwrap_or_else(|| blind(phase, lasted));
        Span::from_millis(wait.max(finest).min(millis(self.max)))
    }

    /// A look that is due within this is made together with another one that
    /// is made now.
    pub(super) fn slack(self, phase: Phase) -> Span {
        Span::from_millis(self.finest(phase) / 2)
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

/// When an end is expected, in milliseconds of its phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    first: u64,
    last: u64,
}

/// Around every end that was learned; those that overlap are one.
fn expected(learned: &[Span], finest: u64) -> Vec<Window> {
    let mut ends: Vec<u64> = learned.iter().map(|end| end.as_millis()).collect();
    ends.sort_unstable();
    let mut windows: Vec<Window> = Vec::new();
    for end in ends {
        let margin = (end.saturating_mul(SPREAD) / 100).max(finest.saturating_mul(2));
        let first = end.saturating_sub(margin);
        let last = end.saturating_add(margin);
        match windows.last_mut() {
            Some(before) if first <= before.last => before.last = last,
            Some(_) | None => windows.push(Window { first, last }),
        }
    }
    windows
}

impl Window {
    /// The way to it or a part of it, so many looks within it, and a small
    /// part of the way beyond it.
    fn wait(self, phase: Phase, elapsed: u64) -> u64 {
        if elapsed < self.first {
            // A launch may end early, and then somebody waits for the look.
            let way = self.first - elapsed;
            return match phase {
                Phase::Requested | Phase::Snapshot | Phase::Conversion => way,
                Phase::Launch | Phase::Closing => way / 2,
            };
        }
        let within = (self.last - self.first) / LOOKS;
        within.max(elapsed.saturating_sub(self.last) / 10)
    }
}

/// The wait where nothing is known. How long a launch takes is guessed from
/// what came before it, so that many that have just begun are not looked at
/// all the time; how long a job takes to close, from nothing.
fn blind(phase: Phase, lasted: Lasted) -> u64 {
    match phase {
        Phase::Requested | Phase::Snapshot | Phase::Conversion => lasted.phase.as_millis() / 10,
        Phase::Launch => lasted.job.as_millis() / 80,
        Phase::Closing => lasted.phase.as_millis() / 50,
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
        let wait = |secs: &u64| BOUNDS.wait(phase, lasted(Span::from_secs(*secs)), &learned);
        at.iter().map(|at| wait(at).as_millis() / 1000).collect()
    }

    /// In a phase that is preceded by nothing.
    fn lasted(phase: Span) -> Lasted {
        Lasted { phase, job: phase }
    }

    #[test]
    fn what_is_expected_is_looked_at_rarely_before_and_often_around_its_end() {
        let at = [0, 100, 200, 240, 265, 271, 280, 288];
        let seen = waits(Phase::Launch, &[280], &at);
        assert_eq!(seen, [30, 30, 30, 15, 3, 1, 2, 2]);
    }

    #[test]
    fn what_is_long_overdue_is_looked_at_less_and_less_often() {
        let at = [289, 348, 500, 800];
        assert_eq!(waits(Phase::Launch, &[280], &at), [2, 5, 21, 30]);
    }

    #[test]
    fn the_nearest_of_several_ends_counts() {
        let at = [60, 119, 180, 500, 590];
        let seen = waits(Phase::Launch, &[60, 600], &at);
        assert_eq!(seen, [1, 5, 11, 30, 4]);
    }

    #[test]
    fn the_less_is_known_of_an_end_the_further_apart_the_looks_are() {
        let at = [100, 230, 280, 310, 340];
        let seen = waits(Phase::Launch, &[250, 265, 280, 295, 310], &at);
        assert_eq!(seen, [30, 6, 9, 9, 9]);
    }

    #[test]
    fn a_launch_of_which_nothing_is_known_is_expected_to_take_as_its_job_took_so_far() {
        let lasted = Lasted {
            phase: Span::ZERO,
            job: Span::from_secs(240),
        };
        let wait = BOUNDS.wait(Phase::Launch, lasted, &[]);
        assert_eq!(wait, Span::from_secs(3));
    }

    #[test]
    fn the_end_of_a_phase_for_which_nobody_waits_is_seen_less_precisely() {
        let at = [0, 20, 50, 55, 70];
        assert_eq!(waits(Phase::Snapshot, &[52], &at), [22, 15, 15, 15, 15]);
    }

    #[test]
    fn where_nothing_is_known_the_wait_grows_with_the_time_that_passed() {
        let at = [0, 50, 200, 280, 3600];
        assert_eq!(waits(Phase::Launch, &[], &at), [1, 1, 2, 3, 30]);
        assert_eq!(waits(Phase::Closing, &[], &at), [1, 1, 4, 5, 30]);
        assert_eq!(waits(Phase::Conversion, &[], &at), [15, 15, 20, 28, 30]);
    }

    #[test]
    fn the_bounds_hold_whatever_was_learned_and_however_long_it_takes() {
        let extremes = [0, 1, 1_000, u64::MAX / 3, u64::MAX];
        for phase in [Phase::Requested, Phase::Launch, Phase::Closing] {
            for elapsed in extremes.map(Span::from_millis) {
                for learned in extremes.map(Span::from_millis) {
                    let wait = BOUNDS.wait(phase, lasted(elapsed), &[learned]).as_millis();
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
                let elapsed = lasted(Span::from_secs(secs));
                let learned = [Span::from_secs(10)];
                assert_eq!(fixed.wait(phase, elapsed, &learned), Span::from_secs(7));
            }
        }
    }
}
