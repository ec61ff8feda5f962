//! Calls that are served: timed, and a span for each call of ours. A caller's
//! `traceparent` is the parent of that span, and what a caller asks to start is
//! linked to it by the id of the request, which the record names, too.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Instant, SystemTime},
};

use bytes::{Buf as _, Bytes, BytesMut};
use futures::future::BoxFuture;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use opentelemetry::{
    KeyValue,
    trace::{SpanKind, Status},
};
use prost::Message as _;
use tidegate_proto::v1;
use tonic::{Code, body::Body};
use tower::Service;

use super::{Shared, ids::SpanRef, instruments::key, random_span, spans::Draft};

/// Whose calls have spans: those of health checks and reflection say nothing.
const OURS: &str = "/tidegate.v1.";
/// Bytes of a request that are looked at; one that starts something is small.
const PEEKED: usize = 64 << 10;

/// Observes calls, around everything else that handles them.
#[derive(Clone)]
pub(crate) struct Calls<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Calls<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S, B> Service<http::Request<B>> for Calls<S>
where
    S: Service<http::Request<Peeked<B>>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
    B: HttpBody<Data = Bytes>,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let call = Call::begin(&self.shared, request.uri().path(), request.headers());
        let reader = call.reader(request.uri().path());
        let request = request.map(|body| Peeked { body, reader });
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            let status = answer.headers().get("grpc-status").map(code);
            Ok(answer.map(|body| Body::new(Answer { body, status, call })))
        })
    }
}

/// A call that is under way; it ends when it is dropped.
struct Call {
    shared: Arc<Shared>,
    /// Service and method, without the slash before them.
    method: String,
    span: SpanRef,
    parent: Option<SpanRef>,
    began: (SystemTime, Instant),
    /// None while nothing was answered.
    status: Option<Code>,
}

impl Call {
    fn begin(shared: &Arc<Shared>, path: &str, headers: &HeaderMap) -> Self {
        let parent = headers.get("traceparent").and_then(|it| it.to_str().ok());
        let parent = parent.and_then(SpanRef::parse);
        // A path that nobody serves is a caller's text, and has no bound.
        let is_known = path.starts_with(OURS) || path.starts_with("/grpc.");
        let method = if is_known { &path[1..] } else { "_OTHER" };
        Self {
            shared: Arc::clone(shared),
            method: method.to_owned(),
            span: random_span(parent),
            parent,
            began: (SystemTime::now(), Instant::now()),
            status: None,
        }
    }

    /// Reads the id of a request that may start something.
    fn reader(&self, path: &str) -> Option<Reader> {
        let read = reader(path)?;
        Some(Reader {
            shared: Arc::clone(&self.shared),
            span: self.span,
            read,
            seen: BytesMut::new(),
        })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let took = self.began.1.elapsed();
        // Nobody waited for the answer.
        let code = self.status.unwrap_or(Code::Cancelled);
        let is_unimplemented = code == Code::Unimplemented;
        let method = if is_unimplemented {
            "_OTHER"
        } else {
            &self.method
        };
        let mut attributes = vec![
            KeyValue::new(key::RPC_SYSTEM_NAME, "grpc"),
            KeyValue::new(key::RPC_METHOD, method.to_owned()),
            KeyValue::new(key::RPC_RESPONSE_STATUS_CODE, name(code)),
        ];
        let is_failure = is_failure(code);
        if is_failure {
            attributes.push(KeyValue::new(key::ERROR_TYPE, name(code)));
        }
        let served = &self.shared.instruments.rpc_served;
        served.record(took.as_secs_f64(), &attributes);
        let is_ours = method.starts_with(&OURS[1..]);
        if !is_ours || !self.span.sampled || !self.shared.spans.is_open() {
            return;
        }
        let draft = Draft {
            span: self.span,
            parent: self.parent,
            remote_parent: self.parent.is_some(),
            kind: SpanKind::Server,
            name: method.to_owned().into(),
            from: self.began.0,
            to: self.began.0 + took,
            attributes,
            links: Vec::new(),
            status: if is_failure {
                Status::error(name(code))
            } else {
                Status::Unset
            },
        };
        self.shared.spans.push(draft.finish());
    }
}

/// The body of a request, looked at as it passes.
#[derive(Debug)]
pub(crate) struct Peeked<B> {
    body: B,
    reader: Option<Reader>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Peeked<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && let Some(reader) = &mut self.reader
            && reader.has_read(data)
        {
            self.reader = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The id of the request in a message.
type ReadId = fn(&[u8]) -> Option<String>;

struct Reader {
    shared: Arc<Shared>,
    span: SpanRef,
    read: ReadId,
    seen: BytesMut,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    /// Takes a part; says whether it wants no more. The message comes before
    /// whatever handles it can act.
    fn has_read(&mut self, part: &Bytes) -> bool {
        self.seen.extend_from_slice(part);
        let mut seen = &self.seen[..];
        // A flag for compression and four bytes of length.
        if seen.len() < 5 {
            return false;
        }
        let is_compressed = seen.get_u8() != 0;
        let length = seen.get_u32() as usize;
        if is_compressed || length > PEEKED {
            return true;
        }
        let Some(message) = seen.get(..length) else {
            return false;
        };
        if let Some(id) = (self.read)(message) {
            self.shared.requests.put(&id, self.span);
        }
        true
    }
}

fn reader(path: &str) -> Option<ReadId> {
    match path.strip_prefix("/tidegate.v1.ExecutionService/")? {
        "StartExecution" => Some(|message| {
            let request = v1::StartExecutionRequest::decode(message).ok()?;
            Some(request.request_id)
        }),
        "CleanUp" => Some(|message| {
            let request = v1::CleanUpRequest::decode(message).ok()?;
            Some(request.request_id)
        }),
        _ => None,
    }
}

/// The body of an answer, which ends the call.
struct Answer {
    body: Body,
    /// Where the answer is only a status.
    status: Option<Code>,
    call: Call,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let trailers = frame.trailers_ref();
                let status = trailers.and_then(|it| it.get("grpc-status"));
                if let Some(status) = status {
                    self.call.status = Some(code(status));
                }
            }
            Poll::Ready(Some(Err(status))) => self.call.status = Some(status.code()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.call.status = self.call.status.or(self.status);
    }
}

fn code(status: &http::HeaderValue) -> Code {
    Code::from_bytes(status.as_bytes())
}

/// Failures of the server, as the conventions have it; the others are the
/// caller's.
fn is_failure(code: Code) -> bool {
    match code {
        Code::Unknown
        | Code::DeadlineExceeded
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::Ok
        | Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unauthenticated => false,
    }
}

fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests;
