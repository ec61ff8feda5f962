//! One HTTP/1.1 request over a connection that stands.
//!
//! No cookies, no redirects, no second request, and no task of its own: the
//! connection is driven by whoever waits for the answer, and closed with it.

use std::{
    error::Error as _,
    io::{self, ErrorKind},
    pin::pin,
};

use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderMap, header, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    body::{Body as _, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;

use super::{
    Method, ProbeFailure, Problem, Response,
    meter::{Excess, Metered},
    network::{Stream, problem_of},
};
use crate::grants::Host;

/// Bytes of a response's head.
const HEAD_BYTES: usize = 16 << 10;

/// Headers in it.
const HEADERS: usize = 64;

/// What is asked.
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) path: PathAndQuery,
    /// Of the `Host` header.
    pub(super) host: String,
}

/// Names the host as a browser would: its usual port goes without saying.
pub(super) fn host_header(host: &Host, port: u16, secure: bool) -> String {
    let usual = if secure { 443 } else { 80 };
    if port == usual {
        host.to_string()
    } else {
        format!("{host}:{port}")
    }
}

/// Asks and reads the answer, up to so many bytes of its body. How long it
/// took is for the caller to say.
pub(super) async fn ask(
    stream: Stream,
    question: Question,
    limit: usize,
) -> Result<Response, ProbeFailure> {
    // A chunk of one byte takes six on the wire.
    let wire = 2 * HEAD_BYTES + 8 * limit;
    let (sender, connection) = http1::Builder::new()
        .max_headers(HEADERS)
        // A head that does not fit into the buffer is refused.
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(Metered::new(stream, wire)))
        .await
        .map_err(|error| failure(&error))?;
    let exchange = pin!(exchange(sender, question, limit));
    match select(exchange, pin!(connection)).await {
        Either::Left((answer, _connection)) => answer.map_err(|error| failure(&error)),
        // What was read before the connection ended is still to be had.
        Either::Right((ended, exchange)) => exchange.await.map_err(|error| {
            let cause = ended.err().filter(|_| error.is_canceled());
            failure(&cause.unwrap_or(error))
        }),
    }
}

async fn exchange(
    mut sender: SendRequest<Empty<Bytes>>,
    question: Question,
    limit: usize,
) -> hyper::Result<Response> {
    let request = http::Request::builder()
        .method(match question.method {
            Method::Get => http::Method::GET,
            Method::Head => http::Method::HEAD,
        })
        .uri(http::Uri::from(question.path))
        .header(header::HOST, question.host)
        .header(header::USER_AGENT, "tidegate")
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .expect("a checked host and a checked path make a request");
    let (head, body) = sender.send_request(request).await?.into_parts();
    let (body, truncated) = read(body, limit).await?;
    Ok(Response {
        status: head.status.as_u16(),
        headers: headers(&head.headers),
        body,
        truncated,
        elapsed_ms: 0,
    })
}

/// The beginning of a body, and whether there is more.
async fn read(mut body: Incoming, limit: usize) -> hyper::Result<(Vec<u8>, bool)> {
    let mut beginning = Vec::new();
    loop {
        // Where the length is announced, the rest need not arrive.
        if beginning.len() == limit && body.size_hint().lower() > 0 {
            return Ok((beginning, true));
        }
        let Some(frame) = body.frame().await else {
            return Ok((beginning, false));
        };
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        let room = limit - beginning.len();
        beginning.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((beginning, true));
        }
    }
}

/// Names are in lower case already; a value is shown as text as far as it is.
///
/// Fields of one name stand together, in the order in which they arrived, at
/// the place of the first. Nothing is lost by that: the order of fields of
/// different names means nothing (RFC 9110, section 5.3).
fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect()
}

fn failure(error: &hyper::Error) -> ProbeFailure {
    let source = error.source();
    // A request that was cancelled was so for a reason.
    if let Some(reason) = source.and_then(|source| source.downcast_ref()) {
        return failure(reason);
    }
    let broken = source.and_then(|source| source.downcast_ref::<io::Error>());
    let (problem, text) = match broken {
        Some(io) if io.get_ref().is_some_and(|inner| inner.is::<Excess>()) => {
            (Problem::Protocol, io.to_string())
        }
        Some(io) if matches!(io.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
            (Problem::Protocol, format!("not a response: {io}"))
        }
        Some(io) => (problem_of(io), format!("the connection broke: {io}")),
        None if error.is_incomplete_message() => {
            let text = "the connection was closed before the response was complete";
            (Problem::Unreachable, text.to_owned())
        }
        None => (Problem::Protocol, format!("not a response: {error}")),
    };
    ProbeFailure::new(problem, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_of_a_scheme_goes_without_saying() {
        for (host, port, secure, header) in [
            ("api.internal", 80, false, "api.internal"),
            ("api.internal", 443, true, "api.internal"),
            ("api.internal", 443, false, "api.internal:443"),
            ("api.internal", 80, true, "api.internal:80"),
            ("fd00::1", 8443, true, "[fd00::1]:8443"),
        ] {
            let host = Host::parse(host).unwrap();
            assert_eq!(host_header(&host, port, secure), header);
        }
    }
}
