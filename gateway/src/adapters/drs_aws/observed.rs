//! Requests to AWS, as others hear of them: when each begins and how it ends.
//!
//! Who listens may give the request the header `traceparent`. It is added
//! after signing and is no part of the signature, so that a proxy on the way
//! may rewrite it and the request still verifies.

use std::{fmt, sync::Arc};

use aws_sdk_drs::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef},
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::{interceptors::dyn_dispatch_hint, orchestrator::Metadata};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use tidegate_core::plan::Target;

/// Hears of every request.
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// A request is about to be sent. What is returned is dropped without an
    /// end if nobody waits for the answer any more.
    fn begins(&self, request: &Request<'_>) -> Box<dyn UnderWay>;
}

/// A request that has no answer yet.
pub trait UnderWay: fmt::Debug + Send + Sync + 'static {
    /// The header to send along.
    fn traceparent(&self) -> Option<String>;

    /// It has ended.
    fn ended(&self, end: &End<'_>);
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// As whom and where.
    pub target: &'a Target,
    /// The service, for example `drs`.
    pub service: &'a str,
    /// The operation, for example `DescribeJobs`.
    pub operation: &'a str,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End<'a> {
    /// Of the answer, if there was one.
    pub status: Option<u16>,
    /// The name of AWS's error, if the answer has one.
    pub error: Option<&'a str>,
    /// By which AWS knows it.
    pub request_id: Option<&'a str>,
}

impl End<'_> {
    /// Whether AWS says that it was asked too often.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        const CODES: [&str; 3] = ["Throttl", "TooManyRequests", "RequestLimitExceeded"];
        let code = self.error.unwrap_or_default();
        self.status == Some(429) || CODES.iter().any(|it| code.contains(it))
    }
}

/// Tells an observer of the requests of one client.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    by: Option<Arc<dyn Observer>>,
    target: Target,
}

impl Observed {
    pub(super) fn of(by: &Option<Arc<dyn Observer>>, target: &Target) -> Self {
        Self {
            by: by.clone(),
            target: target.clone(),
        }
    }
}

#[derive(Debug)]
struct Begun(Box<dyn UnderWay>);

impl Storable for Begun {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Observed {
    fn name(&self) -> &'static str {
        "Observed"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(by), Some(called)) = (&self.by, config.load::<Metadata>()) else {
            return Ok(());
        };
        let begun = by.begins(&Request {
            target: &self.target,
            service: called.service(),
            operation: called.name(),
        });
        if let Some(traceparent) = begun.traceparent() {
            let headers = context.request_mut().headers_mut();
            headers.insert("traceparent", traceparent);
        }
        config.interceptor_state().store_put(Begun(begun));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Begun(begun)) = config.load::<Begun>() {
            let response = context.response();
            let header = |name| response.and_then(|answer| answer.headers().get(name));
            // The name may be followed by a colon and a URI.
            let error = header("x-amzn-errortype").and_then(|it| it.split(':').next());
            begun.ended(&End {
                status: response.map(|answer| answer.status().as_u16()),
                error,
                request_id: header("x-amzn-requestid"),
            });
        }
        Ok(())
    }
}
