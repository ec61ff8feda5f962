//! What every journal promises that several processes share: nobody takes
//! servers without knowing what the others hold.
//!
//! One function per fact; each is given a journal that nothing is in yet.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use tidegate_core::{ExecutionId, SourceServerId};
use tidegate_gateway::ports::journal::{
    Append, AppendError, Claim, HeadUpdate, Holds, HoldsSince, Journal,
};

/// Checks every fact, each on a new journal.
pub async fn hold(make: impl AsyncFn() -> Arc<dyn Journal>) {
    what_was_taken_is_told_by_number(&*make().await).await;
    whoever_does_not_know_the_others_is_refused_and_writes_nothing(&*make().await).await;
    what_an_execution_takes_later_is_added(&*make().await).await;
    an_execution_that_is_over_holds_nothing(&*make().await).await;
    of_concurrent_takers_exactly_one_wins(make().await).await;
    whoever_took_and_is_over_is_named_for_a_while(&*make().await).await;
    a_reader_that_is_far_behind_hears_of_everybody(&*make().await).await;
    a_claim_counts_before_the_position_and_that_before_the_holds(&*make().await).await;
}

fn taking(execution: &str, servers: &[&str], after: u64) -> Append {
    Append {
        execution: execution.into(),
        revision: 1,
        record: Bytes::from_static(b"record"),
        head: Some(head(true)),
        claim: None,
        holds: Some(Holds {
            servers: ids(servers),
            after,
        }),
    }
}

/// The end of an execution that has one record.
fn over(execution: &str) -> Append {
    Append {
        revision: 2,
        head: Some(head(false)),
        holds: None,
        ..taking(execution, &[], 0)
    }
}

fn head(live: bool) -> HeadUpdate {
    HeadUpdate {
        live,
        summary: Bytes::from_static(b"summary"),
    }
}

fn ids(servers: &[&str]) -> Vec<SourceServerId> {
    servers.iter().map(|server| (*server).into()).collect()
}

/// What is told, in the order of executions and servers; without those who hold
/// nothing.
async fn told(journal: &dyn Journal, after: u64) -> HoldsSince {
    let mut told = journal.holds(after).await.unwrap();
    told.held.retain(|(_, servers)| !servers.is_empty());
    for (_, servers) in &mut told.held {
        servers.sort();
    }
    told.held.sort();
    told
}

fn held(execution: &str, servers: &[&str]) -> (ExecutionId, Vec<SourceServerId>) {
    (execution.into(), ids(servers))
}

fn assert_outdated(answer: Result<(), AppendError>, expected: u64) {
    match answer {
        Err(AppendError::Outdated { newest }) => assert_eq!(newest, expected),
        other => panic!("{other:?} instead of outdated holds"),
    }
}

/// A number tells what is new.
pub async fn what_was_taken_is_told_by_number(journal: &dyn Journal) {
    assert_eq!(told(journal, 0).await, HoldsSince::default());
    journal.append(taking("a", &["s1", "s2"], 0)).await.unwrap();
    journal.append(taking("b", &["s3"], 1)).await.unwrap();

    let all = told(journal, 0).await;
    assert_eq!(all.newest, 2);
    assert_eq!(all.held, [held("a", &["s1", "s2"]), held("b", &["s3"])]);
    let newer = told(journal, 1).await;
    assert_eq!(newer.newest, 2);
    assert!(newer.held.contains(&held("b", &["s3"])), "{newer:?}");
    let nothing = told(journal, 2).await;
    assert_eq!((nothing.newest, nothing.held.len()), (2, 0));
}

/// The refusal is before anything is written.
pub async fn whoever_does_not_know_the_others_is_refused_and_writes_nothing(journal: &dyn Journal) {
    journal.append(taking("a", &["s1"], 0)).await.unwrap();
    let late = Append {
        claim: Some(Claim {
            key: "key".to_owned(),
            value: Bytes::new(),
        }),
        ..taking("b", &["s1"], 0)
    };
    assert_outdated(journal.append(late.clone()).await, 1);
    assert_eq!(journal.head(&"b".into()).await.unwrap(), None);
    assert!(journal.read(&"b".into(), 0, 9).await.unwrap().is_empty());
    assert_eq!(journal.claim("key").await.unwrap(), None);
    assert_eq!(told(journal, 0).await.held, [held("a", &["s1"])]);
    assert_outdated(journal.append(taking("b", &["s2"], 5)).await, 1);

    journal.append(taking("b", &["s2"], 1)).await.unwrap();
    assert_eq!(told(journal, 0).await.newest, 2);
}

/// A wave may find its servers when it starts.
pub async fn what_an_execution_takes_later_is_added(journal: &dyn Journal) {
    journal.append(taking("a", &["s1"], 0)).await.unwrap();
    let later = |revision, servers: &[&str], after| Append {
        revision,
        head: None,
        ..taking("a", servers, after)
    };
    assert_outdated(journal.append(later(2, &["s2"], 0)).await, 1);
    journal.append(later(2, &["s2"], 1)).await.unwrap();
    journal.append(later(3, &["s3", "s2"], 2)).await.unwrap();
    let all = told(journal, 0).await;
    assert_eq!(all.newest, 3);
    assert_eq!(all.held, [held("a", &["s1", "s2", "s3"])]);
    let newer = told(journal, 2).await;
    assert_eq!(newer.held, all.held, "all that it holds, not only the last");
}

/// What is over gives everything back, without a word.
pub async fn an_execution_that_is_over_holds_nothing(journal: &dyn Journal) {
    journal.append(taking("a", &["s1"], 0)).await.unwrap();
    journal.append(taking("b", &["s2"], 1)).await.unwrap();
    journal.append(over("a")).await.unwrap();
    let left = told(journal, 0).await;
    assert_eq!(left.newest, 2);
    assert_eq!(left.held, [held("b", &["s2"])]);
    journal.append(taking("c", &["s1"], 2)).await.unwrap();
}

/// Somebody who watches everything would not hear of it else.
pub async fn whoever_took_and_is_over_is_named_for_a_while(journal: &dyn Journal) {
    journal.append(taking("a", &["s1"], 0)).await.unwrap();
    journal.append(taking("b", &["s2"], 1)).await.unwrap();
    journal.append(over("b")).await.unwrap();
    let since = journal.holds(1).await.unwrap();
    assert!(since.held.contains(&held("b", &[])), "{since:?}");
}

/// Two that do not know of each other may want the same.
pub async fn of_concurrent_takers_exactly_one_wins(journal: Arc<dyn Journal>) {
    for after in 0..3 {
        let takers = (0..16).map(|taker| {
            let journal = Arc::clone(&journal);
            let name = format!("{after}-{taker}");
            tokio::spawn(async move { journal.append(taking(&name, &["s1"], after)).await })
        });
        let mut won = 0;
        for answer in join_all(takers).await {
            match answer.unwrap() {
                Ok(()) => won += 1,
                refused => assert_outdated(refused, after + 1),
            }
        }
        assert_eq!(won, 1);
    }
}

/// However much happened since.
pub async fn a_reader_that_is_far_behind_hears_of_everybody(journal: &dyn Journal) {
    const TAKERS: u64 = 40;
    for taker in 0..TAKERS {
        let (name, server) = (format!("e{taker:02}"), format!("s{taker:02}"));
        let append = taking(&name, &[&server], taker);
        journal.append(append).await.unwrap();
    }
    for after in [0, 1, 20, 30, 38] {
        let told = told(journal, after).await;
        assert_eq!(told.newest, TAKERS);
        for taker in after..TAKERS {
            let (name, server) = (format!("e{taker:02}"), format!("s{taker:02}"));
            assert!(
                told.held.contains(&held(&name, &[&server])),
                "{name} after {after}"
            );
        }
    }
}

/// Whoever asks again wants to hear of its first answer.
pub async fn a_claim_counts_before_the_position_and_that_before_the_holds(journal: &dyn Journal) {
    let first = Append {
        claim: Some(Claim {
            key: "key".to_owned(),
            value: Bytes::from_static(b"first"),
        }),
        ..taking("a", &["s1"], 0)
    };
    journal.append(first.clone()).await.unwrap();
    let claimed = journal.append(first).await;
    assert!(matches!(claimed, Err(AppendError::Claimed { value }) if value == "first"));
    let taken = journal.append(taking("a", &["s1"], 0)).await;
    let is_taken = matches!(
        taken,
        Err(AppendError::Taken {
            revision: 1,
            newest: 1
        })
    );
    assert!(is_taken, "{taken:?}");
}
