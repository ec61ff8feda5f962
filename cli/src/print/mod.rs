//! The only place that writes to the terminal: data to the standard output,
//! progress to the standard error. anstream takes the colours away where
//! there is no terminal, or where NO_COLOR is set.

mod json;
mod own;
mod table;

use std::io::Write as _;

pub(crate) use json::Described;
pub(crate) use table::table;

use crate::failure::Failure;

/// Forms of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// Protobuf JSON of the API's message.
    Json,
    /// The same, one compact line for each item.
    Jsonl,
    /// The same as YAML; for a plan, a plan file.
    Yaml,
    /// Names or ids only, one a line.
    Name,
}

/// Prints what a verb has to say, in the form that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    format: Format,
}

impl Printer {
    /// A printer for one form.
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// The form that was asked for.
    pub(crate) fn format(self) -> Format {
        self.format
    }

    /// Data: a text that ends with a line break of its own or gets one.
    ///
    /// # Errors
    /// The standard output cannot be written to.
    pub(crate) fn data(self, text: &str) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }

    /// Progress, for people. A standard error that nobody reads is no reason to stop.
    pub(crate) fn note(self, text: &str) {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// One resource.
    ///
    /// # Errors
    /// The standard output cannot be written to.
    pub(crate) fn one<M: Described>(
        self,
        message: &M,
        name: &str,
        table: impl FnOnce(&M) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.data(&table(message)),
            Format::Json => self.data(&json::pretty(message)),
            Format::Jsonl => self.data(&json::compact(message)),
            Format::Yaml => self.data(&json::yaml(message)),
            Format::Name => self.data(name),
        }
    }

    /// A list of resources, and the message that carries them.
    ///
    /// # Errors
    /// The standard output cannot be written to.
    pub(crate) fn list<L: Described, M: Described>(
        self,
        whole: &L,
        items: &[M],
        name: impl Fn(&M) -> String,
        table: impl FnOnce(&[M]) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.data(&table(items)),
            Format::Json => self.data(&json::pretty(whole)),
            Format::Yaml => self.data(&json::yaml(whole)),
            Format::Jsonl => items
                .iter()
                .try_for_each(|item| self.data(&json::compact(item))),
            Format::Name => items.iter().try_for_each(|item| self.data(&name(item))),
        }
    }

    /// One message of a stream, as one line.
    ///
    /// # Errors
    /// The standard output cannot be written to.
    pub(crate) fn streamed<M: Described>(self, message: &M) -> Result<(), Failure> {
        match self.format {
            Format::Yaml => self.data(&format!("---\n{}", json::yaml(message))),
            Format::Table | Format::Json | Format::Jsonl | Format::Name => {
                self.data(&json::compact(message))
            }
        }
    }
}
