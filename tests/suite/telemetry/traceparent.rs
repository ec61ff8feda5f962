//! What a request to AWS carries of its trace.

use std::sync::{Arc, Mutex};

use tidegate_core::{ExecutionId, engine::LaunchAnswer, plan::Target};
use tidegate_gateway::{
    adapters::{
        drs_aws::{AwsDrs, Mode, Settings},
        system_clock::SystemClock,
    },
    ports::drs::LaunchOrder,
    telemetry::{self, Telemetry, ids::SpanRef},
};

use crate::drs_adapter::scripted::{Answer, Scripted};

/// Such as a mesh that writes spans of its own does: the signature still holds.
#[tokio::test]
async fn a_request_to_aws_carries_the_trace_outside_of_its_signature() {
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&heads);
    let server = Scripted::new(move |request| {
        kept.lock()
            .expect("nobody panicked")
            .push(request.head.clone());
        Answer::Http(403, "", "{}".to_owned())
    })
    .await;
    let settings = telemetry::Settings {
        otlp_endpoint: None,
        metrics_interval: std::time::Duration::from_secs(60),
        export_timeout: std::time::Duration::from_secs(1),
        flush_timeout: std::time::Duration::from_secs(1),
        queued_spans: 16,
        instance: "test".to_owned(),
    };
    let telemetry = Telemetry::begin(&settings, Arc::new(SystemClock)).expect("it begins");
    let url = server.url.clone();
    let drs = AwsDrs::connect(Settings::new(Mode::Endpoint { url })).await;
    let drs = telemetry.drs(Arc::new(drs.observed_by(telemetry.aws())));

    let execution = ExecutionId::from("01hf7yat00000000000000abcd");
    let answer = drs.start_recovery(order(&execution)).await;
    assert!(matches!(answer, LaunchAnswer::Refused { .. }), "{answer:?}");

    let heads = heads.lock().expect("nobody panicked");
    let [head] = &heads[..] else {
        panic!("one request: {heads:?}");
    };
    let header = |name: &str| {
        let found = head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        });
        found.unwrap_or_else(|| panic!("{name} is missing: {head}"))
    };
    let span = SpanRef::parse(&header("traceparent")).expect("a traceparent");
    assert_eq!(span.trace, telemetry::ids::trace_of(execution.as_str()));
    let authorization = header("authorization");
    let (_, signed) = authorization.split_once("SignedHeaders=").expect("signed");
    assert!(
        signed.starts_with("content-") || signed.starts_with("host"),
        "{signed}"
    );
    assert!(!signed.contains("traceparent"), "{signed}");
}

fn order(execution: &ExecutionId) -> LaunchOrder {
    LaunchOrder {
        key: format!("{execution}/web/0"),
        target: Arc::new(Target {
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
            role: None,
        }),
        servers: vec![("s-10000000000aa0001".into(), None)],
        is_drill: true,
    }
}
