//! Requests to AWS: a span and a measurement for each.

use std::{
    sync::Mutex,
    time::{Instant, SystemTime},
};

use opentelemetry::{
    KeyValue,
    trace::{SpanKind, Status},
};
use opentelemetry_semantic_conventions::attribute;
use tidegate_core::plan::Target;

use super::{
    current::current,
    exporting::SpanQueue,
    ids::SpanRef,
    instruments::{Instruments, key},
    measuring::place,
    random_span,
    spans::Draft,
};
use crate::adapters::drs_aws::{End, Observer, Request, UnderWay};

/// Hears of requests.
#[derive(Debug)]
pub(super) struct AwsCalls {
    pub(super) instruments: Instruments,
    pub(super) spans: SpanQueue,
}

impl Observer for AwsCalls {
    fn begins(&self, request: &Request<'_>) -> Box<dyn UnderWay> {
        let parent = current();
        Box::new(Call {
            instruments: self.instruments.clone(),
            spans: self.spans.clone(),
            span: random_span(parent),
            parent,
            target: request.target.clone(),
            method: format!("{}/{}", request.service, request.operation),
            began: (SystemTime::now(), Instant::now()),
            over: Mutex::new(false),
        })
    }
}

#[derive(Debug)]
struct Call {
    instruments: Instruments,
    spans: SpanQueue,
    span: SpanRef,
    parent: Option<SpanRef>,
    target: Target,
    method: String,
    began: (SystemTime, Instant),
    over: Mutex<bool>,
}

impl UnderWay for Call {
    fn traceparent(&self) -> Option<String> {
        Some(self.span.to_string())
    }

    fn ended(&self, end: &End<'_>) {
        let failure = match end.status {
            Some(200..=299) => None,
            Some(status) => Some(end.error.map_or_else(|| status.to_string(), str::to_owned)),
            None => Some("no_answer".to_owned()),
        };
        self.end(failure, Some(end));
    }
}

/// Nobody waited for the answer.
impl Drop for Call {
    fn drop(&mut self) {
        self.end(Some("timeout".to_owned()), None);
    }
}

impl Call {
    fn end(&self, failure: Option<String>, end: Option<&End<'_>>) {
        let Ok(mut over) = self.over.lock() else {
            return;
        };
        if std::mem::replace(&mut *over, true) {
            return;
        }
        let mut attributes = vec![
            KeyValue::new(key::RPC_SYSTEM_NAME, "aws-api"),
            KeyValue::new(key::RPC_METHOD, self.method.clone()),
        ];
        attributes.extend(place(&self.target));
        if end.is_some_and(End::is_throttled) {
            self.instruments.aws_throttles.add(1, &attributes);
        }
        let failure_type = failure.clone().map(|it| KeyValue::new(key::ERROR_TYPE, it));
        attributes.extend(failure_type);
        let took = self.began.1.elapsed();
        self.instruments
            .aws_calls
            .record(took.as_secs_f64(), &attributes);
        if !self.spans.is_open() {
            return;
        }
        if let Some(end) = end {
            let status = end.status.map(i64::from);
            attributes
                .extend(status.map(|it| KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, it)));
            let id = end.request_id.map(str::to_owned);
            attributes.extend(id.map(|it| KeyValue::new(attribute::AWS_REQUEST_ID, it)));
        }
        let draft = Draft {
            span: self.span,
            parent: self.parent,
            remote_parent: false,
            kind: SpanKind::Client,
            name: self.method.clone().into(),
            from: self.began.0,
            to: self.began.0 + took,
            attributes,
            links: Vec::new(),
            status: failure.map_or(Status::Unset, Status::error),
        };
        self.spans.push(draft.finish());
    }
}
