//! Why a hook could not tell.

use std::{
    fmt::{self, Display},
    panic::Location,
};

/// A hook's error: a text and, unless it is about the plan's parameters, the
/// line of the hook that gave up.
///
/// `?` makes one of everything that can be displayed, and remembers the line
/// that it stands on.
///
/// ```
/// # use tidegate_hook::Error;
/// fn age(text: &str) -> Result<u32, Error> {
///     Ok(text.parse::<u32>()?)
/// }
/// assert!(age("old").unwrap_err().describe().starts_with("invalid digit"));
/// ```
pub struct Error {
    message: String,
    place: Option<&'static Location<'static>>,
}

impl Error {
    /// An error with this text, from this line.
    #[track_caller]
    #[must_use]
    pub fn new(message: impl Display) -> Self {
        Self {
            message: message.to_string(),
            place: Some(Location::caller()),
        }
    }

    /// An error for whoever wrote the plan, to whom lines of the hook's source
    /// say nothing.
    #[must_use]
    pub fn in_plan(message: impl Display) -> Self {
        Self {
            message: message.to_string(),
            place: None,
        }
    }

    /// The text, with the file and the line.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.place {
            Some(place) => format!("{} ({}:{})", self.message, place.file(), place.line()),
            None => self.message.clone(),
        }
    }
}

/// As [`Error::describe`]. There is no `Display`, so that `?` can convert from
/// everything that has it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl<E: Display> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_remembers_the_line_it_stands_on() {
        fn parse() -> Result<u16, Error> {
            Ok("x".parse::<u16>()?)
        }
        let line = line!() - 2;
        let text = parse().unwrap_err().describe();
        assert!(text.starts_with("invalid digit"), "{text}");
        assert!(text.ends_with(&format!("src/error.rs:{line})")), "{text}");
    }

    #[test]
    fn an_error_in_the_plan_names_no_line_of_the_hook() {
        assert_eq!(Error::in_plan("write 1").describe(), "write 1");
    }
}
