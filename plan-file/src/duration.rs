//! Durations as people write them: `15m`, `1h30m`, `90s`, `500ms`.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A unit, and how many milliseconds it has. Largest first: the order in which they are written.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A duration in a plan file. Its finest unit is the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanDuration(
    /// Its length.
    pub Duration,
);

/// A text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotADuration(String);

impl fmt::Display for NotADuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a duration; write for example 15m, 1h30m, 90s or 500ms",
            self.0
        )
    }
}

impl std::error::Error for NotADuration {}

impl FromStr for PlanDuration {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, NotADuration> {
        milliseconds(text)
            .map(|total| Self(Duration::from_millis(total)))
            .ok_or_else(|| NotADuration(text.to_owned()))
    }
}

/// The sum of `number unit` pairs, each unit smaller than the one before.
fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let name = &rest[..rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len())];
        let (_, length) = units.find(|(unit, _)| *unit == name)?;
        total = total.checked_add(number.checked_mul(*length)?)?;
        rest = &rest[name.len()..];
    }
    (!text.is_empty()).then_some(total)
}

impl fmt::Display for PlanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, length) in UNITS {
            if rest >= length {
                write!(f, "{}{unit}", rest / length)?;
                rest %= length;
            }
        }
        Ok(())
    }
}

impl Serialize for PlanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PlanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for PlanDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration: 15m, 1h30m, 90s, 500ms.",
            "type": "string",
            "pattern": "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<u64> {
        text.parse::<PlanDuration>()
            .ok()
            .and_then(|duration| u64::try_from(duration.0.as_millis()).ok())
    }

    #[test]
    fn durations_are_read_as_they_are_spoken() {
        assert_eq!(parsed("15m"), Some(900_000));
        assert_eq!(parsed("1h30m"), Some(5_400_000));
        assert_eq!(parsed("90s"), Some(90_000));
        assert_eq!(parsed("500ms"), Some(500));
        assert_eq!(parsed("1d2h3m4s5ms"), Some(93_784_005));
        assert_eq!(parsed("0s"), Some(0));
    }

    #[test]
    fn what_is_ambiguous_is_no_duration() {
        for text in ["", "15", "m", "1.5h", "15 m", "1m1h", "1m1m", "-5m", "5w"] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
        assert_eq!(parsed("99999999999999999999s"), None);
        assert_eq!(parsed("999999999999999999d"), None);
    }

    #[test]
    fn a_written_duration_reads_back_as_itself() {
        for text in ["15m", "1h30m", "1m30s", "500ms", "1d", "0s", "1m5ms"] {
            let duration: PlanDuration = text.parse().unwrap();
            assert_eq!(duration.to_string(), text);
        }
    }
}
