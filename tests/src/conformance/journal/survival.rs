//! What closing and opening again must not change.

use std::slice::from_ref;

use bytes::Bytes;
use futures::future::join_all;
use tidegate_core::{PlanName, plan::HookPhase};
use tidegate_gateway::ports::{
    journal::{Append, AppendError, Head, StoredRecord},
    plan_store::StoredPlan,
};

use super::{
    Stores, Subject, append, append_up_to, assert_log, assert_taken, claim,
    components::{component, delete},
    head, newest_plan, plan, put_first,
    tapes::tape,
};

/// All that can be read of the stores that the fact below fills.
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    heads: Vec<Head>,
    live: Vec<Head>,
    records: Vec<Vec<StoredRecord>>,
    claims: Vec<Option<Bytes>>,
    plans: Vec<StoredPlan>,
    revisions: Vec<StoredPlan>,
    last_revisions: (u64, u64),
}

async fn contents(stores: &Stores) -> Contents {
    let (journal, plans) = (&*stores.journal, &*stores.plans);
    let heads = journal.heads(None, false, 100).await.unwrap();
    let mut records = Vec::new();
    for head in &heads {
        records.push(journal.read(&head.execution, 0, 100).await.unwrap());
    }
    let mut claims = Vec::new();
    for key in ["of an append", "of a plan", "of nobody"] {
        claims.push(journal.claim(key).await.unwrap());
    }
    let last_revision = async |name| plans.last_revision(&PlanName::from(name)).await.unwrap();
    Contents {
        live: journal.heads(None, true, 100).await.unwrap(),
        heads,
        records,
        claims,
        plans: plans.list(None, 100).await.unwrap(),
        revisions: plans.revisions(&"kept".into(), None, 100).await.unwrap(),
        last_revisions: (last_revision("kept").await, last_revision("gone").await),
    }
}

/// Acknowledged means stored.
pub async fn everything_survives_reopening(subject: &mut impl Subject) {
    let stores = subject.open().await;
    append_up_to(&*stores.journal, "a", 5).await;
    append_up_to(&*stores.journal, "b", 1).await;
    let over = Append {
        head: Some(head(false, "over")),
        claim: claim("of an append", "value"),
        holds: None,
        ..append("b", 2)
    };
    stores.journal.append(over).await.unwrap();
    let first = stores
        .plans
        .put(plan("kept", 1), claim("of a plan", ""), None);
    first.await.unwrap();
    stores.plans.put(plan("kept", 2), None, None).await.unwrap();
    put_first(&*stores.plans, &["gone"]).await;
    stores.plans.delete(&"gone".into(), None).await.unwrap();
    let before = contents(&stores).await;
    assert_eq!(before.heads.len(), 2);
    assert_eq!(before.live.len(), 1);
    assert_eq!(before.last_revisions, (2, 1));
    drop(stores);

    for _ in 0..2 {
        subject.close().await;
        let reopened = subject.open().await;
        assert_eq!(contents(&reopened).await, before);
        drop(reopened);
    }
}

/// Acknowledged means stored, or deleted.
pub async fn components_and_tapes_survive_reopening(subject: &mut impl Subject) {
    let hooks = subject.open().await.hooks;
    let (kept, bytes) = component("kept", 700_000, 1);
    assert!(hooks.put(kept.clone(), bytes.clone()).await.unwrap());
    let (gone, gone_bytes) = component("gone", 700_000, 2);
    hooks.put(gone, gone_bytes).await.unwrap();
    assert!(delete(&*hooks, "gone").await);
    let tapes = [1, 2].map(|attempt| tape("a", 0, HookPhase::PreWave, 0, attempt));
    for tape in &tapes {
        let bytes = tape.command.to_string();
        hooks.put_tape(tape.clone(), bytes.into()).await.unwrap();
    }
    drop(hooks);

    for _ in 0..2 {
        subject.close().await;
        let hooks = subject.open().await.hooks;
        assert_eq!(hooks.list().await.unwrap(), from_ref(&kept));
        assert!(hooks.get("kept").await.unwrap().as_ref() == Some(&bytes));
        assert_eq!(hooks.get("gone").await.unwrap(), None);
        assert!(!hooks.put(kept.clone(), bytes.clone()).await.unwrap());
        assert_eq!(hooks.tapes(&"a".into()).await.unwrap(), tapes);
        for tape in &tapes {
            hooks.put_tape(tape.clone(), "late".into()).await.unwrap();
            let found = hooks.tape(tape).await.unwrap().unwrap();
            assert_eq!(found, tape.command.to_string());
        }
    }
}

/// What was refused before is refused afterwards, and what was next is next.
pub async fn claims_and_positions_hold_after_reopening(subject: &mut impl Subject) {
    let stores = subject.open().await;
    append_up_to(&*stores.journal, "a", 2).await;
    let claiming = Append {
        claim: claim("key", "first"),
        holds: None,
        ..append("a", 3)
    };
    stores.journal.append(claiming).await.unwrap();
    put_first(&*stores.plans, &["p"]).await;
    stores.plans.delete(&"p".into(), None).await.unwrap();
    drop(stores);
    subject.close().await;

    let stores = subject.open().await;
    let journal = &*stores.journal;
    assert_taken(&journal.append(append("a", 3)).await, 3, 3);
    let late = Append {
        claim: claim("key", "late"),
        holds: None,
        ..append("a", 4)
    };
    let late = journal.append(late).await;
    assert!(matches!(late, Err(AppendError::Claimed { value }) if value == "first"));
    journal.append(append("a", 4)).await.unwrap();
    assert_log(journal, "a", 4).await;
    assert!(stores.plans.put(plan("p", 1), None, None).await.is_err());
    stores.plans.put(plan("p", 2), None, None).await.unwrap();
    assert_eq!(newest_plan(&*stores.plans, "p").await, Some(plan("p", 2)));
}

/// Writers that share commits lose nothing by it.
pub async fn many_writers_are_all_acknowledged_and_all_there_after_reopening(
    subject: &mut impl Subject,
) {
    const WRITERS: u64 = 64;
    const RECORDS: u64 = 20;
    let stores = subject.open().await;
    let writers = (0..WRITERS).map(|writer| {
        let journal = stores.journal.clone();
        tokio::spawn(async move {
            append_up_to(&*journal, &format!("writer-{writer}"), RECORDS).await;
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    drop(stores);
    subject.close().await;

    let journal = subject.open().await.journal;
    for writer in 0..WRITERS {
        assert_log(&*journal, &format!("writer-{writer}"), RECORDS).await;
    }
    let heads = journal.heads(None, true, usize::MAX).await.unwrap();
    assert_eq!(heads.len(), 64);
}
