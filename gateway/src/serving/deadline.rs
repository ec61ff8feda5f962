//! Deadlines: an expired one is DEADLINE_EXCEEDED, whoever set it.
//!
//! For a unary call the deadline is for the answer; for a stream, for the
//! whole stream. What a call has begun to change goes on (see
//! [`crate::drain::Drain::complete`]).

use std::{
    convert::Infallible,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tower::Service;

use super::stream_body::StreamBody;
use crate::drain::Drain;
use crate::grpc::status;

/// The calls that answer with a stream. Our own end themselves when the gateway
/// shuts down; the others are ended.
const OWN_STREAMS: [&str; 4] = [
    "/tidegate.v1.ExecutionService/Watch",
    "/tidegate.v1.ExecutionService/WatchAll",
    "/tidegate.v1.HookService/DownloadHook",
    "/tidegate.v1.HookService/DownloadTape",
];
const OTHER_STREAMS: [&str; 3] = [
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// The call that waits for a compiler.
const REGISTER: &str = "/tidegate.v1.HookService/RegisterHook";

/// Whether a call answers with a stream.
pub(super) fn is_stream(path: &str) -> bool {
    OWN_STREAMS.contains(&path) || OTHER_STREAMS.contains(&path)
}

/// Applies the caller's deadline, and to unary calls our own.
#[derive(Clone, Debug)]
pub(crate) struct Deadlines<S> {
    inner: S,
    /// Of a unary call that names none, and the longest that one may name.
    unary: Duration,
    /// How much longer a hook's registration may take.
    compiling: Duration,
    drain: Drain,
}

impl<S> Deadlines<S> {
    pub(crate) fn new(inner: S, unary: Duration, compiling: Duration, drain: Drain) -> Self {
        Self {
            inner,
            unary,
            compiling,
            drain,
        }
    }
}

impl<S, B> Service<http::Request<B>> for Deadlines<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let asked = grpc_timeout(request.headers());
        let path = request.uri().path();
        if !is_stream(path) {
            let longest = if path == REGISTER {
                self.unary + self.compiling
            } else {
                self.unary
            };
            let limit = asked.map_or(longest, |asked| asked.min(longest));
            return Box::pin(unary(self.inner.call(request), Instant::now() + limit));
        }
        let deadline = asked.and_then(|asked| Instant::now().checked_add(asked));
        let ended_by = OTHER_STREAMS.contains(&path).then(|| self.drain.clone());
        Box::pin(stream(self.inner.call(request), deadline, ended_by))
    }
}

type Answer = Result<http::Response<Body>, Infallible>;

async fn unary(answer: impl Future<Output = Answer>, deadline: Instant) -> Answer {
    match timeout_at(deadline, answer).await {
        Ok(answer) => answer,
        Err(_) => Ok(status::deadline_exceeded().into_http()),
    }
}

async fn stream(
    answer: impl Future<Output = Answer>,
    deadline: Option<Instant>,
    drain: Option<Drain>,
) -> Answer {
    let head = match deadline {
        Some(deadline) => unary(answer, deadline).await?,
        None => answer.await?,
    };
    Ok(head.map(|body| Body::new(StreamBody::new(body, deadline, drain))))
}

/// The deadline in a request's headers, as gRPC writes it: at most eight
/// digits and a unit. A malformed one counts as none.
fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3_600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use futures::future;
    use tonic::{Code, Status};
    use tower::{ServiceExt, service_fn};

    use super::*;

    const CEILING: Duration = Duration::from_secs(30);
    const COMPILING: Duration = Duration::from_secs(60);

    fn request(path: &str, timeout: Option<&str>) -> http::Request<Body> {
        let mut request = http::Request::builder().uri(path);
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        request.body(Body::empty()).unwrap()
    }

    /// How long a call that is never answered takes, and its code.
    async fn unanswered(path: &str, timeout: Option<&str>) -> (Duration, Code) {
        let never = service_fn(|_: http::Request<Body>| future::pending::<Answer>());
        let deadlines = Deadlines::new(never, CEILING, COMPILING, Drain::default());
        let began = Instant::now();
        let response = deadlines.oneshot(request(path, timeout)).await.unwrap();
        let status = Status::from_header_map(response.headers()).unwrap();
        (began.elapsed(), status.code())
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_deadline_is_deadline_exceeded() {
        let path = "/tidegate.v1.PlanService/GetPlan";
        let exceeded = Code::DeadlineExceeded;
        let second = Duration::from_secs(1);
        assert_eq!(unanswered(path, Some("1S")).await, (second, exceeded));
        assert_eq!(unanswered(path, Some("2M")).await, (CEILING, exceeded));
        assert_eq!(unanswered(path, None).await, (CEILING, exceeded));
        let registering = unanswered(REGISTER, None).await;
        assert_eq!(registering, (CEILING + COMPILING, exceeded));
        let watch = "/tidegate.v1.ExecutionService/Watch";
        assert_eq!(unanswered(watch, Some("1000m")).await, (second, exceeded));
    }

    #[test]
    fn a_timeout_is_read_as_grpc_writes_it() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            grpc_timeout(&headers)
        };
        assert_eq!(read("3H"), Some(Duration::from_secs(10_800)));
        assert_eq!(read("99999999n"), Some(Duration::from_nanos(99_999_999)));
        assert_eq!(read("250u"), Some(Duration::from_micros(250)));
        for malformed in ["", "S", "5", "1.5S", "-1S", "123456789S", "5x"] {
            assert_eq!(read(malformed), None, "{malformed}");
        }
    }
}
