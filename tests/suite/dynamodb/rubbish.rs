//! Parts of large values that nothing refers to: where a writer died before it
//! wrote the item, or after it deleted it.

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use bytes::Bytes;
use futures::future::BoxFuture;
use tidegate_core::{HookIx, Timestamp, WaveIx, engine::CommandId, plan::HookPhase};
use tidegate_gateway::{
    adapters::journal_dynamodb::{DynamoJournal, Settings},
    ports::{
        hook_store::{HookStore, StoredHook, TapeKey},
        journal::{Append, HeadUpdate, Journal},
        plan_store::{PlanStore, PlanStoreError, StoredPlan},
    },
};
use tidegate_tests::dynamodb::DynamoDbLocal;

use super::{
    answers::Request,
    proxy::{self, Fate, Gate},
};

/// Bytes of every value: three parts.
const SIZE: usize = 800_000;

/// How many parts there are in a table, and how many notes of parts.
async fn left(settings: &Settings) -> (usize, usize) {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
        .endpoint_url(settings.endpoint.clone().unwrap())
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::new(
            "tidegate", "local", None, None, "test",
        ))
        .build();
    let scan = Client::from_conf(config).scan();
    let scan = scan.table_name(&settings.table).projection_expression("pk");
    let items = scan.into_paginator().items().send();
    let items: Vec<_> = items.collect::<Result<_, _>>().await.unwrap();
    let keys: Vec<&str> = items
        .iter()
        .filter_map(|item| item.get("pk").map(AttributeValue::as_s))
        .map(|key| key.unwrap().as_str())
        .collect();
    let count = |is_it: &dyn Fn(&str) -> bool| keys.iter().filter(|key| is_it(key)).count();
    (
        count(&|key| key.starts_with("chunks#")),
        count(&|key| key == "laying"),
    )
}

/// A way to the table on which some calls are held.
async fn slow(settings: &Settings, is_held: fn(&Request) -> bool) -> (DynamoJournal, Arc<Gate>) {
    let gate = Gate::new();
    let held = Arc::clone(&gate);
    let way = proxy::before(settings.clone(), move |call| match is_held(call) {
        true => Fate::Held(Arc::clone(&held)),
        false => Fate::Answered,
    });
    let journal = DynamoJournal::open(way.await).await.unwrap();
    (journal, gate)
}

fn value() -> Bytes {
    Bytes::from(vec![7; SIZE])
}

fn record(execution: &str) -> Append {
    Append {
        execution: execution.into(),
        revision: 1,
        record: value(),
        head: Some(HeadUpdate {
            live: true,
            summary: Bytes::new(),
        }),
        claim: None,
        holds: None,
    }
}

fn plan(name: &str) -> StoredPlan {
    StoredPlan {
        name: name.into(),
        revision: 1,
        plan: value(),
    }
}

fn component(digest: &str) -> StoredHook {
    StoredHook {
        digest: digest.to_owned(),
        size: SIZE as u64,
        created_at: Timestamp::from_millis(5),
    }
}

fn tape(execution: &str) -> TapeKey {
    TapeKey {
        execution: execution.into(),
        command: CommandId::Hook {
            wave: WaveIx(0),
            phase: HookPhase::PreWave,
            hook: HookIx(0),
            attempt: 1,
        },
    }
}

/// Every way in which something large is stored, under this name.
fn writes<'a>(journal: &'a DynamoJournal, name: &'a str) -> [BoxFuture<'a, bool>; 4] {
    [
        Box::pin(async { journal.append(record(name)).await.is_ok() }),
        Box::pin(async {
            PlanStore::put(journal, plan(name), None, None)
                .await
                .is_ok()
        }),
        Box::pin(async {
            let put = HookStore::put(journal, component(name), value());
            put.await.is_ok()
        }),
        Box::pin(async { journal.put_tape(tape(name), value()).await.is_ok() }),
    ]
}

async fn is_whole(journal: &DynamoJournal, name: &str) -> bool {
    let records = journal.read(&name.into(), 0, 9).await.unwrap();
    let plan = PlanStore::get(journal, &name.into(), None).await.unwrap();
    let component = HookStore::get(journal, name).await.unwrap();
    let tape = journal.tape(&tape(name)).await.unwrap();
    let found = [
        records.first().map(|stored| stored.record.clone()),
        plan.map(|stored| stored.plan),
        component,
        tape,
    ];
    found.iter().all(|found| *found == Some(value()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_writer_left_is_swept_and_nothing_that_is_referred_to() {
    let local = DynamoDbLocal::shared().await;
    let settings = local.table().await;
    let journal = DynamoJournal::open(settings.clone()).await.unwrap();
    for write in writes(&journal, "kept") {
        assert!(write.await);
    }
    assert_eq!(left(&settings).await, (12, 0));

    let is_item = |call: &Request| call.operation == "TransactWriteItems";
    let (dying, gate) = slow(&settings, is_item).await;
    for write in writes(&dying, "lost") {
        tokio::select! {
            _ = write => panic!("it is held"),
            () = gate.holds() => {}
        }
    }
    assert_eq!(left(&settings).await, (24, 4));
    let hour = Duration::from_secs(3_600);
    assert_eq!(journal.sweep(hour).await.unwrap(), 0, "it may be alive");
    assert_eq!(journal.sweep(Duration::ZERO).await.unwrap(), 4);
    assert_eq!(left(&settings).await, (12, 0));
    assert!(is_whole(&journal, "kept").await);
    assert_eq!(journal.sweep(Duration::ZERO).await.unwrap(), 0);
    for write in writes(&journal, "lost") {
        assert!(write.await);
    }
    assert!(is_whole(&journal, "lost").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_was_only_slow_is_refused_and_may_try_again() {
    let local = DynamoDbLocal::shared().await;
    let settings = local.table().await;
    let journal = DynamoJournal::open(settings.clone()).await.unwrap();
    let is_item = |call: &Request| call.operation == "TransactWriteItems";
    let (late, gate) = slow(&settings, is_item).await;
    let sweeping = async {
        gate.holds().await;
        assert_eq!(journal.sweep(Duration::ZERO).await.unwrap(), 1);
        gate.open();
    };
    let put = PlanStore::put(&late, plan("p"), None, None);
    let (refused, ()) = tokio::join!(put, sweeping);
    let Err(PlanStoreError::Unavailable(text)) = refused else {
        panic!("{refused:?}");
    };
    assert!(text.contains("try again"), "{text}");
    assert_eq!(left(&settings).await, (0, 0));
    for write in writes(&late, "p") {
        assert!(write.await);
    }
    assert!(is_whole(&journal, "p").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_by_whoever_died_is_swept() {
    let local = DynamoDbLocal::shared().await;
    let settings = local.table().await;
    let journal = DynamoJournal::open(settings.clone()).await.unwrap();
    let put = HookStore::put(&journal, component("h"), value());
    assert!(put.await.unwrap());
    let (dying, gate) = slow(&settings, |call| call.operation == "DeleteItem").await;
    tokio::select! {
        _ = HookStore::delete(&dying, "h", 0) => panic!("it is held"),
        () = gate.holds() => {}
    }
    assert_eq!(HookStore::get(&journal, "h").await.unwrap(), None);
    assert_eq!(left(&settings).await, (3, 1));
    assert_eq!(journal.sweep(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(left(&settings).await, (0, 0));
}
