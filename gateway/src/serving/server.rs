//! Connections: accepted up to a number, each with its own limits, and ended
//! with the gateway.

use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};

use hyper::server::conn::http2;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;
use tower::Service;

use super::drain::Drain;

/// How long a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Pause after an accept failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Most bytes of a request's headers.
const HEADER_BYTES: u32 = 16 << 10;

/// Limits of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connections {
    /// At a time; further ones wait in the system's queue.
    pub limit: usize,
    /// Streams on one connection at a time; further ones wait in the client.
    pub streams: u32,
    /// How often an idle client is asked whether it still lives.
    pub keepalive_interval: Duration,
    /// How long it may take to answer.
    pub keepalive_timeout: Duration,
}

/// Accepts connections until the gateway shuts down. Connections run in
/// `drain`, which also ends them.
pub async fn serve<S>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: S,
    limits: Connections,
    drain: Drain,
) where
    S: Service<http::Request<hyper::body::Incoming>, Response = http::Response<Body>>
        + Clone
        + Send
        + 'static,
    S: Service<http::Request<hyper::body::Incoming>, Error = Infallible>,
    S::Future: Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.limit));
    loop {
        let accepted = tokio::select! {
            () = drain.begun() => return,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = Connection {
            service: service.clone(),
            limits: limits.clone(),
            drain: drain.clone(),
        };
        let tls = tls.clone();
        drain.connection(async move {
            connection.run(stream, tls).await;
            drop(place);
        });
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

struct Connection<S> {
    service: S,
    limits: Connections,
    drain: Drain,
}

impl<S> Connection<S>
where
    S: Service<http::Request<hyper::body::Incoming>, Response = http::Response<Body>>
        + Clone
        + Send
        + 'static,
    S: Service<http::Request<hyper::body::Incoming>, Error = Infallible>,
    S::Future: Send + 'static,
{
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let Some(tls) = tls else {
            return self.speak(stream).await;
        };
        let handshake = tokio::select! {
            () = self.drain.begun() => return,
            handshake = timeout(HANDSHAKE, tls.accept(stream)) => handshake,
        };
        match handshake {
            Ok(Ok(stream)) => self.speak(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn speak(self, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams)
            .max_header_list_size(HEADER_BYTES)
            .keep_alive_interval(self.limits.keepalive_interval)
            .keep_alive_timeout(self.limits.keepalive_timeout);
        let service = TowerToHyperService::new(self.service);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
        let mut asked = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection broke");
                    }
                    return;
                }
                () = self.drain.begun(), if !asked => {
                    connection.as_mut().graceful_shutdown();
                    asked = true;
                }
                () = self.drain.abandoned() => return,
            }
        }
    }
}
