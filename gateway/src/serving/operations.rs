//! The operations port: metrics and health over plain HTTP, for whoever runs
//! the gateway. Nothing can be changed here, and nothing but names of plans,
//! hooks, accounts and Regions can be read.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle, time::timeout};

use super::address::{AddressError, Exposure, check};
use crate::{drain::Drain, telemetry::MetricsText};

/// Connections at a time; further ones wait.
const CONNECTIONS: usize = 64;
/// How long a client may take for the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may live.
const LIFE: Duration = Duration::from_secs(300);
/// Pause after an accept failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the port cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OperationsError {
    /// The address would expose it.
    #[error(
        "operations.listen: {0} is reachable from other machines. Listen on 127.0.0.1, or say \
         operations.insecure = true: whoever reaches it reads metrics, and can change nothing"
    )]
    Address(SocketAddr),
    /// The address cannot be listened on.
    #[error("operations.listen: cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// For how long the gateway's cluster has not heard it, if that is too long.
pub type Unheard = Arc<dyn Fn() -> Option<Duration> + Send + Sync>;

/// A bound port.
#[derive(Debug)]
pub struct Operations {
    listener: TcpListener,
    address: SocketAddr,
}

impl Operations {
    /// Binds the port.
    ///
    /// # Errors
    /// See [`OperationsError`].
    pub async fn bind(address: SocketAddr, insecure: bool) -> Result<Self, OperationsError> {
        match check(address, false, insecure) {
            Ok(Exposure::ThisMachine | Exposure::Certified) => {}
            Ok(Exposure::Anybody) => {
                tracing::warn!(%address, "anybody who reaches this address can read metrics");
            }
            Err(AddressError { address }) => return Err(OperationsError::Address(address)),
        }
        let failed = |source| OperationsError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the task is aborted. While the gateway drains, or its
    /// cluster does not hear it, it is alive and not ready.
    #[must_use]
    pub fn serve(self, metrics: MetricsText, drain: Drain, unheard: Unheard) -> JoinHandle<()> {
        let served = Arc::new(Served {
            metrics,
            drain,
            unheard,
        });
        tokio::spawn(accept(self.listener, served))
    }
}

struct Served {
    metrics: MetricsText,
    drain: Drain,
    unheard: Unheard,
}

async fn accept(listener: TcpListener, served: Arc<Served>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await;
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection to the operations port could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let served = Arc::clone(&served);
        connections.spawn(async move {
            let answer = service_fn(move |request| {
                let answer = served.answer(&request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(stream), answer);
            if let Ok(Err(error)) = timeout(LIFE, connection).await {
                tracing::debug!(%error, "a connection to the operations port broke");
            }
            drop(place);
        });
    }
}

impl Served {
    fn answer(&self, request: &Request<Incoming>) -> Response<String> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return text(
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET and HEAD are answered\n",
            );
        }
        match request.uri().path() {
            "/metrics" => self.metrics(),
            "/livez" => text(StatusCode::OK, "alive\n"),
            "/readyz" => self.readiness(),
            _ => text(
                StatusCode::NOT_FOUND,
                "there are /metrics, /livez and /readyz\n",
            ),
        }
    }

    fn readiness(&self) -> Response<String> {
        const NOT: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
        if self.drain.has_begun() {
            return text(NOT, "the gateway shuts down\n");
        }
        match (self.unheard)() {
            None => text(StatusCode::OK, "ready\n"),
            Some(silent) => text(
                NOT,
                format!(
                    "the cluster's table has not taken a heartbeat of this gateway for {} s, which \
                     is longer than cluster.lease: others take what it drives. Look at its log: \
                     permissions, the network or the table\n",
                    silent.as_secs()
                ),
            ),
        }
    }

    fn metrics(&self) -> Response<String> {
        match self.metrics.read() {
            Ok(metrics) => answer(StatusCode::OK, MetricsText::TYPE, metrics),
            Err(error) => {
                tracing::error!(error, "metrics cannot be written down");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                text(status, "metrics cannot be written down\n")
            }
        }
    }
}

fn text(status: StatusCode, body: impl Into<String>) -> Response<String> {
    answer(status, "text/plain; charset=utf-8", body.into())
}

fn answer(status: StatusCode, of: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let of = http::HeaderValue::from_static(of);
    response.headers_mut().insert(CONTENT_TYPE, of);
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;
    use crate::adapters::system_clock::SystemClock;
    use crate::telemetry::{Settings, Telemetry};

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_gateway_that_drains_or_that_its_cluster_does_not_hear_is_alive_and_not_ready() {
        let local = "127.0.0.1:0".parse().unwrap();
        let operations = Operations::bind(local, false).await.unwrap();
        let address = operations.address();
        let telemetry = Telemetry::begin(&Settings::for_tests(), Arc::new(SystemClock)).unwrap();
        let drain = Drain::default();
        let silent = Arc::new(Mutex::new(None));
        let told = Arc::clone(&silent);
        let unheard = Arc::new(move || *told.lock().unwrap());
        let serving = operations.serve(telemetry.text(), drain.clone(), unheard);
        *silent.lock().unwrap() = Some(Duration::from_secs(12));
        let answer = get(address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("for 12 s"), "{answer}");
        assert!(get(address, "/livez").await.starts_with("HTTP/1.1 200"));
        *silent.lock().unwrap() = None;
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        drain.begin();
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 503"));
        assert!(get(address, "/livez").await.starts_with("HTTP/1.1 200"));
        let metrics = get(address, "/metrics").await;
        assert!(
            metrics.contains("\ntidegate_executions_started_total 0\n"),
            "{metrics}"
        );
        serving.abort();
    }

    #[tokio::test]
    async fn the_port_is_for_this_machine_unless_somebody_says_otherwise() {
        let any: SocketAddr = "0.0.0.0:0".parse().unwrap();
        let refused = Operations::bind(any, false).await.unwrap_err().to_string();
        for hint in ["operations.listen", "0.0.0.0:0", "operations.insecure"] {
            assert!(refused.contains(hint), "{refused}");
        }
        assert!(Operations::bind(any, true).await.is_ok());
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_with_its_setting() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let refused = Operations::bind(address, false).await.unwrap_err();
        let text = refused.to_string();
        let named = text.contains("operations.listen") && text.contains(&address.to_string());
        assert!(named, "{text}");
    }
}
