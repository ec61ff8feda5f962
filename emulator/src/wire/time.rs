//! Times and durations as the service spells them.

use jiff::{SignedDuration, Timestamp};

/// A time, to the microsecond. The service model asks for a final `Z`; the service was recorded
/// answering `+00:00`, and that is what is answered here.
pub(super) fn timestamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

/// An ISO 8601 duration as recorded: `P0D`, `P2DT1H32M12.136909S`.
pub(super) fn duration(duration: SignedDuration) -> String {
    let micros = duration.as_micros().max(0);
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    if seconds == 0 && micros == 0 {
        return "P0D".to_owned();
    }
    let mut text = "P".to_owned();
    let part = |text: &mut String, amount: i128, unit: char| {
        if amount > 0 {
            text.push_str(&format!("{amount}{unit}"));
        }
    };
    part(&mut text, seconds / 86_400, 'D');
    if seconds % 86_400 > 0 || micros > 0 {
        text.push('T');
    }
    part(&mut text, seconds % 86_400 / 3_600, 'H');
    part(&mut text, seconds % 3_600 / 60, 'M');
    match micros {
        0 => part(&mut text, seconds % 60, 'S'),
        _ => text.push_str(&format!("{}.{micros:06}S", seconds % 60)),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spelt_as_recorded() {
        let at: Timestamp = "2022-12-07T19:15:38.846723Z".parse().unwrap();
        assert_eq!(timestamp(at), "2022-12-07T19:15:38.846723+00:00");
        let whole: Timestamp = "2022-12-07T19:25:00Z".parse().unwrap();
        assert_eq!(timestamp(whole), "2022-12-07T19:25:00.000000+00:00");
    }

    #[test]
    fn durations_are_spelt_as_recorded() {
        assert_eq!(duration(SignedDuration::ZERO), "P0D");
        let micros = ((2 * 24 + 1) * 3_600 + 32 * 60 + 12) * 1_000_000 + 136_909;
        assert_eq!(
            duration(SignedDuration::from_micros(micros)),
            "P2DT1H32M12.136909S"
        );
        assert_eq!(duration(SignedDuration::from_secs(90)), "PT1M30S");
        assert_eq!(duration(SignedDuration::from_secs(86_400)), "P1D");
    }
}
