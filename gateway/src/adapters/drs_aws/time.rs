//! Instants as DRS writes them.

use tidegate_core::Timestamp;

/// An ISO 8601 instant, to the millisecond; DRS writes
/// `2022-12-07T19:15:37.263463+00:00`.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let instant: Option<jiff::Timestamp> = text.parse().ok();
    let millis = instant.and_then(|instant| u64::try_from(instant.as_millisecond()).ok());
    if millis.is_none() {
        tracing::debug!(text, "DRS told a time that is none");
    }
    millis.map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_drs_writes_them() {
        let told = timestamp("2022-12-07T19:15:37.263463+00:00");
        assert_eq!(told, Some(Timestamp::from_millis(1_670_440_537_263)));
        assert_eq!(
            timestamp("1970-01-01T00:00:00Z"),
            Some(Timestamp::default())
        );
        assert_eq!(timestamp("1969-12-31T23:59:59Z"), None);
        assert_eq!(timestamp("yesterday"), None);
    }
}
