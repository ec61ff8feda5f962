//! Large values, and many of them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::join_all;
use tidegate_core::Timestamp;
use tidegate_gateway::{
    adapters::journal_dynamodb::DynamoJournal,
    ports::{
        hook_store::{HookStore, StoredHook},
        journal::{Append, AppendError, Claim, HeadUpdate, Holds, Journal, StoredRecord},
        plan_store::{PlanStore, PlanStoreError, StoredPlan},
    },
};
use tidegate_tests::dynamodb::DynamoDbLocal;

fn append(execution: &str, revision: u64, record: Vec<u8>) -> Append {
    Append {
        execution: execution.into(),
        revision,
        record: record.into(),
        head: (revision == 1).then(|| HeadUpdate {
            live: true,
            summary: Bytes::from_static(b"summary"),
        }),
        claim: None,
        holds: None,
    }
}

/// Bytes that no other seed has.
fn bytes(seed: u8, size: usize) -> Vec<u8> {
    (0..=250)
        .cycle()
        .map(|byte: u8| byte ^ seed)
        .take(size)
        .collect()
}

async fn whole_log(journal: &dyn Journal, execution: &str) -> Vec<StoredRecord> {
    let mut log: Vec<StoredRecord> = Vec::new();
    loop {
        let after = log.last().map_or(0, |last| last.revision);
        let page = journal.read(&execution.into(), after, 100).await.unwrap();
        if page.is_empty() {
            return log;
        }
        log.extend(page);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_any_size_come_back_in_order() {
    let local = DynamoDbLocal::shared().await;
    let journal = local.journal().await;
    let sizes = [
        4096, 4097, 0, 349_999, 350_000, 350_001, 700_000, 3_000_000, 1, 200_000, 200_000, 200_000,
        200_000, 200_000, 200_000,
    ];
    let mut expected = Vec::new();
    for (revision, size) in (1..).zip(sizes) {
        let record = bytes(u8::try_from(revision).unwrap(), size);
        journal
            .append(append("e", revision, record.clone()))
            .await
            .unwrap();
        expected.push(StoredRecord {
            revision,
            record: record.into(),
        });
    }
    assert!(whole_log(&journal, "e").await == expected);
    let large_first = bytes(9, 1_000_000);
    let large = append("large", 1, large_first.clone());
    journal.append(large).await.unwrap();
    assert!(whole_log(&journal, "large").await[0].record == large_first);
    let heads = journal.heads(None, true, 10).await.unwrap();
    assert_eq!(heads.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_record_of_whoever_was_second_does_not_mix_with_the_first() {
    let local = DynamoDbLocal::shared().await;
    let settings = local.table().await;
    let one = Arc::new(DynamoJournal::open(settings.clone()).await.unwrap());
    let other = Arc::new(DynamoJournal::open(settings).await.unwrap());
    one.append(append("e", 1, bytes(0, 10))).await.unwrap();
    for revision in 2..12 {
        let rivals = (0..8_u8).map(|rival| {
            let journal = Arc::clone(if rival % 2 == 0 { &one } else { &other });
            let size = 800_000 + usize::from(rival);
            tokio::spawn(async move {
                journal
                    .append(append("e", revision, bytes(rival, size)))
                    .await
            })
        });
        let mut winners = Vec::new();
        for (rival, answer) in (0..8_u8).zip(join_all(rivals).await) {
            match answer.unwrap() {
                Ok(()) => winners.push(rival),
                Err(AppendError::Taken { newest, .. }) => assert_eq!(newest, revision),
                Err(error) => panic!("{error}"),
            }
        }
        let [winner] = winners.as_slice() else {
            panic!("{winners:?}");
        };
        let stored = other.read(&"e".into(), revision - 1, 1).await.unwrap();
        let size = 800_000 + usize::from(*winner);
        assert!(stored[0].record == bytes(*winner, size), "of {winner}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_is_refused_by_whoever_did_not_write_the_log() {
    let local = DynamoDbLocal::shared().await;
    let settings = local.table().await;
    let one = DynamoJournal::open(settings.clone()).await.unwrap();
    let other = DynamoJournal::open(settings).await.unwrap();
    for revision in 1..=3 {
        let record = append("e", revision, bytes(0, 10));
        one.append(record).await.unwrap();
    }
    let gap = other.append(append("e", 5, bytes(0, 10))).await;
    assert!(matches!(gap, Err(AppendError::Taken { newest: 3, .. })));
    let before = other.usage();
    other.append(append("e", 4, bytes(0, 10))).await.unwrap();
    other.append(append("e", 5, bytes(0, 10))).await.unwrap();
    let asked = other.usage().since(&before);
    assert_eq!((asked.puts, asked.transactions), (2, 0));
    assert!(asked.reads <= 1, "it knows what it has written: {asked:?}");
    let stale = one.append(append("e", 4, bytes(0, 10))).await;
    assert!(matches!(stale, Err(AppendError::Taken { newest: 5, .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_go_beyond_one_page_of_dynamodb() {
    const EXECUTIONS: usize = 400;
    let local = DynamoDbLocal::shared().await;
    let journal = local.journal().await;
    for batch in 0..EXECUTIONS / 20 {
        let appends = (0..20).map(|number| {
            let name = format!("e{:04}", batch * 20 + number);
            let mut append = append(&name, 1, bytes(1, 4096));
            // Together some mebibytes: a page ends at one.
            append.head.as_mut().unwrap().summary = bytes(2, 5000).into();
            journal.append(append)
        });
        for answer in join_all(appends).await {
            answer.unwrap();
        }
    }
    for live_only in [true, false] {
        let heads = journal.heads(None, live_only, usize::MAX).await.unwrap();
        let names: Vec<_> = heads
            .iter()
            .map(|head| head.execution.to_string())
            .collect();
        let expected: Vec<_> = (0..EXECUTIONS)
            .rev()
            .map(|it| format!("e{it:04}"))
            .collect();
        assert_eq!(names, expected);
        let page = journal.heads(Some(&"e0350".into()), live_only, 300).await;
        assert_eq!(page.unwrap().len(), 300);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_component_comes_back_whole() {
    let local = DynamoDbLocal::shared().await;
    let journal = local.journal().await;
    let component = Bytes::from(bytes(7, 32 << 20));
    let hook = StoredHook {
        digest: "sha256:large".to_owned(),
        size: component.len() as u64,
        created_at: Timestamp::from_millis(5),
    };
    let before = journal.usage();
    assert!(
        HookStore::put(&journal, hook.clone(), component.clone())
            .await
            .unwrap()
    );
    let asked = journal.usage().since(&before);
    assert_eq!(asked.puts, 97, "96 parts and the note of them");
    assert_eq!((asked.transactions, asked.transaction_writes), (1, 2));
    let found = HookStore::get(&journal, &hook.digest);
    assert!(found.await.unwrap() == Some(component));
    let deleted = HookStore::delete(&journal, &hook.digest, 0);
    assert!(deleted.await.unwrap());
    assert!(journal.tapes(&"e".into()).await.unwrap().is_empty());
}

fn plan(revision: u64, size: usize) -> StoredPlan {
    StoredPlan {
        name: "p".into(),
        revision,
        plan: bytes(3, size).into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_plan_comes_back_whole_and_goes_whole() {
    let local = DynamoDbLocal::shared().await;
    let journal = local.journal().await;
    let store = async |plan| PlanStore::put(&journal, plan, None, None).await;
    store(plan(1, 2_000_000)).await.unwrap();
    store(plan(2, 10)).await.unwrap();
    let revisions = journal.revisions(&"p".into(), None, 10).await.unwrap();
    assert!(revisions == [plan(2, 10), plan(1, 2_000_000)]);
    let before = journal.usage();
    let deleted = PlanStore::delete(&journal, &"p".into(), None);
    assert!(deleted.await.unwrap());
    let asked = journal.usage().since(&before);
    assert_eq!(asked.deletes, 8, "two revisions and six parts: {asked:?}");
    assert_eq!(journal.last_revision(&"p".into()).await.unwrap(), 2);
}

/// The answer to whoever stores a plan has the plan in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_may_be_as_large_as_a_plan() {
    let local = DynamoDbLocal::shared().await;
    let journal = local.journal().await;
    let claim = |key: &str, seed, size| Claim {
        key: key.to_owned(),
        value: bytes(seed, size).into(),
    };
    let is_claimed = |answer: Result<(), PlanStoreError>, seed, size| match answer {
        Err(PlanStoreError::Claimed { value }) => assert!(value == bytes(seed, size)),
        other => panic!("{other:?}"),
    };
    for (revision, size) in (1..).zip([349_000, 350_001, 465_000, 1_500_000]) {
        let key = format!("with a plan of {size}");
        let first = claim(&key, 4, size);
        let put = PlanStore::put(&journal, plan(revision, size), Some(first), None);
        put.await.unwrap();
        let found = journal.claim(&key).await.unwrap();
        assert!(found == Some(bytes(4, size).into()), "{size}");
        let again = plan(revision + 1, size);
        let again = PlanStore::put(&journal, again, Some(claim(&key, 5, size)), None);
        is_claimed(again.await, 4, size);

        let key = format!("alone, of {size}");
        journal.take_claim(claim(&key, 6, size)).await.unwrap();
        is_claimed(journal.take_claim(claim(&key, 7, size)).await, 6, size);
        assert!(journal.claim(&key).await.unwrap() == Some(bytes(6, size).into()));
    }
    let left = journal.sweep(Duration::ZERO).await.unwrap();
    assert_eq!(left, 0, "whoever was refused took back what it laid down");
    for key in ["with a plan of 1500000", "alone, of 1500000"] {
        assert!(journal.claim(key).await.unwrap().is_some(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_may_hold_the_servers_of_the_largest_plan() {
    let local = DynamoDbLocal::shared().await;
    let journal = local.journal().await;
    let servers: Vec<_> = (0..5000)
        .map(|number| format!("s-{number:017x}").as_str().into())
        .collect();
    let append = Append {
        holds: Some(Holds {
            servers: servers.clone(),
            after: 0,
        }),
        ..append("e", 1, bytes(1, 600_000))
    };
    journal.append(append).await.unwrap();
    let told = journal.holds(0).await.unwrap();
    assert_eq!(told.held, [("e".into(), servers)]);
}
