//! `[journal]`: where executions and plans are recorded.

use std::path::PathBuf;

use serde::Deserialize;

use super::HumanDuration;

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
    /// The table of a cluster.
    pub dynamodb: DynamoDb,
}

/// A table of DynamoDB.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DynamoDb {
    /// Its name.
    pub table: String,
    /// Its Region, instead of the one that AWS tools would find.
    pub region: Option<String>,
    /// A DynamoDB Local instead of AWS.
    pub endpoint: Option<String>,
    /// To make a connection.
    pub connect_timeout: HumanDuration,
    /// One attempt at a read.
    pub read_timeout: HumanDuration,
    /// A write.
    pub write_timeout: HumanDuration,
}

/// Which journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalKind {
    /// One file in the data directory.
    Redb,
    /// One table, which several gateways may share.
    DynamoDb,
    /// Forgotten when the process ends.
    Memory,
}
