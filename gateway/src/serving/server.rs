//! Connections: accepted up to a number, each with its own limits, and ended
//! with the gateway.

use std::{
    convert::Infallible,
    io,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Sleep, sleep},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use super::{greeting::Greeted, under_way::UnderWay};
use crate::drain::Drain;

/// Pause after an accept failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Most bytes of a request's headers.
const HEADER_BYTES: u32 = 16 << 10;
/// How long a client without requests may take to leave when the gateway
/// ends. One that lives has left after a round trip.
const FAREWELL: Duration = Duration::from_secs(1);

/// Limits of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connections {
    /// At a time; further ones wait in the system's queue.
    pub limit: usize,
    /// Streams on one connection at a time; further ones wait in the client.
    pub streams: u32,
    /// How long a client may take for TLS and the greeting of HTTP/2.
    pub handshake_timeout: Duration,
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
        let mut late = pin!(sleep(self.limits.handshake_timeout));
        let Some(tls) = tls else {
            return self.speak(stream, late).await;
        };
        let handshake = tokio::select! {
            () = self.drain.begun() => return,
            () = &mut late => return tracing::debug!("a TLS handshake took too long"),
            handshake = tls.accept(stream) => handshake,
        };
        match handshake {
            Ok(stream) => self.speak(stream, late).await,
            Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
        }
    }

    async fn speak(
        self,
        io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        late: Pin<&mut Sleep>,
    ) {
        let (io, heard) = Greeted::new(io);
        let requests = &UnderWay::new();
        let http2 = self.http2();
        let service = self.service;
        let counted = service_fn(move |asked| {
            let request = requests.begin();
            let answer = service.clone().oneshot(asked);
            async move { answer.await.map(|answer| request.answered(answer)) }
        });
        let connection = http2.serve_connection(TokioIo::new(io), counted);
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended.unwrap_or_else(broke),
            () = overdue(late, &heard) => return tracing::debug!("a client never greeted"),
            () = self.drain.begun() => {}
        }
        if !heard.is_cancelled() {
            return;
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            ended = connection.as_mut() => ended.unwrap_or_else(broke),
            () = requests.none_for(FAREWELL) => tracing::debug!("a client did not leave"),
            () = self.drain.abandoned() => {}
        }
    }

    fn http2(&self) -> http2::Builder<TokioExecutor> {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams)
            .max_header_list_size(HEADER_BYTES)
            .keep_alive_interval(self.limits.keepalive_interval)
            .keep_alive_timeout(self.limits.keepalive_timeout);
        builder
    }
}

/// Resolves if the client has not greeted when it is late.
async fn overdue(late: Pin<&mut Sleep>, heard: &CancellationToken) {
    late.await;
    if heard.is_cancelled() {
        std::future::pending().await
    }
}

fn broke(error: hyper::Error) {
    tracing::debug!(%error, "a connection broke");
}
