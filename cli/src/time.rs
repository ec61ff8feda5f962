//! The API's times as people read them.

use std::time::Duration;

use jiff::Timestamp;

/// A time of the API.
pub(crate) fn timestamp(time: prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(time.seconds, time.nanos).ok()
}

/// RFC 3339 in UTC, to the second; "-" if there is none.
pub(crate) fn instant(time: Option<prost_types::Timestamp>) -> String {
    time.and_then(timestamp)
        .map_or_else(|| "-".to_owned(), |time| format!("{time:.0}"))
}

/// The time from `from` to `to`; none before.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// A length of time in at most two units: `42s`, `3m07s`, `1h05m`, `2d03h`.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if days > 0 {
        format!("{days}d{:02}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

/// A duration of the API.
pub(crate) fn duration(duration: Option<prost_types::Duration>) -> Option<Duration> {
    duration.and_then(|duration| Duration::try_from(duration).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        let shown = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(shown(42), "42s");
        assert_eq!(shown(187), "3m07s");
        assert_eq!(shown(3_900), "1h05m");
        assert_eq!(shown(183_600), "2d03h");
    }

    #[test]
    fn a_time_that_is_not_set_is_a_dash() {
        assert_eq!(instant(None), "-");
        let time = prost_types::Timestamp {
            seconds: 1_700_000_000,
            nanos: 5,
        };
        assert_eq!(instant(Some(time)), "2023-11-14T22:13:20Z");
    }
}
