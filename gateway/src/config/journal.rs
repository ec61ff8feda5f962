//! `[journal]`: where executions and plans are recorded.

use std::path::PathBuf;

use serde::Deserialize;

/// The journal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// Which one.
    pub kind: JournalKind,
    /// Directory of an embedded journal.
    pub data_dir: PathBuf,
    /// Memory for its cached pages.
    pub cache_bytes: usize,
}

/// Which journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalKind {
    /// One file in the data directory.
    Redb,
    /// Forgotten when the process ends.
    Memory,
}
