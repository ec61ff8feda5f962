//! Vectors: a hook's tests, as data. A vector is a context, what the world
//! answers, and what the hook must make of it. The same file serves a hook in
//! any language, because what is judged is the component.
//!
//! ```yaml
//! vectors:
//!   - name: a closed port is asked again
//!     context:
//!       servers: [{ id: web-1 }]
//!       parameters: { port: 443 }
//!     probes:
//!       - { server: web-1, port: 443, answers: [refused] }
//!     expect: { verdict: retry, reason: "443", findings: [port-closed] }
//! ```
//!
//! What is not written has a default: the first attempt, ten seconds long,
//! after the launch of a drill, every server launched. Answers to one probe
//! are given in turn, and the last again and again. A probe that the vector
//! has no answer for is a mistake of the hook or of the vector, and fails it.

mod check;
mod draft;
mod error;
mod expect;
mod grow;
mod judge;
mod run;
mod script;

use std::fmt;

pub use error::VectorFileError;
pub use expect::{Expected, ExpectedFinding, ExpectedVerdict};
pub use judge::{Discrepancy, Mismatch};
pub use run::VectorRun;
pub use script::ScriptedProbes;

use crate::Context;

/// What is in a vector file.
#[derive(Clone, Debug)]
pub struct VectorFile {
    /// In the order of the file; no name twice.
    pub vectors: Vec<Vector>,
}

/// One test of a hook.
#[derive(Clone, Debug)]
pub struct Vector {
    /// A fact, such as "a closed port is asked again".
    pub name: String,
    /// What the hook is told.
    pub context: Context,
    /// What must come of it.
    pub expected: Expected,
    script: script::Script,
}

impl VectorFile {
    /// Reads a vector file.
    ///
    /// # Errors
    /// The first mistake, with its line, column and field.
    pub fn parse(text: &str) -> Result<Self, VectorFileError> {
        check::file(draft::read(text)?)
    }
}

impl Vector {
    /// The world of this vector, for one attempt.
    #[must_use]
    pub fn probes(&self) -> ScriptedProbes {
        ScriptedProbes::new(self.script.clone())
    }
}

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
