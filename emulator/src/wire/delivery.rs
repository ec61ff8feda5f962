//! What the caller hears: the answer, or what a fault makes of it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use axum::http::response::Parts;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::connection::Connection;
use crate::faults::{Answer, Instead};

/// How long nothing is said to a caller that does not give up.
const LONGEST_SILENCE: Duration = Duration::from_secs(600);

/// In how many drops a body arrives at most.
const DROPS: usize = 50;

/// Long enough for what was sent before a reset to be on its way.
const BEFORE_RESET: Duration = Duration::from_millis(20);

/// Delivers a response as the fault says. There is no `connection` where a router is asked without
/// a socket; a body that breaks stands for a reset there.
pub(super) async fn deliver(
    response: Response,
    answer: &Answer,
    connection: Option<&Connection>,
) -> Response {
    match answer {
        // An error was made the response.
        Answer::Whole | Answer::Instead(Instead::Error(_)) => response,
        Answer::Delayed(time) => {
            wait(*time, connection).await;
            response
        }
        Answer::Dribbled(over) => dribbled(response, *over, connection).await,
        Answer::Cut => cut(response, connection).await,
        Answer::Instead(Instead::Reset) => reset(connection),
        Answer::Instead(Instead::Silence) => {
            wait(LONGEST_SILENCE, connection).await;
            reset(connection)
        }
    }
}

/// Waits, but not for longer than the emulator goes on.
async fn wait(time: Duration, connection: Option<&Connection>) {
    let closing = async {
        match connection {
            Some(connection) => connection.closing().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = sleep(time) => {}
        () = closing => {}
    }
}

fn reset(connection: Option<&Connection>) -> Response {
    if let Some(connection) = connection {
        connection.sever();
    }
    let broken = Paced {
        left: Bytes::from_static(b"-"),
        drop: 1,
        every: Duration::ZERO,
        drops_left: 0,
        nap: None,
        connection: connection.cloned(),
    };
    (StatusCode::OK, Body::new(broken)).into_response()
}

async fn dribbled(response: Response, over: Duration, connection: Option<&Connection>) -> Response {
    let (parts, left) = whole(response).await;
    let drop = left.len().div_ceil(DROPS).max(1);
    let drops = left.len().div_ceil(drop).max(1);
    let body = Paced {
        left,
        drop,
        every: over.div_f64(drops as f64),
        drops_left: drops,
        nap: None,
        connection: connection.cloned(),
    };
    Response::from_parts(parts, Body::new(body))
}

async fn cut(response: Response, connection: Option<&Connection>) -> Response {
    let (parts, left) = whole(response).await;
    if left.len() < 2 {
        // There is nothing to halve.
        return reset(connection);
    }
    let body = Paced {
        drop: left.len() / 2,
        left,
        every: BEFORE_RESET,
        drops_left: 1,
        nap: None,
        connection: connection.cloned(),
    };
    Response::from_parts(parts, Body::new(body))
}

async fn whole(response: Response) -> (Parts, Bytes) {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await;
    (
        parts,
        body.expect("the answers of operations are in memory"),
    )
}

/// A body that arrives in drops, and may break.
struct Paced {
    left: Bytes,
    /// Bytes in a drop.
    drop: usize,
    every: Duration,
    /// The connection is reset after these.
    drops_left: usize,
    nap: Option<Pin<Box<Sleep>>>,
    connection: Option<Connection>,
}

impl Paced {
    fn breaks(&mut self) -> io::Error {
        if let Some(connection) = &self.connection {
            connection.sever();
        }
        self.left = Bytes::new();
        io::ErrorKind::ConnectionReset.into()
    }

    fn is_closing(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_closing)
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if this.left.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(nap) = &mut this.nap {
            std::task::ready!(nap.as_mut().poll(cx));
        }
        if this.drops_left == 0 || this.is_closing() {
            return Poll::Ready(Some(Err(this.breaks())));
        }
        this.drops_left -= 1;
        this.nap = Some(Box::pin(sleep(this.every)));
        let drop = this.left.split_to(this.drop.min(this.left.len()));
        Poll::Ready(Some(Ok(Frame::data(drop))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
