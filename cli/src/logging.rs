//! Where the logs of a gateway in this process go: to the standard error.

use std::io;

use tidegate_gateway::{
    config::{Log, LogFormat},
    telemetry::JsonLines,
};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// Begins logging as the settings say.
///
/// # Errors
/// The filter is not one.
pub(crate) fn begin(settings: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&settings.filter).map_err(|error| {
        Failure::Invalid(format!(
            "log.filter {:?} is not a filter: {error}",
            settings.filter
        ))
    })?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false);
    let begun = match settings.format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.event_format(JsonLines).try_init(),
    };
    // A second begin in one process keeps the first one's form.
    drop(begun);
    Ok(())
}
