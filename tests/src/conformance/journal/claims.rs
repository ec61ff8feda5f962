//! Keys that are taken once.

use bytes::Bytes;
use futures::future::join_all;
use tidegate_gateway::ports::{
    journal::{Append, AppendError, Claim},
    plan_store::PlanStoreError,
};

use super::{Subject, append, assert_log, assert_taken, claim, newest_plan, plan, put_first};

fn claiming(execution: &str, revision: u64, claim: Option<Claim>) -> Append {
    Append {
        claim,
        ..append(execution, revision)
    }
}

fn assert_claimed(answer: Result<(), AppendError>, by: &str) {
    match answer {
        Err(AppendError::Claimed { value }) => assert_eq!(value, by),
        other => panic!("{other:?} instead of a claimed key"),
    }
}

/// The first claimant's value is the one that stays.
pub async fn the_first_claimant_wins_and_the_others_see_its_value(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    assert_eq!(journal.claim("key").await.unwrap(), None);

    let first = claiming("a", 1, claim("key", "first"));
    journal.append(first).await.unwrap();
    let second = claiming("b", 1, claim("key", "second"));
    assert_claimed(journal.append(second).await, "first");

    assert_eq!(journal.claim("key").await.unwrap().unwrap(), "first");
    let another = claiming("b", 1, claim("another key", ""));
    journal.append(another).await.unwrap();
    assert_eq!(journal.claim("another key").await.unwrap().unwrap(), "");
}

/// A claim without its record, or the other way round, would be a lie.
pub async fn a_claim_is_taken_together_with_the_append_or_not_at_all(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    let first = claiming("a", 1, claim("key", "first"));
    journal.append(first).await.unwrap();

    let taken = claiming("a", 1, claim("free key", "late"));
    assert_taken(&journal.append(taken).await, 1, 1);
    assert_eq!(journal.claim("free key").await.unwrap(), None);

    let claimed = claiming("b", 1, claim("key", "late"));
    assert_claimed(journal.append(claimed).await, "first");
    assert_log(&*journal, "b", 0).await;
    assert_eq!(journal.head(&"b".into()).await.unwrap(), None);
}

/// Who asks again with the same key wants the first answer, and not to hear
/// that somebody (itself, perhaps) was faster.
pub async fn a_claimed_key_is_reported_even_where_the_position_is_taken_too(
    subject: &mut impl Subject,
) {
    let stores = subject.open().await;
    let first = claiming("a", 1, claim("key", "first"));
    stores.journal.append(first.clone()).await.unwrap();
    assert_claimed(stores.journal.append(first).await, "first");

    let by_plan = claim("plan key", "plan");
    stores
        .plans
        .put(plan("p", 1), by_plan.clone(), None)
        .await
        .unwrap();
    let again = stores.plans.put(plan("p", 1), by_plan, None).await;
    assert!(matches!(again, Err(PlanStoreError::Claimed { value }) if value == "plan"));
}

/// Two requests with one id at the same time start one execution.
pub async fn of_concurrent_claimants_exactly_one_wins(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    let names: Vec<String> = (0..32).map(|n| format!("rival-{n}")).collect();
    let rivals = names.iter().map(|name| {
        let journal = journal.clone();
        let mine = Claim {
            key: "key".to_owned(),
            value: Bytes::from(name.clone()),
        };
        let append = claiming(name, 1, Some(mine));
        tokio::spawn(async move { journal.append(append).await })
    });
    let answers: Vec<_> = join_all(rivals).await.into_iter().flatten().collect();
    let winner = journal.claim("key").await.unwrap().unwrap();
    for (name, answer) in names.iter().zip(answers) {
        match answer {
            Ok(()) => assert_eq!(winner, name.as_str()),
            Err(AppendError::Claimed { value }) => assert_eq!(value, winner),
            Err(error) => panic!("{error}"),
        }
    }
    let started = journal.heads(None, false, 100).await.unwrap();
    assert_eq!(started.len(), 1);
    assert_eq!(started[0].execution.as_str(), winner);
}

/// An answer is kept although nothing else was written.
pub async fn a_claim_is_taken_alone_and_once(subject: &mut impl Subject) {
    let stores = subject.open().await;
    let take = |value| {
        let plans = stores.plans.clone();
        async move { plans.take_claim(claim("key", value).unwrap()).await }
    };
    take("first").await.unwrap();

    let again = take("second").await;

    assert!(matches!(again, Err(PlanStoreError::Claimed { value }) if value == "first"));
    assert_eq!(stores.journal.claim("key").await.unwrap().unwrap(), "first");
    assert!(stores.plans.list(None, 10).await.unwrap().is_empty());
    let late = claiming("a", 1, claim("key", "late"));
    assert_claimed(stores.journal.append(late).await, "first");
}

/// One request id means one thing.
pub async fn plan_changes_and_appends_share_their_claims(subject: &mut impl Subject) {
    let stores = subject.open().await;
    let (journal, plans) = (&*stores.journal, &*stores.plans);
    plans
        .put(plan("p", 1), claim("put", "by a plan"), None)
        .await
        .unwrap();
    assert_eq!(journal.claim("put").await.unwrap().unwrap(), "by a plan");
    let late = claiming("a", 1, claim("put", "late"));
    assert_claimed(journal.append(late).await, "by a plan");

    let first = claiming("a", 1, claim("append", "by an execution"));
    journal.append(first).await.unwrap();
    let late = plans.put(plan("p", 2), claim("append", "late"), None).await;
    assert!(matches!(late, Err(PlanStoreError::Claimed { value }) if value == "by an execution"));
    let late = plans.delete(&"p".into(), claim("append", "late")).await;
    assert!(matches!(late, Err(PlanStoreError::Claimed { .. })));
    assert_eq!(newest_plan(plans, "p").await, Some(plan("p", 1)));

    let refused = plans.put(plan("p", 7), claim("refused", ""), None).await;
    assert!(matches!(
        refused,
        Err(PlanStoreError::Taken {
            revision: 7,
            newest: 1
        })
    ));
    assert_eq!(journal.claim("refused").await.unwrap(), None);

    let nothing = plans.delete(&"no plan".into(), claim("nothing", "")).await;
    assert!(!nothing.unwrap());
    assert_eq!(journal.claim("nothing").await.unwrap(), None);
    put_first(plans, &["q"]).await;
    assert!(
        plans
            .delete(&"q".into(), claim("delete", ""))
            .await
            .unwrap()
    );
    assert_eq!(journal.claim("delete").await.unwrap().unwrap(), "");
}
