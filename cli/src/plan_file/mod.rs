//! Plan files: their syntax, their mistakes, and their way to and from the API.
//!
//! What a plan *means* is not decided here: the core's checks say whether its
//! waves form a graph and its numbers are within bounds.

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

pub(crate) use duration::PlanDuration;
pub(crate) use from_api::file;
use locate::Places;
use mistake::Mistake;
pub(crate) use read::{Source, parse};
pub(crate) use schema::json_schema;
pub(crate) use selection::selection;
use syntax::PlanFile;
use tidegate_proto::v1;

use crate::failure::Failure;

/// A plan that was read from a file, with what is needed to point into it.
#[derive(Debug)]
pub(crate) struct Written {
    /// The plan as the API takes it.
    pub(crate) plan: v1::Plan,
    source: Source,
}

impl Written {
    /// Reads the file at `path`, or the standard input for `-`.
    ///
    /// # Errors
    /// What is wrong with the file, shown with its place.
    pub(crate) fn read(path: &str) -> Result<Self, Failure> {
        let source = read::read(path).map_err(|(source, mistake)| refused(&source, &[mistake]))?;
        Self::parse(source)
    }

    /// Takes a text that is already there, such as a sample plan.
    ///
    /// # Errors
    /// What is wrong with the text, shown with its place.
    pub(crate) fn parse(source: Source) -> Result<Self, Failure> {
        let mut file = parse(&source.text).map_err(|mistake| refused(&source, &[mistake]))?;
        authority::inline(&mut file, &source).map_err(|mistakes| refused(&source, &mistakes))?;
        Ok(Self {
            plan: to_api::plan(file),
            source,
        })
    }

    /// The name of the file, to show.
    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    /// Checks what the plan means, as far as that needs no gateway.
    ///
    /// # Errors
    /// Every mistake, shown with its place.
    pub(crate) fn check(&self) -> Result<(), Failure> {
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
    pub(crate) fn violations<'a>(
        &self,
        violations: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Failure {
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

fn refused(source: &Source, mistakes: &[Mistake]) -> Failure {
    let shown: Vec<String> = mistakes
        .iter()
        .map(|mistake| mistake.render(&source.name, &source.text))
        .collect();
    Failure::InvalidPlan(shown.join("\n\n"))
}

/// The canonical text of a plan file.
pub(crate) fn to_yaml(file: &PlanFile) -> String {
    serde_saphyr::to_string(file).expect("a plan file has no value that YAML cannot write")
}
