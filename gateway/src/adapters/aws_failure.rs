//! How a call to an AWS service failed, without the SDK's types. What the
//! failure means is for each adapter to say.

use std::{
    error::Error,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_sdk_drs::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, http::HttpResponse,
        interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::{BoxError, ProvideErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use hyper_util::client::legacy::Error as HttpClientError;
use tidegate_core::Span;

/// How a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It could not even be written down.
    Invalid { message: String },
    /// Not a byte of it was sent: no credentials, or no connection.
    NotSent { message: String },
    /// The service, or something before it, answered with an error.
    Answered {
        /// Absent if the answer has none that can be read.
        code: Option<String>,
        status: u16,
        message: String,
        /// What `Retry-After` says.
        after: Option<Span>,
        /// Which quota is full, by its code in Service Quotas, if it says so.
        quota: Option<String>,
    },
    /// It was sent, or may have been, and there is no answer that can be
    /// understood.
    Lost { message: String },
}

/// Notes whether a request was handed to the HTTP client.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent(Arc<AtomicBool>);

impl Sent {
    pub(super) fn assumed() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

#[dyn_dispatch_hint]
impl Intercept for Sent {
    fn name(&self) -> &'static str {
        "Sent"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.store(true, Ordering::SeqCst);
        Ok(())
    }
}

impl Failure {
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>, sent: &Sent) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if let SdkError::ServiceError(context) = error {
            return Self::answered(context.err(), context.raw());
        }
        let message = chain(error);
        if matches!(error, SdkError::ConstructionFailure(_)) {
            Self::Invalid { message }
        } else if !sent.0.load(Ordering::SeqCst) || never_connected(error) {
            Self::NotSent { message }
        } else {
            Self::Lost { message }
        }
    }

    fn answered<E>(error: &E, raw: &HttpResponse) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let after = raw.headers().get("retry-after");
        Self::Answered {
            code: error.code().map(str::to_owned),
            status: raw.status().as_u16(),
            message: error
                .message()
                .map_or_else(|| chain(error), ToOwned::to_owned),
            after: after
                .and_then(|value| value.trim().parse().ok())
                .map(Span::from_secs),
            quota: raw.body().bytes().and_then(quota_code),
        }
    }
}

/// The SDK reads the code of the error and its message only.
fn quota_code(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body.get("quotaCode")?.as_str().map(ToOwned::to_owned)
}

/// Whether the HTTP client failed to make a connection: name resolution, TCP,
/// TLS and the timeout over them. A request that waited for it was not sent.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    sources(error)
        .filter_map(|error| error.downcast_ref::<HttpClientError>())
        .any(HttpClientError::is_connect)
}

/// An error and its causes, outermost first.
pub(super) fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// An error with its causes, for people.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for error in sources(error) {
        let part = error.to_string();
        if text.is_empty() {
            text = part;
        } else if !text.ends_with(&part) {
            // Writing to a string cannot fail.
            let _ = write!(text, ": {part}");
        }
    }
    text
}
