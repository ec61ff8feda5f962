//! What operators see in the tools that they have: metrics, traces and logs
//! that can be joined by their ids. All types of OpenTelemetry stay in here.
//!
//! The driver and the services know nothing of it. Ports are decorated
//! (`journal`, `drs`, `cluster`), calls pass through a layer (`rpc`), requests
//! to AWS tell an observer (`aws`), and what happens in executions is read
//! where every watcher reads it: from the commits (`observing`), folded into
//! what came to an end (`journey`), which becomes numbers (`measuring`) and
//! spans (`spans`). One set of instruments has two readers: Prometheus text on
//! the operations port, and OTLP.
//!
//! Nothing here makes a decision, and nothing waits for a collector.

mod aws;
mod cluster;
mod current;
mod drs;
mod exporting;
mod gauges;
mod heard;
pub mod ids;
mod instruments;
mod journal;
mod journey;
mod log_lines;
mod measuring;
mod observing;
mod requests;
mod rpc;
mod spans;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::Duration,
};

use opentelemetry::{KeyValue, metrics::MeterProvider as _};
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    trace::{IdGenerator as _, RandomIdGenerator},
};
use opentelemetry_semantic_conventions::resource::{SERVICE_INSTANCE_ID, SERVICE_VERSION};
use prometheus::TextEncoder;
use tidegate_core::{
    Span,
    plan::{Group, Plan},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use ids::trace_id;
pub use log_lines::JsonLines;
pub(crate) use rpc::Calls;

use self::{
    aws::AwsCalls,
    cluster::{HeardCluster, Standing},
    drs::HeardDrs,
    exporting::{Collector, Sending, SpanQueue},
    heard::{Heard, Place},
    ids::SpanRef,
    instruments::Instruments,
    journal::TimedJournal,
    observing::Observing,
    requests::Remembered,
};
use crate::{
    adapters::aws_observed::Observer,
    grpc::Services,
    ports::{clock::Clock, cluster::Cluster, drs::Drs, journal::Journal},
};

/// What is sent where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Address of the collector; without it, that of the environment.
    pub otlp_endpoint: Option<String>,
    /// How often metrics are sent.
    pub metrics_interval: Duration,
    /// How long the collector may take to answer.
    pub export_timeout: Duration,
    /// How long what is left may take to be sent at the end.
    pub flush_timeout: Duration,
    /// Spans that may wait.
    pub queued_spans: usize,
    /// How this process is told from others.
    pub instance: String,
}

/// Why telemetry cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The collector's address is none.
    #[error(
        "cannot send to the collector (telemetry.otlp_endpoint, or OTEL_EXPORTER_OTLP_* in the environment): {0}"
    )]
    Collector(#[from] opentelemetry_otlp::ExporterBuildError),
    /// A bug of ours.
    #[error("cannot expose metrics as text: {0}")]
    Prometheus(#[from] opentelemetry_sdk::error::OTelSdkError),
}

/// The telemetry of one gateway.
pub struct Telemetry {
    shared: Arc<Shared>,
    provider: SdkMeterProvider,
    registry: prometheus::Registry,
    sending: Option<Sending>,
    observing: Vec<JoinHandle<()>>,
    stop: CancellationToken,
    flush_timeout: Duration,
}

/// What all parts share.
struct Shared {
    clock: Arc<dyn Clock>,
    instruments: Instruments,
    spans: SpanQueue,
    heard: Arc<Heard>,
    /// The spans of requests that may start something, by their ids.
    requests: Remembered,
    /// The spans of the requests that executions came from.
    causes: Remembered,
    services: OnceLock<Weak<Services>>,
    /// By plan.
    objectives: Mutex<BTreeMap<String, Objective>>,
    roster: Mutex<Option<Standing>>,
}

/// What a plan expects.
#[derive(Clone, Debug)]
struct Objective {
    rto: Option<Span>,
    rpo: Option<Span>,
    places: BTreeSet<Place>,
}

impl Telemetry {
    /// Makes the instruments and their readers. Must be called within the
    /// runtime.
    ///
    /// # Errors
    /// The collector's address is none.
    pub fn begin(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, TelemetryError> {
        let collector = Collector::named(settings.otlp_endpoint.as_deref());
        let resource = resource(&settings.instance);
        let registry = prometheus::Registry::new();
        let text = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()?;
        let mut builder = SdkMeterProvider::builder()
            .with_resource(resource.clone())
            .with_reader(text);
        if let Some(collector) = &collector {
            let times = (settings.metrics_interval, settings.export_timeout);
            builder = builder.with_reader(exporting::metrics(collector, times)?);
        }
        let provider = builder.build();
        let meter = provider.meter(spans::SCOPE);
        let instruments = Instruments::new(&meter);
        let dropped = instruments.spans_dropped.clone();
        let (spans, sending) = match &collector {
            Some(collector) => {
                let bounds = (settings.queued_spans, settings.export_timeout);
                let (spans, sending) = Sending::begin(collector, &resource, bounds, dropped)?;
                (spans, Some(sending))
            }
            None => (SpanQueue::closed(dropped), None),
        };
        let shared = Arc::new(Shared {
            clock,
            instruments,
            spans,
            heard: Arc::default(),
            requests: Remembered::default(),
            causes: Remembered::default(),
            services: OnceLock::new(),
            objectives: Mutex::default(),
            roster: Mutex::default(),
        });
        gauges::register(&meter, &shared);
        Ok(Self {
            shared,
            provider,
            registry,
            sending,
            observing: Vec::new(),
            stop: CancellationToken::new(),
            flush_timeout: settings.flush_timeout,
        })
    }

    /// The same journal, timed; `system` is its name as an attribute.
    #[must_use]
    pub fn journal(&self, journal: Arc<dyn Journal>, system: &'static str) -> Arc<dyn Journal> {
        let instruments = self.shared.instruments.clone();
        Arc::new(TimedJournal::new(journal, system, instruments))
    }

    /// The same DRS, listened to.
    #[must_use]
    pub fn drs(&self, drs: Arc<dyn Drs>) -> Arc<dyn Drs> {
        Arc::new(HeardDrs {
            inner: drs,
            heard: Arc::clone(&self.shared.heard),
            clock: Arc::clone(&self.shared.clock),
            instruments: self.shared.instruments.clone(),
        })
    }

    /// The same cluster, listened to; in it a gateway may be silent for `lease`.
    #[must_use]
    pub fn cluster(&self, cluster: Arc<dyn Cluster>, lease: Duration) -> Arc<dyn Cluster> {
        let shared = Arc::clone(&self.shared);
        Arc::new(HeardCluster::new(cluster, shared, lease))
    }

    /// Who hears of requests to AWS.
    #[must_use]
    pub fn aws(&self) -> Arc<dyn Observer> {
        Arc::new(AwsCalls {
            instruments: self.shared.instruments.clone(),
            spans: self.shared.spans.clone(),
        })
    }

    /// The same service of gRPC calls, observed.
    pub(crate) fn calls<S>(&self, service: S) -> Calls<S> {
        Calls::new(service, Arc::clone(&self.shared))
    }

    /// Begins to observe what is recorded, and to read the gauges. It is measured,
    /// and what is stored is looked through, only if somebody reads metrics: a
    /// collector, or whoever asks for them `as_text`.
    pub fn observe(&mut self, services: &Arc<Services>, as_text: bool) {
        let weak = Arc::downgrade(services);
        // Observed once.
        let _ = self.shared.services.set(Weak::clone(&weak));
        let is_read = as_text || self.sending.is_some();
        let commits = services.driver.subscribe_all();
        let observing = Observing::new(Arc::clone(&self.shared), Weak::clone(&weak), is_read);
        let stop = self.stop.clone();
        self.observing
            .push(tokio::spawn(observing.run(commits, stop.clone())));
        if is_read {
            let looking = observing::look_through_again(Arc::clone(&self.shared), weak);
            let looking = async move {
                stop.run_until_cancelled(looking).await;
            };
            self.observing.push(tokio::spawn(looking));
        }
    }

    /// Whoever reads metrics as Prometheus text.
    #[must_use]
    pub fn text(&self) -> MetricsText {
        MetricsText(self.registry.clone())
    }

    /// Sends what is left, for a limited time, and ends.
    pub async fn shut_down(mut self) {
        let limit = self.flush_timeout;
        // What was recorded last is still taken in.
        self.stop.cancel();
        for mut observing in self.observing.drain(..) {
            if tokio::time::timeout(limit, &mut observing).await.is_err() {
                observing.abort();
            }
        }
        let sending = self.sending.take();
        let spans = async {
            if let Some(sending) = sending {
                sending.finish(limit).await;
            }
        };
        // It waits for a thread of its own, whose requests this runtime drives.
        let provider = self.provider.clone();
        let metrics = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(limit));
        let ((), metrics) = tokio::join!(spans, tokio::time::timeout(limit, metrics));
        if metrics.is_err() {
            tracing::warn!("metrics were left unsent: the collector did not take them in time");
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

/// Metrics as Prometheus text.
#[derive(Clone)]
pub struct MetricsText(prometheus::Registry);

impl MetricsText {
    /// The content type of what is read.
    pub const TYPE: &str = prometheus::TEXT_FORMAT;

    /// Everything as it is now.
    ///
    /// # Errors
    /// It cannot be written down, which is a bug.
    pub fn read(&self) -> Result<String, String> {
        let written = TextEncoder::new().encode_to_string(&self.0.gather());
        written.map_err(|error| error.to_string())
    }
}

impl fmt::Debug for MetricsText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsText").finish_non_exhaustive()
    }
}

impl Shared {
    fn services(&self) -> Option<Arc<Services>> {
        self.services.get()?.upgrade()
    }

    fn objectives(&self) -> BTreeMap<String, Objective> {
        let objectives = self.objectives.lock();
        objectives.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_objectives(&self, objectives: BTreeMap<String, Objective>) {
        *self
            .objectives
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = objectives;
    }

    /// A plan runs that may have been stored since plans were looked through.
    fn learn_objective(&self, plan: &Plan) {
        let mut objectives = self
            .objectives
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        objectives.insert(plan.name().to_string(), Objective::of(plan));
    }

    fn roster(&self) -> Option<Standing> {
        *self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_roster(&self, standing: Standing) {
        *self.roster.lock().unwrap_or_else(PoisonError::into_inner) = Some(standing);
    }
}

impl Objective {
    fn of(plan: &Plan) -> Self {
        let groups = plan.waves().iter().flat_map(|wave| &wave.groups);
        let place = |group: &Group| (group.target.account.clone(), group.target.region.clone());
        Self {
            rto: plan.objectives().rto,
            rpo: plan.objectives().rpo,
            places: groups.map(place).collect(),
        }
    }
}

/// Who sends: what the environment says wins.
fn resource(instance: &str) -> Resource {
    let builder = Resource::builder_empty().with_attributes([
        KeyValue::new("service.name", "tidegate"),
        KeyValue::new(SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
        KeyValue::new(SERVICE_INSTANCE_ID, instance.to_owned()),
    ]);
    let named = std::env::var("OTEL_SERVICE_NAME").ok();
    let builder = builder.with_detector(Box::new(
        opentelemetry_sdk::resource::EnvResourceDetector::new(),
    ));
    match named.filter(|name| !name.is_empty()) {
        Some(name) => builder.with_service_name(name).build(),
        None => builder.build(),
    }
}

/// A new span below another one, or of a trace of its own.
fn random_span(parent: Option<SpanRef>) -> SpanRef {
    let ids = RandomIdGenerator::default();
    SpanRef {
        trace: parent.map_or_else(|| ids.new_trace_id().to_bytes(), |parent| parent.trace),
        span: ids.new_span_id().to_bytes(),
        sampled: parent.is_none_or(|parent| parent.sampled),
    }
}

#[cfg(test)]
impl Settings {
    /// Nothing is sent anywhere.
    pub(crate) fn for_tests() -> Self {
        Self {
            otlp_endpoint: None,
            metrics_interval: Duration::from_secs(60),
            export_timeout: Duration::from_secs(1),
            flush_timeout: Duration::from_secs(1),
            queued_spans: 16,
            instance: "test".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system_clock::SystemClock;

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_with_its_setting() {
        let settings = Settings {
            otlp_endpoint: Some("not an address".to_owned()),
            ..Settings::for_tests()
        };
        let refused = Telemetry::begin(&settings, Arc::new(SystemClock)).unwrap_err();
        let text = refused.to_string();
        let named = text.contains("telemetry.otlp_endpoint") && text.contains("not an address");
        assert!(named, "{text}");
    }
}
