//! Lengths of time as people write them.

use std::{fmt, time::Duration};

use jiff::SignedDuration;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use tidegate_core::Span;

/// A length of time above zero, written as `"30s"` or `"1h 30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(Duration);

impl HumanDuration {
    /// As the standard library keeps it.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// As the core keeps it.
    #[must_use]
    pub fn span(self) -> Span {
        Span::from_millis(u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Duration> for HumanDuration {
    fn from(length: Duration) -> Self {
        Self(length)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = HumanDuration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as \"30s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HumanDuration, E> {
        let wrong = || {
            let message = format!("{text:?} is not a length of time above zero; write \"30s\"");
            E::custom(message)
        };
        let read: SignedDuration = text.parse().map_err(|_| wrong())?;
        let length = Duration::try_from(read).map_err(|_| wrong())?;
        if length.is_zero() {
            return Err(wrong());
        }
        Ok(HumanDuration(length))
    }
}

#[cfg(test)]
mod tests {
    use figment::{
        Figment,
        providers::{Format, Toml},
    };

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        wait: HumanDuration,
    }

    fn read(text: &str) -> Result<Duration, String> {
        let holder: Result<Holder, _> =
            Figment::from(Toml::string(&format!("wait = {text}"))).extract();
        holder
            .map(|it| it.wait.get())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn people_write_lengths_of_time() {
        assert_eq!(read("\"250ms\"").unwrap(), Duration::from_millis(250));
        assert_eq!(read("\"1h 30m\"").unwrap(), Duration::from_secs(5_400));
    }

    #[test]
    fn what_is_none_is_refused_with_an_example() {
        for wrong in ["\"0s\"", "\"-5s\"", "\"soon\"", "\"\"", "30"] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("30s"), "{wrong}: {error}");
        }
    }
}
