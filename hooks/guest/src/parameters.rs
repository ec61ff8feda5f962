//! What a plan configures, and reading it.

use std::num::{NonZeroU16, NonZeroU32};

use crate::{Entries, Error, bindings::generated::tidegate::hooks::types::Entry};

/// What a plan configures for a hook.
///
/// Every error names the parameter and says what to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Entries);

/// Something that a parameter can be.
pub trait Value: Sized {
    /// What to write, to follow "write": "a whole number from 1 to 65535".
    const FORM: &'static str;

    /// The value that this text stands for, if it stands for one.
    fn read(text: &str) -> Option<Self>;
}

impl Parameters {
    /// The text of a parameter, if the plan sets it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    /// The names and texts of all.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter()
    }

    /// Refuses parameters of other names than these.
    ///
    /// # Errors
    /// Names the first that is not known.
    pub fn only(&self, known: &[&str]) -> Result<(), Error> {
        match self.iter().find(|(name, _)| !known.contains(name)) {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => Err(Error::in_plan(format!(
                "the parameter {name:?} is not known; this hook has none"
            ))),
            Some((name, _)) => Err(Error::in_plan(format!(
                "the parameter {name:?} is not known; known are: {}",
                known.join(", ")
            ))),
        }
    }

    /// A parameter without which the hook cannot work.
    ///
    /// # Errors
    /// If it is missing or not a `T`.
    pub fn required<T: Value>(&self, name: &str) -> Result<T, Error> {
        self.optional(name)?.ok_or_else(|| {
            Error::in_plan(format!(
                "the parameter {name:?} is missing; write {}",
                T::FORM
            ))
        })
    }

    /// A parameter that need not be there.
    ///
    /// # Errors
    /// If it is there but not a `T`.
    pub fn optional<T: Value>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        match T::read(text) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::in_plan(format!(
                "the parameter {name:?} is {text:?}; write {}",
                T::FORM
            ))),
        }
    }

    /// A parameter with a default.
    ///
    /// # Errors
    /// If it is there but not a `T`.
    pub fn or<T: Value>(&self, name: &str, default: T) -> Result<T, Error> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    pub(crate) fn from_contract(entries: Vec<Entry>) -> Self {
        Self(Entries::from_contract(entries))
    }
}

impl<N: Into<String>, V: ToString, const LENGTH: usize> From<[(N, V); LENGTH]> for Parameters {
    fn from(entries: [(N, V); LENGTH]) -> Self {
        Self(entries.into())
    }
}

/// Decimal digits and nothing else: no sign, no blank, as in every language
/// that a plan may one day be read in.
macro_rules! whole_number {
    ($($type:ty: $form:literal),* $(,)?) => {$(
        impl Value for $type {
            const FORM: &'static str = $form;

            fn read(text: &str) -> Option<Self> {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                if digits { text.parse().ok() } else { None }
            }
        }
    )*};
}

whole_number! {
    u8: "a whole number from 0 to 255",
    u16: "a whole number from 0 to 65535",
    u32: "a whole number from 0 to 4294967295",
    NonZeroU16: "a whole number from 1 to 65535",
    NonZeroU32: "a whole number from 1 to 4294967295",
}

impl Value for bool {
    const FORM: &'static str = "true or false";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for String {
    const FORM: &'static str = "a text";

    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_parameter_is_named_with_what_to_write() {
        let given = Parameters::from([("port", "https"), ("retry", "1")]);
        for (error, text) in [
            (
                given.required::<NonZeroU16>("port").unwrap_err(),
                r#"the parameter "port" is "https"; write a whole number from 1 to 65535"#,
            ),
            (
                given.required::<bool>("strict").unwrap_err(),
                r#"the parameter "strict" is missing; write true or false"#,
            ),
            (
                given.only(&["port", "retry-ms"]).unwrap_err(),
                r#"the parameter "retry" is not known; known are: port, retry-ms"#,
            ),
        ] {
            assert_eq!(error.describe(), text);
        }
        assert_eq!(given.or("absent", 7_u32).unwrap(), 7);
    }

    #[test]
    fn a_number_is_digits_alone_and_within_its_range() {
        for wrong in [
            "", "+1", "-1", " 1", "1 ", "1.0", "1e3", "0x1", "0", "65536", "١",
        ] {
            assert_eq!(NonZeroU16::read(wrong), None, "{wrong:?}");
        }
        assert_eq!(NonZeroU16::read("0443").map(NonZeroU16::get), Some(443));
    }
}
