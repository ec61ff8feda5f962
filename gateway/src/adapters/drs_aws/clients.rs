//! SDK clients: one for each target, made when it is first needed and kept.
//! Their number is that of the targets in plans.

use std::{
    collections::HashMap,
    env,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_drs::{
    Client, Config,
    config::{
        Credentials, Region, SharedCredentialsProvider, http::HttpResponse, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
};
use tidegate_core::plan::Target;

use super::{
    classify, credentials,
    failure::{Failure, Sent},
    settings::{Mode, Sessions, Settings, Timeouts},
};
use crate::{
    adapters::aws_observed::{Observed, Observer},
    ports::drs::DrsError,
};

/// All clients.
#[derive(Debug)]
pub(super) struct Clients {
    access: Access,
    timeouts: Timeouts,
    read_attempts: u32,
    pub(super) observer: Option<Arc<dyn Observer>>,
    made: Mutex<HashMap<Target, Client>>,
}

#[derive(Debug)]
enum Access {
    Aws {
        base: Box<SdkConfig>,
        sessions: Sessions,
    },
    Endpoint {
        url: String,
    },
}

/// DRS in one target.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) client: Client,
    /// Account and Region.
    pub(super) name: String,
    target: Target,
    timeouts: Timeouts,
}

impl Clients {
    pub(super) async fn new(settings: Settings) -> Self {
        let access = match settings.mode {
            Mode::Aws { sessions } => Access::Aws {
                base: Box::new(aws_config::defaults(BehaviorVersion::latest()).load().await),
                sessions,
            },
            Mode::Endpoint { url } => Access::Endpoint { url },
        };
        Self {
            access,
            timeouts: settings.timeouts,
            read_attempts: settings.read_attempts,
            observer: None,
            made: Mutex::default(),
        }
    }

    pub(super) async fn place(&self, target: &Target) -> Place {
        let client = match self.existing(target) {
            Some(client) => client,
            None => self.add(target, self.make(target).await),
        };
        Place {
            client,
            name: format!("{}/{}", target.account, target.region),
            target: target.clone(),
            timeouts: self.timeouts,
        }
    }

    fn existing(&self, target: &Target) -> Option<Client> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.get(target).cloned()
    }

    /// Keeps the client of whoever was first.
    fn add(&self, target: &Target, client: Client) -> Client {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(target.clone()).or_insert(client).clone()
    }

    /// Service Quotas in a target, as whoever launches there, if it speaks of
    /// the DRS that is called. Asked so seldom that no client is kept.
    pub(super) async fn quotas(
        &self,
        target: &Target,
    ) -> Option<(aws_sdk_servicequotas::Client, Place)> {
        let builder = match &self.access {
            Access::Aws { .. } if is_drs_elsewhere() => return None,
            Access::Aws { base, sessions } => {
                let config = self.in_target(base, sessions, target).await;
                aws_sdk_servicequotas::config::Builder::from(&config)
            }
            Access::Endpoint { url } => aws_sdk_servicequotas::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(target.region.clone()))
                .endpoint_url(url)
                .credentials_provider(emulator_credentials(target)),
        };
        let config = builder
            .retry_config(RetryConfig::standard().with_max_attempts(self.read_attempts))
            .timeout_config(self.timeouts.of_reads(self.read_attempts))
            .interceptor(Observed::of(&self.observer, target))
            .build();
        let client = aws_sdk_servicequotas::Client::from_conf(config);
        Some((client, self.place(target).await))
    }

    /// How other services of AWS are called in a target, as whoever launches
    /// there.
    pub(super) async fn shared(&self, target: &Target) -> SdkConfig {
        let config = match &self.access {
            Access::Aws { base, sessions } => {
                let config = self.in_target(base, sessions, target).await;
                config.into_builder()
            }
            Access::Endpoint { url } => SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(target.region.clone()))
                .endpoint_url(url)
                .credentials_provider(SharedCredentialsProvider::new(emulator_credentials(target))),
        };
        config
            .retry_config(RetryConfig::standard().with_max_attempts(self.read_attempts))
            .timeout_config(self.timeouts.of_reads(self.read_attempts))
            .build()
    }

    async fn in_target(&self, base: &SdkConfig, sessions: &Sessions, target: &Target) -> SdkConfig {
        let observed = Observed::of(&self.observer, target);
        credentials::in_target(base, sessions, target, observed).await
    }

    async fn make(&self, target: &Target) -> Client {
        let builder = match &self.access {
            Access::Aws { base, sessions } => {
                let config = self.in_target(base, sessions, target).await;
                aws_sdk_drs::config::Builder::from(&config)
            }
            Access::Endpoint { url } => Config::builder()
                .behavior_version(aws_sdk_drs::config::BehaviorVersion::latest())
                .region(Region::new(target.region.clone()))
                .endpoint_url(url)
                .credentials_provider(emulator_credentials(target)),
        };
        let config = builder
            .retry_config(RetryConfig::standard().with_max_attempts(self.read_attempts))
            .timeout_config(self.timeouts.of_reads(self.read_attempts))
            .interceptor(Observed::of(&self.observer, target))
            .build();
        Client::from_conf(config)
    }
}

/// Whether the environment names another DRS than that of the Region, and no
/// Service Quotas that would know it.
fn is_drs_elsewhere() -> bool {
    let is_set = |name| env::var_os(name).is_some();
    is_set("AWS_ENDPOINT_URL_DRS") && !is_set("AWS_ENDPOINT_URL_SERVICE_QUOTAS")
}

fn emulator_credentials(target: &Target) -> Credentials {
    Credentials::new(&target.account, "emulator", None, None, "tidegate-endpoint")
}

impl Timeouts {
    /// All attempts, and as much again as one for the pauses between them.
    fn of_reads(&self, attempts: u32) -> TimeoutConfig {
        self.config(self.read, self.read * attempts.saturating_add(1))
    }

    fn of_changes(&self) -> TimeoutConfig {
        self.config(self.change, self.change)
    }

    fn config(&self, attempt: Duration, operation: Duration) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(attempt)
            .operation_timeout(operation)
            .build()
    }
}

impl Place {
    /// The configuration of calls that must not be repeated.
    pub(super) fn once(&self) -> aws_sdk_drs::config::Builder {
        Config::builder()
            .retry_config(RetryConfig::disabled())
            .timeout_config(self.timeouts.of_changes())
    }

    /// What a read's failure means.
    pub(super) fn failed<E>(
        &self,
        operation: &'static str,
        error: &SdkError<E, HttpResponse>,
    ) -> DrsError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        // Nobody asks whether a read was sent.
        let failure = self.failure(error, &Sent::assumed());
        classify::read_error(operation, &self.name, failure)
    }

    /// How a call failed, in words that say what to do about it.
    pub(super) fn failure<E>(&self, error: &SdkError<E, HttpResponse>, sent: &Sent) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        credentials::explained(Failure::of(error, sent), error, &self.target)
    }
}
