//! What a request to AWS carries of its trace, and what is counted of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tidegate_core::{ExecutionId, engine::LaunchAnswer, plan::Target};
use tidegate_gateway::{
    adapters::{
        drs_aws::{AwsDrs, Mode, Settings},
        system_clock::SystemClock,
    },
    ports::{
        drs::{Drs, LaunchOrder},
        warrant::Warrant,
    },
    telemetry::{self, Telemetry, ids::SpanRef},
};

use crate::drs_adapter::{
    rig::{DATABASES, Rig, search},
    scripted::{Answer, Scripted},
};

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
    let telemetry = telemetry();
    let drs = drs(&server.url, &telemetry).await;

    let execution = ExecutionId::from("01hf7yat00000000000000abcd");
    let answer = drs.start_recovery(order(&execution)).await;
    assert!(
        matches!(answer, LaunchAnswer::Deferred { .. }),
        "{answer:?}"
    );

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

#[tokio::test]
async fn a_throttled_request_is_counted_where_it_was_made() {
    let server = Scripted::new(|_| {
        let error = "x-amzn-errortype: ThrottlingException\r\n";
        Answer::Http(429, error, "{}".to_owned())
    })
    .await;
    let telemetry = telemetry();
    let drs = drs(&server.url, &telemetry).await;
    let answer = drs.start_recovery(order(&"e".into())).await;
    assert!(
        matches!(answer, LaunchAnswer::Deferred { .. }),
        "{answer:?}"
    );

    let text = telemetry.text().read().expect("it can be written");
    let line = |begins: &str| {
        let mut lines = text.lines().filter(|line| line.starts_with(begins));
        lines.next_back().expect("it is there").to_owned()
    };
    let throttled = line("tidegate_aws_throttles_total{");
    let request = line("rpc_client_call_duration_seconds_count{");
    for label in [
        "rpc_method=\"drs/StartRecovery\"",
        "cloud_account_id=\"123456789012\"",
        "cloud_region=\"us-west-2\"",
    ] {
        assert!(throttled.contains(label), "{throttled}");
        assert!(request.contains(label), "{request}");
    }
    assert!(throttled.ends_with("} 1"), "{throttled}");
    assert!(
        request.contains("error_type=\"ThrottlingException\""),
        "{request}"
    );
}

#[tokio::test]
async fn a_job_that_should_not_exist_is_counted() {
    let rig = Rig::recorded_drill().await;
    let since = rig.now();
    let _ = rig.launched("x/db/0", &DATABASES).await;
    rig.advance(3_600.0);
    let _ = rig.launched("x/db/0", &DATABASES).await;
    let telemetry = telemetry();
    let drs = drs(&rig.url, &telemetry).await;
    let looked = drs.look(search("x/db/0", &DATABASES, since)).await;
    assert!(looked.is_ok(), "{looked:?}");
    let text = telemetry.text().read().expect("it can be written");
    let place = "cloud_account_id=\"123456789012\",cloud_region=\"us-west-2\"";
    let line = format!("tidegate_launch_duplicates_total{{{place}}} 1");
    assert!(text.contains(&line), "{text}");
}

/// Telemetry that is sent nowhere.
pub(crate) fn telemetry() -> Telemetry {
    let settings = telemetry::Settings {
        otlp_endpoint: None,
        metrics_interval: Duration::from_secs(60),
        export_timeout: Duration::from_secs(1),
        flush_timeout: Duration::from_secs(1),
        queued_spans: 16,
        instance: "test".to_owned(),
    };
    Telemetry::begin(&settings, Arc::new(SystemClock)).expect("it begins")
}

/// The adapter to an endpoint, listened to.
async fn drs(url: &str, telemetry: &Telemetry) -> Arc<dyn Drs> {
    let url = url.to_owned();
    let drs = AwsDrs::connect(Settings::new(Mode::Endpoint { url })).await;
    telemetry.drs(Arc::new(drs.observed_by(telemetry.aws())))
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
        warrant: Warrant::unlimited(),
    }
}
