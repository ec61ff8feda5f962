//! What must hold of any input, one property for each kind of it.
//!
//! Each module has one function `check` that takes any bytes, and panics if
//! the property does not hold. A fuzz target calls it with what libFuzzer
//! makes up; an ordinary test calls it with every input in `corpus`, so that
//! what was found once is tried for ever.
#![forbid(unsafe_code)]

mod choices;
pub mod engine;
pub mod journal_record;
pub mod plan_file;
mod plans;
pub mod replay;
pub mod wire;

/// A property of any bytes.
pub type Check = fn(&[u8]);

/// Every property, by the name of its target and of the folder of its corpus.
pub const ALL: [(&str, Check); 5] = [
    ("engine", engine::check),
    ("journal_record", journal_record::check),
    ("plan_file", plan_file::check),
    ("replay", replay::check),
    ("wire", wire::check),
];
