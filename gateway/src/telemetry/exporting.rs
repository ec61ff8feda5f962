//! The way to a collector: a bounded queue of spans, and a reader of metrics
//! that sends them from time to time. A collector that is away or slow costs
//! what is in the queue, and a line in the log; nothing waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::metrics::Counter;
use opentelemetry_otlp::{
    MetricExporter, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, SpanExporter, WithExportConfig, WithTonicConfig,
    tonic_types::transport::ClientTlsConfig,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    metrics::{PeriodicReader, Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
    trace::{SpanData, SpanExporter as _},
};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::TelemetryError;

/// Spans that are sent at once.
const BATCH: usize = 512;
/// How long the first span of a batch waits for others.
const GATHER: Duration = Duration::from_secs(1);

/// Where a collector is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Collector {
    /// As the settings say.
    At(String),
    /// As the variables of the OpenTelemetry SDKs say, each signal by itself.
    Environment,
}

impl Collector {
    /// The collector that is named, if one is.
    pub(super) fn named(setting: Option<&str>) -> Option<Self> {
        if let Some(url) = setting {
            return Some(Self::At(url.to_owned()));
        }
        let variables = [
            OTEL_EXPORTER_OTLP_ENDPOINT,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
            OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
        ];
        let is_named = variables.into_iter().any(|name| set(name).is_some());
        is_named.then_some(Self::Environment)
    }

    /// Configures an exporter; `variable` names the collector of its signal.
    fn configure<B: WithExportConfig + WithTonicConfig>(
        &self,
        mut builder: B,
        variable: &str,
        patience: Duration,
    ) -> B {
        let url = match self {
            Self::At(url) => {
                builder = builder.with_endpoint(url);
                Some(url.clone())
            }
            Self::Environment => set(variable).or_else(|| set(OTEL_EXPORTER_OTLP_ENDPOINT)),
        };
        // The exporter trusts nobody by itself, and the system's certificates
        // need not be there where they are not needed.
        if url.is_some_and(|url| url.starts_with("https:")) {
            builder = builder.with_tls_config(ClientTlsConfig::new().with_enabled_roots());
        }
        builder.with_timeout(patience)
    }
}

fn set(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    value.filter(|value| !value.is_empty())
}

/// The entrance to the queue of spans; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct SpanQueue {
    entrance: Option<mpsc::Sender<SpanData>>,
    dropped: Counter<u64>,
}

impl SpanQueue {
    /// A queue of spans that nobody wants.
    pub(super) fn closed(dropped: Counter<u64>) -> Self {
        Self {
            entrance: None,
            dropped,
        }
    }

    /// Whether spans are wanted at all.
    pub(super) fn is_open(&self) -> bool {
        self.entrance.is_some()
    }

    /// Queues a span if there is room; never waits.
    pub(super) fn push(&self, span: SpanData) {
        let Some(entrance) = &self.entrance else {
            return;
        };
        match entrance.try_send(span) {
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) => self.dropped.add(1, &[]),
        }
    }
}

/// Sends spans until it is told to stop.
#[derive(Debug)]
pub(super) struct Sending {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sending {
    /// Begins to send. Must be called within the runtime.
    pub(super) fn begin(
        collector: &Collector,
        resource: &Resource,
        (queued, patience): (usize, Duration),
        dropped: Counter<u64>,
    ) -> Result<(SpanQueue, Self), TelemetryError> {
        let builder = SpanExporter::builder().with_tonic();
        let variable = OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
        let mut exporter = collector.configure(builder, variable, patience).build()?;
        exporter.set_resource(resource);
        let (entrance, exit) = mpsc::channel(queued);
        let stop = CancellationToken::new();
        let sender = Sender {
            exporter,
            patience,
            dropped: dropped.clone(),
            standing: Standing::new("spans"),
        };
        let task = tokio::spawn(sender.run(exit, stop.clone()));
        let queue = SpanQueue {
            entrance: Some(entrance),
            dropped,
        };
        Ok((queue, Self { stop, task }))
    }

    /// Sends what is left, for as long as the caller waits.
    pub(super) async fn finish(mut self, limit: Duration) {
        self.stop.cancel();
        if timeout(limit, &mut self.task).await.is_err() {
            self.task.abort();
            tracing::warn!("spans were left unsent: the collector did not take them in time");
        }
    }
}

struct Sender {
    exporter: SpanExporter,
    patience: Duration,
    dropped: Counter<u64>,
    standing: Standing,
}

impl Sender {
    async fn run(self, mut exit: mpsc::Receiver<SpanData>, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let room = BATCH - batch.len();
            let more = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                more = exit.recv_many(&mut batch, room) => more,
            };
            if more == 0 {
                break;
            }
            if batch.len() < BATCH {
                self.gather(&mut exit, &mut batch, &stop).await;
            }
            self.send(std::mem::take(&mut batch)).await;
        }
        exit.close();
        while let Ok(span) = exit.try_recv() {
            batch.push(span);
            if batch.len() == BATCH {
                self.send(std::mem::take(&mut batch)).await;
            }
        }
        self.send(batch).await;
    }

    /// Waits a little for more, so that a busy second is one request.
    async fn gather(
        &self,
        exit: &mut mpsc::Receiver<SpanData>,
        batch: &mut Vec<SpanData>,
        stop: &CancellationToken,
    ) {
        let full = async {
            while batch.len() < BATCH {
                match exit.recv().await {
                    Some(span) => batch.push(span),
                    None => return,
                }
            }
        };
        tokio::select! {
            () = full => {}
            () = sleep(GATHER) => {}
            () = stop.cancelled() => {}
        }
    }

    async fn send(&self, batch: Vec<SpanData>) {
        if batch.is_empty() {
            return;
        }
        let count = batch.len() as u64;
        let sent = match timeout(self.patience, self.exporter.export(batch)).await {
            Ok(sent) => sent.map_err(|error| error.to_string()),
            Err(_) => Err("it did not answer in time".to_owned()),
        };
        if sent.is_err() {
            self.dropped.add(count, &[]);
        }
        self.standing.heard(sent);
    }
}

/// A reader that sends metrics from time to time, from a thread of its own.
/// Must be called within the runtime.
pub(super) fn metrics(
    collector: &Collector,
    (interval, patience): (Duration, Duration),
) -> Result<PeriodicReader<Told>, TelemetryError> {
    let builder = MetricExporter::builder().with_tonic();
    let variable = OTEL_EXPORTER_OTLP_METRICS_ENDPOINT;
    let exporter = collector.configure(builder, variable, patience).build()?;
    let told = Told {
        inner: exporter,
        standing: Standing::new("metrics"),
    };
    Ok(PeriodicReader::builder(told)
        .with_interval(interval)
        .build())
}

/// An exporter whose failures are said.
#[derive(Debug)]
pub(super) struct Told {
    inner: MetricExporter,
    standing: Standing,
}

impl PushMetricExporter for Told {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let sent = self.inner.export(metrics).await;
        let said = sent.as_ref().copied().map_err(ToString::to_string);
        self.standing.heard(said);
        sent
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}

/// Whether the collector took the last that it was sent: said when it changes,
/// so that an outage of a day is two lines.
#[derive(Clone, Debug)]
struct Standing {
    of: &'static str,
    is_away: Arc<AtomicBool>,
}

impl Standing {
    fn new(of: &'static str) -> Self {
        Self {
            of,
            is_away: Arc::default(),
        }
    }

    fn heard(&self, sent: Result<(), String>) {
        let was_away = self.is_away.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Err(error) if !was_away => tracing::warn!(
                signal = self.of,
                error,
                "the collector does not take what it is sent; dropping it until it does"
            ),
            Ok(()) if was_away => {
                tracing::info!(
                    signal = self.of,
                    "the collector takes what it is sent again"
                );
            }
            Ok(()) | Err(_) => {}
        }
    }
}
