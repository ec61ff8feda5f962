//! How the table is reached.

use std::time::Duration;

/// How the table is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The Region, instead of the one that AWS tools would find.
    pub region: Option<String>,
    /// A DynamoDB Local, which takes any credentials, instead of AWS. Another
    /// endpoint of AWS is named by `AWS_ENDPOINT_URL_DYNAMODB`.
    pub endpoint: Option<String>,
    /// How long calls may take.
    pub timeouts: Timeouts,
}

impl Settings {
    /// A table that is reached as AWS tools would reach it.
    #[must_use]
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            region: None,
            endpoint: None,
            timeouts: Timeouts::default(),
        }
    }
}

/// How long calls may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To make a connection, TLS included. A call that fails here was surely
    /// not sent.
    pub connect: Duration,
    /// One attempt at a read; it is tried up to three times.
    pub read: Duration,
    /// A write, which is tried once. After it, nobody knows whether it was
    /// made.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            read: Duration::from_secs(5),
            write: Duration::from_secs(5),
        }
    }
}
