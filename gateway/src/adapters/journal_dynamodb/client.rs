//! The SDK's client.

use std::{sync::Arc, time::Duration};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{
    Client, Config,
    config::{Builder, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig},
};

use super::settings::{Settings, Timeouts};
use crate::adapters::aws_observed::{Observed, Observer};

/// Attempts at what may be repeated, the first included.
const ATTEMPTS: u32 = 3;

/// A Region for an endpoint that has none.
const NOWHERE: &str = "us-east-1";

/// Reads the environment's AWS configuration, unless there is an endpoint. No
/// call is made. The observer, if there is one, hears of every request.
pub(super) async fn connect(settings: &Settings, observer: Option<Arc<dyn Observer>>) -> Client {
    let region = settings.region.clone().map(Region::new);
    let mut found = region.clone();
    let builder = match &settings.endpoint {
        Some(url) => Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(region.unwrap_or(Region::from_static(NOWHERE)))
            .endpoint_url(url)
            .credentials_provider(any_credentials()),
        None => {
            let mut loader = aws_config::defaults(BehaviorVersion::latest());
            if let Some(region) = region {
                loader = loader.region(region);
            }
            let loaded = loader.load().await;
            found = loaded.region().cloned();
            aws_sdk_dynamodb::config::Builder::from(&loaded)
        }
    };
    let region = found.as_ref().map_or(NOWHERE, AsRef::as_ref);
    let config = builder
        .interceptor(Observed::of_journal(&observer, region))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(settings.timeouts.of_reads())
        .build();
    Client::from_conf(config)
}

/// DynamoDB Local wants letters and digits.
fn any_credentials() -> Credentials {
    Credentials::new("tidegate", "local", None, None, "tidegate-endpoint")
}

/// The configuration of calls that must not be repeated.
pub(super) fn once(timeouts: &Timeouts) -> Builder {
    Config::builder()
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.config(timeouts.write, timeouts.write))
}

/// The configuration of writes of which a second one changes nothing.
pub(super) fn repeated(timeouts: &Timeouts) -> Builder {
    let all = timeouts.write * (ATTEMPTS + 1);
    Config::builder().timeout_config(timeouts.config(timeouts.write, all))
}

impl Timeouts {
    /// All attempts, and as much again as one for the pauses between them.
    fn of_reads(&self) -> TimeoutConfig {
        self.config(self.read, self.read * (ATTEMPTS + 1))
    }

    fn config(&self, attempt: Duration, operation: Duration) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(attempt)
            .operation_timeout(operation)
            .build()
    }
}
