//! Where a driver's random bits come from.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tidegate_core::{ExecutionId, Timestamp};
use ulid::Ulid;

/// A source of random bits: for the ids of executions, and for the nonces by
/// which a writer knows its own records again.
#[derive(Clone)]
pub struct Random(Arc<dyn Fn() -> u128 + Send + Sync>);

impl Random {
    /// A source of the caller's, for tests that run the same way twice. Two
    /// processes must never have the same bits.
    pub fn from_source(source: impl Fn() -> u128 + Send + Sync + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// Sixteen bytes.
    pub(super) fn nonce(&self) -> [u8; 16] {
        (self.0)().to_be_bytes()
    }
}

impl Default for Random {
    /// The time and 80 bits of the system's.
    fn default() -> Self {
        Self::from_source(|| u128::from_be_bytes(Ulid::new().to_bytes()))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// Makes ids of executions, each above every one that it made before.
#[derive(Debug, Default)]
pub(super) struct Ids {
    last: Mutex<Ulid>,
}

impl Ids {
    pub(super) fn next(&self, now: Timestamp, random: &Random) -> ExecutionId {
        let fresh = Ulid::from_parts(now.as_millis(), (random.0)());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = if fresh.timestamp_ms() > last.timestamp_ms() {
            fresh
        } else {
            // Random bits run out after 2^80 ids in one millisecond.
            last.increment().unwrap_or(fresh)
        };
        ExecutionId::new(last.to_string().to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_within_a_millisecond_and_when_the_clock_goes_back() {
        let (ids, random) = (Ids::default(), Random::default());
        let times = [5_000, 5_000, 5_000, 4_000, 5_001];
        let made = times.map(|at| ids.next(Timestamp::from_millis(at), &random));
        assert!(made.is_sorted(), "{made:?}");
        assert_eq!(made[0].as_str().len(), 26);
    }
}
