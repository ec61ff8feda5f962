//! Figures as people read them.

use std::time::Duration;

/// A count with at most three digits and a unit: `950`, `12.3k`, `5.0G`.
pub(super) fn count(value: u64) -> String {
    scaled(value, 1_000.0, ["", "k", "M", "G", "T"])
}

/// Bytes, by 1,024: `950 B`, `32.1 KiB`, `64.0 MiB`.
pub(super) fn bytes(value: u64) -> String {
    scaled(value, 1_024.0, [" B", " KiB", " MiB", " GiB", " TiB"])
}

/// A time of which the order of magnitude matters: `1.2 ms`.
pub(super) fn time(value: Duration) -> String {
    let micros = value.as_micros();
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{:.1} ms", value.as_secs_f64() * 1e3),
        _ => format!("{:.2} s", value.as_secs_f64()),
    }
}

/// How much of a limit is used: `12%`, `<1%`.
pub(super) fn share(used: u64, limit: u64) -> String {
    if limit == 0 {
        return "-".to_owned();
    }
    let percent = u128::from(used) * 100 / u128::from(limit);
    if percent == 0 && used > 0 {
        "<1%".to_owned()
    } else {
        format!("{percent}%")
    }
}

fn scaled(value: u64, base: f64, units: [&str; 5]) -> String {
    // Exact up to 2^53, and shown with three digits.
    let mut shown = value as f64;
    let mut unit = 0;
    while shown >= base && unit + 1 < units.len() {
        shown /= base;
        unit += 1;
    }
    if unit == 0 {
        format!("{value}{}", units[0])
    } else {
        format!("{shown:.1}{}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(count(999), "999");
        assert_eq!(count(12_345), "12.3k");
        assert_eq!(count(5_000_000_000), "5.0G");
        assert_eq!(bytes(950), "950 B");
        assert_eq!(bytes(64 << 20), "64.0 MiB");
        assert_eq!(time(Duration::from_micros(42)), "42 us");
        assert_eq!(time(Duration::from_micros(1_250)), "1.2 ms");
        assert_eq!(time(Duration::from_millis(61_500)), "61.50 s");
    }

    #[test]
    fn a_share_is_never_rounded_to_nothing() {
        assert_eq!(share(0, 10), "0%");
        assert_eq!(share(1, 1_000), "<1%");
        assert_eq!(share(300, 200), "150%");
        assert_eq!(share(u64::MAX, 1), "1844674407370955161500%");
        assert_eq!(share(1, 0), "-");
    }
}
