//! Plan files: their syntax, their mistakes, and their way to and from the API.
//!
//! What a plan *means* is not decided here: the core's checks say whether its
//! waves form a graph and its numbers are within bounds. Input is not trusted:
//! whatever a text is, reading it ends in a plan or in an [`InvalidPlan`] that
//! shows where it is wrong.

mod authority;
mod check;
mod complaint;
mod duration;
mod from_api;
mod hooks;
mod locate;
mod mistake;
mod read;
mod schema;
mod selection;
mod servers;
mod syntax;
mod to_api;

use std::fmt;

pub use duration::{NotADuration, PlanDuration};
pub use from_api::file;
use locate::Places;
use mistake::Mistake;
pub(crate) use read::parse;
pub use read::{MAX_BYTES, Source};
pub use schema::json_schema;
pub use selection::selection;
pub use syntax::PlanFile;
use tidegate_proto::v1;

/// A plan that was read from a file, with what is needed to point into it.
#[derive(Debug)]
pub struct Written {
    /// The plan as the API takes it.
    pub plan: v1::Plan,
    source: Source,
}

impl Written {
    /// Reads the file at `path`, or the standard input for `-`.
    ///
    /// # Errors
    /// What is wrong with the file, shown with its place.
    pub fn read(path: &str) -> Result<Self, InvalidPlan> {
        let source = read::read(path).map_err(|(source, mistake)| refused(&source, &[mistake]))?;
        Self::parse(source)
    }

    /// Takes a text that is already there, such as a sample plan.
    ///
    /// # Errors
    /// What is wrong with the text, shown with its place.
    pub fn parse(source: Source) -> Result<Self, InvalidPlan> {
        Self::parse_with(source, authority::read)
    }

    /// Takes bytes that came from elsewhere than this machine: no file of this
    /// one is read, so an authority that they name by its file is refused.
    ///
    /// # Errors
    /// What is wrong with the text, shown with its place.
    pub fn parse_foreign(name: &str, bytes: Vec<u8>) -> Result<Self, InvalidPlan> {
        let source = Source::decoded(name.to_owned(), bytes)
            .map_err(|(source, mistake)| refused(&source, &[mistake]))?;
        Self::parse_with(source, authority::refuse)
    }

    fn parse_with(source: Source, read: authority::Read) -> Result<Self, InvalidPlan> {
        let mut file = parse(&source.text).map_err(|mistake| refused(&source, &[mistake]))?;
        authority::inline(&mut file, &source, read)
            .map_err(|mistakes| refused(&source, &mistakes))?;
        Ok(Self {
            plan: to_api::plan(file),
            source,
        })
    }

    /// The name of the file, to show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// Checks what the plan means, as far as that needs no gateway.
    ///
    /// # Errors
    /// Every mistake, shown with its place.
    pub fn check(&self) -> Result<(), InvalidPlan> {
        let mistakes: Vec<(String, String)> = check::mistakes(&self.plan)
            .into_iter()
            .map(|error| (error.field, error.mistake.to_string()))
            .collect();
        if mistakes.is_empty() {
            return Ok(());
        }
        let pairs = mistakes
            .iter()
            .map(|(field, mistake)| (field.as_str(), mistake.as_str()));
        Err(self.violations(pairs))
    }

    /// A refusal that shows each violation of a field in its line.
    #[must_use]
    pub fn violations<'a>(
        &self,
        violations: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> InvalidPlan {
        let places = Places::of(&self.source.text);
        let mistakes: Vec<Mistake> = violations
            .into_iter()
            .map(|(field, description)| (field.strip_prefix("plan.").unwrap_or(field), description))
            .map(|(field, description)| Mistake {
                text: format!("{field}: {description}"),
                place: places.find(field),
                help: None,
            })
            .collect();
        refused(&self.source, &mistakes)
    }
}

/// A plan file is wrong; the text shows where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPlan(String);

impl fmt::Display for InvalidPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidPlan {}

fn refused(source: &Source, mistakes: &[Mistake]) -> InvalidPlan {
    let shown: Vec<String> = mistakes
        .iter()
        .map(|mistake| mistake.render(&source.name, &source.text))
        .collect();
    InvalidPlan(shown.join("\n\n"))
}

/// The canonical text of a plan file.
#[must_use]
#[expect(
    clippy::missing_panics_doc,
    reason = "a plan file has no value that YAML cannot write"
)]
pub fn to_yaml(file: &PlanFile) -> String {
    serde_saphyr::to_string(file).expect("a plan file has no value that YAML cannot write")
}
