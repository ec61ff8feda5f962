//! What only this program knows, so that no message of the API describes it:
//! figures, comparisons, tapes. As JSON it is spelled as tapes are.

use serde::Serialize;

use super::{Format, Printer};
use crate::failure::Failure;

impl Printer {
    /// One thing.
    ///
    /// # Errors
    /// The standard output cannot be written to.
    pub(crate) fn own<T: Serialize>(
        self,
        thing: &T,
        name: &str,
        table: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.data(&table(thing)),
            Format::Json => self.data(&pretty(thing)),
            Format::Jsonl => self.data(&compact(thing)),
            Format::Yaml => self.data(&yaml(thing)),
            Format::Name => self.data(name),
        }
    }

    /// Several things, and what is made of them all.
    ///
    /// # Errors
    /// The standard output cannot be written to.
    pub(crate) fn own_list<W: Serialize, T: Serialize>(
        self,
        whole: &W,
        items: &[T],
        name: impl Fn(&T) -> String,
        table: impl FnOnce(&W) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table => self.data(&table(whole)),
            Format::Json => self.data(&pretty(whole)),
            Format::Yaml => self.data(&yaml(whole)),
            Format::Jsonl => items.iter().try_for_each(|item| self.data(&compact(item))),
            Format::Name => items.iter().try_for_each(|item| self.data(&name(item))),
        }
    }
}

fn pretty(thing: &impl Serialize) -> String {
    serde_json::to_string_pretty(thing).expect("its maps have names for keys")
}

fn compact(thing: &impl Serialize) -> String {
    serde_json::to_string(thing).expect("its maps have names for keys")
}

fn yaml(thing: &impl Serialize) -> String {
    // By way of JSON, so that both are the same content.
    let value = serde_json::to_value(thing).expect("its maps have names for keys");
    serde_saphyr::to_string(&value).expect("a JSON value is YAML")
}
