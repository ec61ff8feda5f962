//! `[telemetry]`: what is sent to an OpenTelemetry collector.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::HumanDuration;
use crate::telemetry::Settings;

/// Traces and metrics over OTLP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// The collector's gRPC address; without it, that of the environment.
    #[serde(default)]
    pub otlp_endpoint: Option<String>,
    /// How often metrics are sent.
    pub metrics_interval: HumanDuration,
    /// How long the collector may take to answer.
    pub export_timeout: HumanDuration,
    /// How long what is left may take to be sent when the gateway ends.
    pub flush_timeout: HumanDuration,
    /// Spans that may wait for the collector; further ones are dropped.
    pub queued_spans: NonZeroUsize,
}

impl Telemetry {
    /// As telemetry takes it; `instance` tells this process from others.
    #[must_use]
    pub fn settings(&self, instance: String) -> Settings {
        Settings {
            otlp_endpoint: self.otlp_endpoint.clone(),
            metrics_interval: self.metrics_interval.get(),
            export_timeout: self.export_timeout.get(),
            flush_timeout: self.flush_timeout.get(),
            queued_spans: self.queued_spans.get(),
            instance,
        }
    }
}
