//! A real DynamoDB Local whose answers are lost: what was asked for is done,
//! and nobody hears of it.

use std::{collections::BTreeSet, sync::Mutex};

use bytes::Bytes;
use tidegate_core::{HookIx, Timestamp, WaveIx, engine::CommandId, plan::HookPhase};
use tidegate_gateway::{
    adapters::journal_dynamodb::{DynamoJournal, Settings},
    ports::{
        hook_store::{HookStore, StoredHook, TapeKey},
        journal::{Append, AppendError, Claim, HeadUpdate, Holds, Journal},
        plan_store::{PlanStore, PlanStoreError, StoredPlan},
    },
};
use tidegate_tests::dynamodb::DynamoDbLocal;

use super::proxy::{self, Fate};

/// Loses the answer to the first time that a write is asked for, unless it is
/// of a part of something large. The fields of a request stand in no fixed
/// order, so one is known again by what it says and not by its bytes.
async fn losing(settings: Settings) -> Settings {
    let heard = Mutex::<BTreeSet<String>>::default();
    proxy::before(settings, move |call| {
        let is_part = call.body.contains("chunks#");
        let said: serde_json::Value = serde_json::from_str(&call.body).unwrap();
        match call.is_write() && !is_part && heard.lock().unwrap().insert(said.to_string()) {
            true => Fate::Lost,
            false => Fate::Answered,
        }
    })
    .await
}

async fn journal(local: &DynamoDbLocal) -> DynamoJournal {
    let settings = losing(local.table().await).await;
    DynamoJournal::open(settings).await.unwrap()
}

fn claim(key: &str) -> Option<Claim> {
    Some(Claim {
        key: key.to_owned(),
        value: Bytes::from_static(b"value"),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_answer_is_lost_is_there_and_said_to_be_in_doubt() {
    let local = DynamoDbLocal::shared().await;
    let journal = journal(&local).await;
    for (revision, size) in [(1, 10), (2, 10), (3, 800_000)] {
        let record = Bytes::from(vec![7; size]);
        let append = Append {
            execution: "e".into(),
            revision,
            record: record.clone(),
            head: (revision == 1).then(|| HeadUpdate {
                live: true,
                summary: Bytes::new(),
            }),
            claim: claim("key").filter(|_| revision == 1),
            holds: (revision == 1).then(|| Holds {
                servers: vec!["s".into()],
                after: 0,
            }),
        };
        let answer = journal.append(append.clone()).await;
        assert!(
            matches!(answer, Err(AppendError::AnswerLost(_))),
            "{answer:?}"
        );
        let stored = journal.read(&"e".into(), revision - 1, 2).await.unwrap();
        assert_eq!(stored.len(), 1);
        assert!(stored[0].record == record, "its parts are left alone");
        let again = journal.append(append).await;
        match revision {
            1 => assert!(matches!(
                again,
                Err(AppendError::AnswerLost(_) | AppendError::Claimed { .. })
            )),
            _ => assert!(matches!(
                again,
                Err(AppendError::Taken { .. } | AppendError::AnswerLost(_))
            )),
        }
        let stored = journal.read(&"e".into(), revision - 1, 2).await.unwrap();
        assert!(
            stored[0].record == record,
            "nor does a second try take them"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_whose_answer_is_lost_is_stored_once_and_acknowledged() {
    let local = DynamoDbLocal::shared().await;
    let journal = journal(&local).await;
    let plan = |revision, size| StoredPlan {
        name: "p".into(),
        revision,
        plan: vec![1; size].into(),
    };
    PlanStore::put(&journal, plan(1, 10), claim("first"), None)
        .await
        .unwrap();
    PlanStore::put(&journal, plan(2, 900_000), None, Some(0))
        .await
        .unwrap();
    let late = PlanStore::put(&journal, plan(2, 10), None, Some(0)).await;
    assert!(matches!(late, Err(PlanStoreError::Taken { newest: 2, .. })));
    let revisions = journal.revisions(&"p".into(), None, 9).await.unwrap();
    assert!(revisions == [plan(2, 900_000), plan(1, 10)]);
    journal.take_claim(claim("alone").unwrap()).await.unwrap();
    let again = journal.take_claim(claim("alone").unwrap()).await;
    assert!(matches!(again, Err(PlanStoreError::Claimed { .. })));
    let deleted = PlanStore::delete(&journal, &"p".into(), claim("deleted")).await;
    assert!(deleted.unwrap());
    assert_eq!(journal.claim("deleted").await.unwrap().unwrap(), "value");
    assert_eq!(
        PlanStore::get(&journal, &"p".into(), None).await.unwrap(),
        None
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_and_a_tape_whose_answers_are_lost_are_stored_once() {
    let local = DynamoDbLocal::shared().await;
    let journal = journal(&local).await;
    let component = Bytes::from(vec![3; 800_000]);
    let hook = StoredHook {
        digest: "sha256:x".to_owned(),
        size: 800_000,
        created_at: Timestamp::from_millis(5),
    };
    assert!(
        HookStore::put(&journal, hook.clone(), component.clone())
            .await
            .unwrap()
    );
    assert!(
        !HookStore::put(&journal, hook, component.clone())
            .await
            .unwrap()
    );
    let found = HookStore::get(&journal, "sha256:x").await.unwrap();
    assert!(found == Some(component.clone()));
    assert!(HookStore::delete(&journal, "sha256:x", 0).await.unwrap());
    assert!(!HookStore::delete(&journal, "sha256:x", 0).await.unwrap());

    for (attempt, size) in [(1, 10), (2, 800_000)] {
        let tape = TapeKey {
            execution: "e".into(),
            command: CommandId::Hook {
                wave: WaveIx(0),
                phase: HookPhase::PreWave,
                hook: HookIx(0),
                attempt,
            },
        };
        let bytes = component.slice(..size);
        journal.put_tape(tape.clone(), bytes.clone()).await.unwrap();
        journal.put_tape(tape.clone(), "late".into()).await.unwrap();
        assert!(journal.tape(&tape).await.unwrap() == Some(bytes));
    }
}
