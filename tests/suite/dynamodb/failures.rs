//! What goes wrong, and what is said of it.

use std::time::Duration;

use bytes::Bytes;
use tidegate_gateway::{
    adapters::journal_dynamodb::{DynamoJournal, OpenError},
    ports::{
        cluster::{Cluster as _, ClusterError},
        journal::{Append, AppendError, Claim, HeadUpdate, Journal as _, ReadError},
        plan_store::{PlanStore as _, PlanStoreError, StoredPlan},
    },
};

use super::answers::{Answer, Endpoint, TABLE, error, good};

/// An endpoint with a good table that answers to writes as the test says.
async fn writing(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Endpoint {
    Endpoint::start(move |operation, body| {
        good(operation, body).unwrap_or_else(|| answer(operation))
    })
    .await
}

fn first(claim: Option<&str>) -> Append {
    Append {
        execution: "e".into(),
        revision: 1,
        record: Bytes::from_static(b"record"),
        head: Some(HeadUpdate {
            live: true,
            summary: Bytes::new(),
        }),
        claim: claim.map(|key| Claim {
            key: key.to_owned(),
            value: Bytes::new(),
        }),
        holds: None,
    }
}

async fn opening(answer: Answer) -> String {
    let endpoint = Endpoint::start(move |_, _| answer.clone()).await;
    let refused = DynamoJournal::open(endpoint.settings()).await.unwrap_err();
    refused.to_string()
}

#[tokio::test]
async fn a_table_that_cannot_be_used_is_refused_with_what_to_do() {
    let expired = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z";
    for (code, message, said) in [
        (
            "ResourceNotFoundException",
            "Requested resource not found",
            "tidegate aws create-table --table journal --region eu-west-1",
        ),
        ("AccessDeniedException", "no", "tidegate aws policy"),
        (
            "ExpiredTokenException",
            "old",
            "credentials for table journal have expired",
        ),
        ("UnrecognizedClientException", "who", "AWS_ACCESS_KEY_ID"),
        ("InvalidSignatureException", expired, "clock"),
        ("RequestTimeTooSkewed", "late", "clock"),
    ] {
        let text = opening(error(code, message)).await;
        assert!(text.contains(said), "{code}: {text}");
        assert!(text.contains("journal") && text.contains(code), "{text}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_named_with_its_region() {
    let endpoint = Endpoint::start(|_, _| Answer::HangsUp).await;
    let mut settings = endpoint.settings();
    settings.endpoint = Some("http://127.0.0.1:1".to_owned());
    let text = DynamoJournal::open(settings).await.unwrap_err().to_string();
    assert!(text.contains("eu-west-1"), "{text}");
    assert!(text.contains("spelled right"), "{text}");
}

#[tokio::test]
async fn a_table_of_something_else_is_refused_with_what_is_wrong() {
    let other_key = TABLE.replace("\"sk\"", "\"rk\"");
    let no_index = TABLE.replace("\"IndexName\":\"live\"", "\"IndexName\":\"other\"");
    let number = TABLE.replacen(
        "\"AttributeName\":\"pk\",\"AttributeType\":\"S\"",
        "\"AttributeName\":\"pk\",\"AttributeType\":\"N\"",
        1,
    );
    let bare = TABLE.replace("\"servers\",", "");
    for (table, said) in [
        (other_key, "its key is pk (HASH, S) and rk"),
        (number, "its key is pk (HASH, N)"),
        (no_index, "no local secondary index \"live\""),
        (bare, "does not hold \"servers\""),
    ] {
        let text = opening(Answer::Says(200, table)).await;
        assert!(text.contains(said), "{text}");
    }
    let deleting = TABLE.replace("ACTIVE", "DELETING");
    let text = opening(Answer::Says(200, deleting)).await;
    assert!(text.contains("DELETING"), "{text}");
}

#[tokio::test]
async fn a_table_of_a_newer_version_is_left_alone() {
    let endpoint = Endpoint::start(|operation, body| match operation {
        "GetItem" => {
            let item = r#"{"Item":{"pk":{"S":"cluster"},"sk":{"S":"table"},"format":{"N":"2"},"partitions":{"N":"4"}}}"#;
            Answer::Says(200, item.to_owned())
        }
        _ => good(operation, body).unwrap(),
    })
    .await;
    let refused = DynamoJournal::open(endpoint.settings()).await;
    assert!(matches!(
        refused,
        Err(OpenError::NewerFormat {
            found: 2,
            supported: 1,
            ..
        })
    ));
}

#[tokio::test]
async fn an_append_that_was_surely_not_written_is_not_in_doubt() {
    for code in [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "AccessDeniedException",
        "ExpiredTokenException",
        "ResourceNotFoundException",
        "TransactionConflictException",
    ] {
        let endpoint = writing(move |_| error(code, "because")).await;
        let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
        let answer = journal.append(first(None)).await;
        let Err(AppendError::Unavailable(text)) = answer else {
            panic!("{code}: {answer:?}");
        };
        assert!(text.contains(code), "{text}");
    }
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_in_doubt_and_made_once() {
    let broken = Answer::Says(500, r#"{"__type":"InternalServerError"}"#.to_owned());
    let gateway = Answer::Says(502, String::new());
    for lost in [broken, gateway, Answer::HangsUp, Answer::Nothing] {
        let said = lost.clone();
        let endpoint = writing(move |_| said.clone()).await;
        let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
        for claim in [None, Some("key")] {
            let answer = journal.append(first(claim)).await;
            let is_lost = matches!(answer, Err(AppendError::AnswerLost(_)));
            assert!(is_lost, "{lost:?}: {answer:?}");
        }
        let called = endpoint.called.lock().unwrap().clone();
        let writes: Vec<_> = called
            .iter()
            .filter(|it| matches!(it.as_str(), "PutItem" | "TransactWriteItems"))
            .collect();
        assert_eq!(writes, ["PutItem", "TransactWriteItems"]);
    }
}

/// Reasons are in the order of the writes: the claim, the record.
fn cancelled(codes: [&str; 2], item: &str) -> Answer {
    let [claim, record] = codes;
    let body = format!(
        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"cancelled","CancellationReasons":[{{"Code":"{claim}"{item}}},{{"Code":"{record}"}}]}}"#
    );
    Answer::Says(400, body)
}

#[tokio::test]
async fn of_the_reasons_of_a_transaction_the_right_one_counts() {
    let failed = "ConditionalCheckFailed";
    let first_claim = r#","Item":{"value":{"B":"Zmlyc3Q="}}"#;
    let cases = [
        ([failed, "None"], first_claim, "Claimed"),
        ([failed, failed], first_claim, "Claimed"),
        (["None", failed], "", "Taken"),
        (["TransactionConflict", failed], "", "Unavailable"),
        (["TransactionConflict", "ValidationError"], "", "Refused"),
        (["None", "ThrottlingError"], "", "Unavailable"),
        (["None", "ProvisionedThroughputExceeded"], "", "Unavailable"),
        (["None", "ItemCollectionSizeLimitExceeded"], "", "Refused"),
        ([failed, "ValidationError"], first_claim, "Refused"),
    ];
    for (codes, item, expected) in cases {
        let answer = cancelled(codes, item);
        let endpoint = writing(move |_| answer.clone()).await;
        let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
        let refused = journal.append(first(Some("key"))).await.unwrap_err();
        let shown = format!("{refused:?}");
        assert!(shown.starts_with(expected), "{codes:?}: {shown}");
        if let AppendError::Claimed { value } = refused {
            assert_eq!(value, "first");
        }
    }
}

#[tokio::test]
async fn a_plan_whose_answer_is_lost_is_asked_for_again_under_the_same_token() {
    let tokens = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&tokens);
    let endpoint = Endpoint::start(move |operation, body| {
        if operation != "TransactWriteItems" {
            return good(operation, body).unwrap();
        }
        let token = body.split("\"ClientRequestToken\":\"").nth(1).unwrap();
        let mut seen = seen.lock().unwrap();
        seen.push(token.split('"').next().unwrap().to_owned());
        match seen.len() {
            1 => Answer::HangsUp,
            2 => error("TransactionInProgressException", "wait"),
            3 => error("ThrottlingException", "slow"),
            _ => Answer::Says(200, "{}".to_owned()),
        }
    })
    .await;
    let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
    let plan = StoredPlan {
        name: "p".into(),
        revision: 1,
        plan: Bytes::from_static(b"plan"),
    };
    journal.put(plan, None, None).await.unwrap();
    let tokens = tokens.lock().unwrap();
    assert_eq!(tokens.len(), 4);
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
}

#[tokio::test]
async fn what_dynamodb_will_never_take_is_refused_with_what_to_do() {
    for (code, said) in [
        ("ItemCollectionSizeLimitExceededException", "create-table"),
        ("ValidationException", "smaller"),
    ] {
        let endpoint = writing(move |_| error(code, "because")).await;
        let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
        let appended = journal.append(first(None)).await;
        let Err(AppendError::Refused(text)) = appended else {
            panic!("{code}: {appended:?}");
        };
        assert!(text.contains(said) && text.contains(code), "{text}");
    }
    let answer = cancelled(["ValidationError", "None"], "");
    let endpoint = writing(move |_| answer.clone()).await;
    let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
    let claim = Claim {
        key: "key".to_owned(),
        value: Bytes::new(),
    };
    match journal.take_claim(claim).await {
        Err(PlanStoreError::Refused(text)) => assert!(text.contains("smaller"), "{text}"),
        other => panic!("{other:?}"),
    }
}

/// A plan of which DynamoDB shows the whole only to whoever asks for all of it.
#[tokio::test]
async fn to_delete_a_plan_its_revisions_are_not_read_whole() {
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&asked);
    let endpoint = Endpoint::start(move |operation, body| match operation {
        "GetItem" if body.contains("\"#p\"") => {
            let span = r##"{"Item":{"pk":{"S":"plans"},"sk":{"S":"#p"},"first":{"N":"1"},"last":{"N":"1"}}}"##;
            Answer::Says(200, span.to_owned())
        }
        "Query" => {
            seen.lock().unwrap().push(body.to_owned());
            let item = r#"{"pk":{"S":"plan#p"},"sk":{"S":"00000000000000000001"},"plan_at":{"S":"NONCE"},"plan_size":{"N":"700001"}}"#;
            Answer::Says(200, format!(r#"{{"Items":[{item}],"Count":1,"ScannedCount":1}}"#))
        }
        "DeleteItem" | "TransactWriteItems" => Answer::Says(200, "{}".to_owned()),
        _ => good(operation, body).unwrap(),
    })
    .await;
    let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
    assert!(journal.delete(&"p".into(), None).await.unwrap());
    let asked = asked.lock().unwrap();
    let [query] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    let wanted = r##""ProjectionExpression":"#pk, #sk, #plan_at, #plan_size""##;
    assert!(query.contains(wanted), "{query}");
    let called = endpoint.called.lock().unwrap();
    let deletes = called.iter().filter(|it| *it == "DeleteItem").count();
    assert_eq!(deletes, 4, "three parts and the revision");
}

#[tokio::test(start_paused = true)]
async fn a_plan_store_that_never_answers_does_not_stop_the_gateway() {
    let endpoint = writing(|_| Answer::HangsUp).await;
    let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
    let claim = Claim {
        key: "key".to_owned(),
        value: Bytes::new(),
    };
    match journal.take_claim(claim).await {
        Err(PlanStoreError::Unavailable(text)) => assert!(text.contains("request id"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn during_a_run_a_read_says_why_and_what_to_do() {
    let endpoint = Endpoint::start(|operation, body| match operation {
        "Query" => error("ExpiredTokenException", "old"),
        _ => good(operation, body).unwrap(),
    })
    .await;
    let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
    match journal.heads(None, true, 10).await {
        Err(ReadError::Unavailable(text)) => assert!(text.contains("have expired"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_heartbeat_without_an_answer_is_not_one_that_was_refused() {
    let endpoint = writing(|_| Answer::HangsUp).await;
    let journal = DynamoJournal::open(endpoint.settings()).await.unwrap();
    let answer = journal.beat(&"m".into(), 1, Duration::from_secs(10)).await;
    assert!(matches!(answer, Err(ClusterError::Unavailable(_))));
}
