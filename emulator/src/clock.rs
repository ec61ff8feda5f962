//! Emulated time. The only part of the crate that reads a clock.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// How emulated time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EmulatorClock {
    /// So many times as fast as real time. Begins at the scenario's start, or else at the real
    /// time, so that a caller's own clock is never ahead of it at a speed of one or more.
    Scaled {
        /// Emulated seconds per real second; more than zero.
        speed: f64,
    },
    /// Only when told to. Begins at the scenario's start, or else on 1 January 2026.
    Manual,
}

/// Time was to be moved by hand, but it passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock is not manual: time passes by itself")]
pub struct NotManual;

/// A running clock.
#[derive(Debug)]
pub(crate) enum RunningClock {
    Scaled {
        start: Timestamp,
        since: Instant,
        speed: f64,
    },
    Manual {
        now: Mutex<Timestamp>,
    },
}

impl EmulatorClock {
    pub(crate) fn run(self, start: Option<Timestamp>) -> RunningClock {
        match self {
            Self::Scaled { speed } => RunningClock::Scaled {
                start: start.unwrap_or_else(Timestamp::now),
                since: Instant::now(),
                speed,
            },
            Self::Manual => RunningClock::Manual {
                now: Mutex::new(start.unwrap_or(MANUAL_START)),
            },
        }
    }
}

/// 9000-01-01T00:00:00Z. Emulated time ends here, so that what is scheduled after now always has a
/// time.
pub(crate) const LAST: Timestamp = Timestamp::constant(221_845_392_000, 0);

/// 2026-01-01T00:00:00Z
const MANUAL_START: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// However fast time passes, nobody wakes for it more often.
const SHORTEST_NAP: Duration = Duration::from_millis(1);

/// Who waits for longer looks again in between.
const LONGEST_NAP: Duration = Duration::from_secs(3_600);

impl RunningClock {
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Scaled {
                start,
                since,
                speed,
            } => {
                let elapsed = since.elapsed().as_secs_f64() * speed;
                // DRS tells times to the microsecond.
                let elapsed = SignedDuration::from_micros((elapsed * 1_000_000.0).max(0.0) as i64);
                start
                    .saturating_add(elapsed)
                    .map_or(LAST, |now| now.min(LAST))
            }
            Self::Manual { now } => *now.lock().expect("no panic holds the clock"),
        }
    }

    pub(crate) fn advance(&self, duration: SignedDuration) -> Result<Timestamp, NotManual> {
        match self {
            Self::Scaled { .. } => Err(NotManual),
            Self::Manual { now } => {
                let mut now = now.lock().expect("no panic holds the clock");
                *now = now
                    .saturating_add(duration.max(SignedDuration::ZERO))
                    .map_or(LAST, |later| later.min(LAST));
                Ok(*now)
            }
        }
    }

    /// How long that takes in real time, within bounds; `None` if time is moved by hand.
    pub(crate) fn real(&self, emulated: SignedDuration) -> Option<Duration> {
        let seconds = emulated.as_secs_f64().max(0.0) / self.speed()?;
        let real = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Some(real.clamp(SHORTEST_NAP, LONGEST_NAP))
    }

    /// `None` if time is moved by hand.
    pub(crate) fn speed(&self) -> Option<f64> {
        match self {
            Self::Scaled { speed, .. } => Some(*speed),
            Self::Manual { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = EmulatorClock::Manual.run(None);
        assert_eq!(clock.now().to_string(), "2026-01-01T00:00:00Z");
        clock.advance(SignedDuration::from_secs(90)).unwrap();
        assert_eq!(clock.now().to_string(), "2026-01-01T00:01:30Z");
    }

    #[test]
    fn time_moves_forward_only_and_has_an_end() {
        let clock = EmulatorClock::Manual.run(None);
        clock.advance(SignedDuration::MIN).unwrap();
        assert_eq!(clock.now(), MANUAL_START);
        clock.advance(SignedDuration::MAX).unwrap();
        assert_eq!(clock.now().to_string(), "9000-01-01T00:00:00Z");
    }

    #[test]
    fn real_time_is_shorter_by_the_speed_and_has_bounds() {
        let real = |speed, secs| {
            let clock = EmulatorClock::Scaled { speed }.run(None);
            clock.real(SignedDuration::from_secs(secs)).unwrap()
        };
        assert_eq!(real(60.0, 30), Duration::from_millis(500));
        assert_eq!(real(1e9, 1), SHORTEST_NAP);
        assert_eq!(real(1e-9, i64::MAX), LONGEST_NAP);
        let manual = EmulatorClock::Manual.run(None);
        assert_eq!(manual.real(SignedDuration::from_secs(1)), None);
    }

    #[test]
    fn a_scaled_clock_cannot_be_moved() {
        let clock = EmulatorClock::Scaled { speed: 1_000.0 }.run(None);
        assert_eq!(clock.advance(SignedDuration::from_secs(1)), Err(NotManual));
    }
}
