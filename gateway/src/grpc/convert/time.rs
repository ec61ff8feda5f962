//! Instants and lengths of time.

use std::time::Duration;

use tidegate_core::{Span, Timestamp};

/// An instant as the API writes it.
pub(crate) fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    let millis = at.as_millis();
    prost_types::Timestamp {
        seconds: i64::try_from(millis / 1_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(millis % 1_000 * 1_000_000).unwrap_or(0),
    }
}

/// A length of time as the API writes it.
pub(crate) fn duration(span: Span) -> prost_types::Duration {
    let millis = span.as_millis();
    prost_types::Duration {
        seconds: i64::try_from(millis / 1_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(millis % 1_000 * 1_000_000).unwrap_or(0),
    }
}

/// A setting's length of time as the API writes it.
pub(crate) fn duration_of(length: Duration) -> prost_types::Duration {
    duration(Span::from_millis(
        u64::try_from(length.as_millis()).unwrap_or(u64::MAX),
    ))
}

/// A length of time as the core keeps it, rounded up to whole milliseconds;
/// `None` for a negative or malformed one.
pub(crate) fn span(length: &prost_types::Duration) -> Option<Span> {
    if !(0..1_000_000_000).contains(&length.nanos) {
        return None;
    }
    let seconds = u64::try_from(length.seconds).ok()?;
    let millis = u64::try_from(length.nanos).ok()?.div_ceil(1_000_000);
    Some(Span::from_millis(
        seconds.saturating_mul(1_000).saturating_add(millis),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_instant_survives_the_wire(millis in 0..=253_402_300_799_999_u64) {
            let at = Timestamp::from_millis(millis);
            prop_assert_eq!(from_timestamp(&timestamp(at)), Some(at));
        }

        #[test]
        fn a_length_of_time_survives_the_wire(millis in 0..=315_576_000_000_000_u64) {
            let length = Span::from_millis(millis);
            prop_assert_eq!(span(&duration(length)), Some(length));
        }
    }

    #[test]
    fn what_is_not_a_length_of_time_is_refused() {
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000), (5, -5)] {
            assert_eq!(span(&prost_types::Duration { seconds, nanos }), None);
        }
    }

    #[test]
    fn the_shortest_length_is_not_lost() {
        let shortest = prost_types::Duration {
            seconds: 0,
            nanos: 1,
        };
        assert_eq!(span(&shortest), Some(Span::from_millis(1)));
    }

    fn from_timestamp(at: &prost_types::Timestamp) -> Option<Timestamp> {
        let seconds = u64::try_from(at.seconds).ok()?;
        let millis = u64::try_from(at.nanos).ok()? / 1_000_000;
        Some(Timestamp::from_millis(
            seconds.saturating_mul(1_000).saturating_add(millis),
        ))
    }
}
