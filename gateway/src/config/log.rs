//! `[log]`: what is logged, and how. Whoever runs the gateway sets it up.

use serde::Deserialize;

/// Logs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Directives of tracing-subscriber's `EnvFilter`.
    pub filter: String,
    /// How lines are written.
    pub format: LogFormat,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}
