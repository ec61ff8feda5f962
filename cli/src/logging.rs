//! Where the logs of a gateway in this process go: to the standard error.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// Forms of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Begins logging. `TIDEGATE_LOG` says what is logged, in the form
/// `level` or `target=level,target=level`; otherwise it is `default`.
pub(crate) fn begin(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_env("TIDEGATE_LOG").unwrap_or_else(|_| default.into());
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false);
    let begun = match format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    };
    // A second begin in one process keeps the first one's form.
    drop(begun);
}
