//! What operators see of the calls to DynamoDB.

use bytes::Bytes;
use tidegate_gateway::{
    adapters::journal_dynamodb::DynamoJournal,
    ports::{
        journal::{Append, AppendError, Claim, HeadUpdate, Journal as _, ReadError},
        plan_store::{PlanStore as _, PlanStoreError},
    },
};

use super::answers::{Answer, Endpoint, error, good};
use crate::telemetry::requests_to_aws::telemetry;

#[tokio::test]
async fn calls_to_dynamodb_are_measured_and_throttled_ones_counted() {
    let reasons = r#"[{"Code":"ThrottlingError"}]"#;
    let cancelled =
        format!(r#"{{"__type":"a#TransactionCanceledException","CancellationReasons":{reasons}}}"#);
    let endpoint = Endpoint::start(move |operation, body| match operation {
        "PutItem" => error("ProvisionedThroughputExceededException", "slow"),
        "TransactWriteItems" => Answer::Says(400, cancelled.clone()),
        "Query" => error("AccessDeniedException", "no"),
        _ => good(operation, body).unwrap(),
    })
    .await;
    let telemetry = telemetry();
    let journal = DynamoJournal::open_observed(endpoint.settings(), telemetry.aws());
    let journal = journal.await.unwrap();
    let appended = journal.append(first()).await;
    assert!(
        matches!(appended, Err(AppendError::Unavailable(_))),
        "{appended:?}"
    );
    let claim = Claim {
        key: "key".to_owned(),
        value: Bytes::new(),
    };
    let claimed = journal.take_claim(claim).await;
    assert!(
        matches!(claimed, Err(PlanStoreError::Unavailable(_))),
        "{claimed:?}"
    );
    let denied = journal.heads(None, true, 1).await;
    assert!(
        matches!(denied, Err(ReadError::Unavailable(_))),
        "{denied:?}"
    );

    let text = telemetry.text().read().unwrap();
    let value = |metric: &str, operation: &str, more: &str| {
        let method = format!("rpc_method=\"DynamoDB/{operation}\"");
        let mut lines = text
            .lines()
            .filter(|line| line.starts_with(&format!("{metric}{{")) && line.contains(&method));
        let line = lines.next()?;
        assert_eq!(lines.next(), None, "one series of {operation}");
        assert!(line.contains("cloud_region=\"eu-west-1\""), "{line}");
        assert!(!line.contains("cloud_account_id"), "{line}");
        assert!(line.contains(more), "{line}");
        Some(line.rsplit(' ').next()?.to_owned())
    };
    let calls = "rpc_client_call_duration_seconds_count";
    let throttles = "tidegate_aws_throttles_total";
    for (operation, failure) in [
        ("PutItem", "ProvisionedThroughputExceededException"),
        ("TransactWriteItems", "ThrottlingError"),
    ] {
        let failure = format!("error_type=\"{failure}\"");
        let called = value(calls, operation, &failure);
        assert_eq!(called.as_deref(), Some("1"), "{text}");
        let throttled = value(throttles, operation, "");
        assert_eq!(throttled.as_deref(), Some("1"), "{text}");
    }
    let denied = value(calls, "Query", "error_type=\"AccessDeniedException\"");
    assert_eq!(denied.as_deref(), Some("1"), "{text}");
    assert_eq!(value(throttles, "Query", ""), None);
    let opened = value(calls, "DescribeTable", "");
    assert_eq!(opened.as_deref(), Some("1"), "{text}");
}

fn first() -> Append {
    Append {
        execution: "e".into(),
        revision: 1,
        record: Bytes::from_static(b"record"),
        head: Some(HeadUpdate {
            live: true,
            summary: Bytes::new(),
        }),
        claim: None,
        holds: None,
    }
}
