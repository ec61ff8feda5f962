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

use super::{
    current::current,
    exporting::SpanQueue,
    ids::SpanRef,
    instruments::{Instruments, key},
    random_span,
    spans::Draft,
};
use crate::adapters::aws_observed::{End, Observer, Request, Traced, UnderWay};

/// Hears of requests.
#[derive(Debug)]
pub(super) struct AwsCalls {
    pub(super) instruments: Instruments,
    pub(super) spans: SpanQueue,
}

impl Observer for AwsCalls {
    fn begins(&self, request: &Request<'_>) -> Box<dyn UnderWay> {
        let parent = current();
        let has_span = parent.is_some() || request.traced == Traced::Always;
        Box::new(Call {
            instruments: self.instruments.clone(),
            spans: self.spans.clone(),
            span: has_span.then(|| random_span(parent)),
            parent,
            place: place(request),
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
    /// Unless it serves nobody and is like many others.
    span: Option<SpanRef>,
    parent: Option<SpanRef>,
    place: Vec<KeyValue>,
    method: String,
    began: (SystemTime, Instant),
    over: Mutex<bool>,
}

impl UnderWay for Call {
    fn traceparent(&self) -> Option<String> {
        self.span.map(|span| span.to_string())
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
        attributes.extend(self.place.iter().cloned());
        if end.is_some_and(End::is_throttled) {
            self.instruments.aws_throttles.add(1, &attributes);
        }
        let failure_type = failure.clone().map(|it| KeyValue::new(key::ERROR_TYPE, it));
        attributes.extend(failure_type);
        let took = self.began.1.elapsed();
        self.instruments
            .aws_calls
            .record(took.as_secs_f64(), &attributes);
        let Some(span) = self.span.filter(|_| self.spans.is_open()) else {
            return;
        };
        if let Some(end) = end {
            let status = end.status.map(i64::from);
            attributes
                .extend(status.map(|it| KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, it)));
            let id = end.request_id.map(str::to_owned);
            attributes.extend(id.map(|it| KeyValue::new(attribute::AWS_REQUEST_ID, it)));
        }
        let draft = Draft {
            span,
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

/// Region, and the account where it is known.
fn place(request: &Request<'_>) -> Vec<KeyValue> {
    let account = request.account.map(str::to_owned);
    let account = account.map(|it| KeyValue::new(key::CLOUD_ACCOUNT_ID, it));
    let region = KeyValue::new(key::CLOUD_REGION, request.region.to_owned());
    account.into_iter().chain([region]).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        super::{Settings, Telemetry, current::within},
        *,
    };
    use crate::adapters::system_clock::SystemClock;

    #[tokio::test]
    async fn a_request_like_many_others_has_a_span_only_below_that_of_somebody() {
        let telemetry = Telemetry::begin(&Settings::for_tests(), Arc::new(SystemClock)).unwrap();
        let observer = telemetry.aws();
        let traced = |traced| {
            let begun = observer.begins(&Request {
                account: None,
                region: "eu-west-1",
                traced,
                service: "DynamoDB",
                operation: "Query",
            });
            begun.traceparent()
        };
        assert_eq!(traced(Traced::ForSomebody), None);
        assert!(traced(Traced::Always).is_some());
        let somebody = random_span(None);
        let below = within(Some(somebody), async { traced(Traced::ForSomebody) }).await;
        let below = SpanRef::parse(&below.unwrap()).unwrap();
        assert_eq!(below.trace, somebody.trace);
    }
}
