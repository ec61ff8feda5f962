//! Requests to AWS, as others hear of them: when each begins and how it ends.
//! Every client of AWS that the gateway works with has this.
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
    /// Of whose resources, where that is known without asking.
    pub account: Option<&'a str>,
    /// Where.
    pub region: &'a str,
    /// Whether it is worth a trace.
    pub traced: Traced,
    /// The service, for example `drs`.
    pub service: &'a str,
    /// The operation, for example `DescribeJobs`.
    pub operation: &'a str,
}

/// Whether a request that nobody in particular waits for is a trace of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traced {
    /// It is.
    Always,
    /// It is not: beats and looks of a journal are many and all the same.
    ForSomebody,
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
        self.status == Some(429) || self.error.is_some_and(is_throttling)
    }
}

fn is_throttling(code: &str) -> bool {
    const CODES: [&str; 4] = [
        "Throttl",
        "TooManyRequests",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceeded",
    ];
    CODES.iter().any(|it| code.contains(it))
}

/// Tells an observer of the requests of one client.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    by: Option<Arc<dyn Observer>>,
    account: Option<String>,
    region: String,
    traced: Traced,
}

impl Observed {
    /// Of requests to a target.
    pub(super) fn of(by: &Option<Arc<dyn Observer>>, target: &Target) -> Self {
        Self {
            by: by.clone(),
            account: Some(target.account.clone()),
            region: target.region.clone(),
            traced: Traced::Always,
        }
    }

    /// Of requests to a journal in the gateway's own account.
    pub(super) fn of_journal(by: &Option<Arc<dyn Observer>>, region: &str) -> Self {
        Self {
            by: by.clone(),
            account: None,
            region: region.to_owned(),
            traced: Traced::ForSomebody,
        }
    }

    /// A request is about to be sent.
    pub(super) fn begins(&self, service: &str, operation: &str) -> Option<Box<dyn UnderWay>> {
        let by = self.by.as_ref()?;
        Some(by.begins(&Request {
            account: self.account.as_deref(),
            region: &self.region,
            traced: self.traced,
            service,
            operation,
        }))
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
        let called = config.load::<Metadata>();
        let begun = called.and_then(|called| self.begins(called.service(), called.name()));
        let Some(begun) = begun else {
            return Ok(());
        };
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
            let failed = response.filter(|answer| !answer.status().is_success());
            let in_body = || error_in(failed?.body().bytes()?);
            // The name may be followed by a colon and a URI.
            let error = header("x-amzn-errortype").and_then(|it| it.split(':').next());
            let error = error.map(ToOwned::to_owned).or_else(in_body);
            begun.ended(&End {
                status: response.map(|answer| answer.status().as_u16()),
                error: error.as_deref(),
                request_id: header("x-amzn-requestid"),
            });
        }
        Ok(())
    }
}

/// The name of an error that DynamoDB says in the body alone; of a cancelled
/// transaction that was throttled, the reason.
fn error_in(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let reasons = body.get("CancellationReasons").and_then(|it| it.as_array());
    let codes = reasons
        .into_iter()
        .flatten()
        .filter_map(|it| it.get("Code"));
    let throttled = codes
        .filter_map(|it| it.as_str())
        .find(|it| is_throttling(it));
    // It may come behind a namespace.
    let name = || body.get("__type")?.as_str()?.rsplit('#').next();
    throttled.or_else(name).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_body_has_no_namespace_and_a_throttled_transaction_says_so() {
        let named = br#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#;
        assert_eq!(error_in(named).as_deref(), Some("ThrottlingException"));
        let cancelled = |code| {
            let kind = "a#TransactionCanceledException";
            let body = format!(
                r#"{{"__type":"{kind}","CancellationReasons":[{{"Code":"None"}},{{"Code":"{code}"}}]}}"#
            );
            error_in(body.as_bytes()).unwrap_or_default()
        };
        assert_eq!(cancelled("ThrottlingError"), "ThrottlingError");
        let refused = cancelled("ConditionalCheckFailed");
        assert_eq!(refused, "TransactionCanceledException");
        assert_eq!(error_in(b"<xml>"), None);
    }
}
