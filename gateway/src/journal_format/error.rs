//! Why bytes are not a record.

/// Why bytes are not a record that this program can fold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not protobuf, or not this message.
    #[error("not a record: {0}")]
    Malformed(String),
    /// A newer program wrote it.
    #[error(
        "the record has format {found}, and this program reads formats up to {newest}: it was written by a newer version of Tidegate"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// The newest that is known.
        newest: u32,
    },
    /// Something that every record has is absent, or an enum is at its
    /// unspecified zero.
    #[error("the record has no {field}")]
    Missing {
        /// What.
        field: &'static str,
    },
    /// Something is there that must not be.
    #[error("the record has a {field} where there must be none")]
    Unexpected {
        /// What.
        field: &'static str,
    },
    /// An enum value that no known format writes.
    #[error("{value} is not a known {field}")]
    UnknownValue {
        /// Of what.
        field: &'static str,
        /// The value.
        value: i32,
    },
    /// A position above what the engine counts.
    #[error("{field} {value} is out of range")]
    OutOfRange {
        /// Of what.
        field: &'static str,
        /// The value.
        value: u32,
    },
    /// Bytes of another length than they always have.
    #[error("{field} has {found} bytes instead of {wanted}")]
    Length {
        /// What.
        field: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        wanted: usize,
    },
}
