//! Positions in a log.

use bytes::Bytes;
use futures::future::join_all;
use tidegate_gateway::ports::journal::{Append, AppendError};

use super::{Subject, append, append_up_to, assert_log, assert_taken, claim, head};

/// Revisions count from 1 and leave no gap.
pub async fn positions_are_dense(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    for revision in [0, 2, u64::MAX] {
        assert_taken(&journal.append(append("a", revision)).await, revision, 0);
    }
    append_up_to(&*journal, "a", 3).await;
    for revision in [0, 5, u64::MAX] {
        assert_taken(&journal.append(append("a", revision)).await, revision, 3);
    }
    append_up_to(&*journal, "b", 1).await;
    assert_log(&*journal, "a", 3).await;
    assert_log(&*journal, "b", 1).await;
    assert_log(&*journal, "never appended to", 0).await;
}

/// The position is the fence.
pub async fn a_taken_position_is_refused_and_nothing_is_written(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    append_up_to(&*journal, "a", 2).await;
    let late = |revision| Append {
        record: Bytes::from_static(b"late"),
        head: Some(head(false, "late")),
        claim: claim("late", "late"),
        holds: None,
        ..append("a", revision)
    };
    for revision in [1, 2] {
        assert_taken(&journal.append(late(revision)).await, revision, 2);
    }
    assert_log(&*journal, "a", 2).await;
    let shown = journal.head(&"a".into()).await.unwrap().unwrap();
    assert!(shown.live);
    assert_eq!(shown.summary, "created");
    assert_eq!(journal.claim("late").await.unwrap(), None);
    journal.append(append("a", 3)).await.unwrap();
}

/// Whoever comes second is told so, however close.
pub async fn of_concurrent_appends_at_one_position_exactly_one_wins(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    append_up_to(&*journal, "a", 1).await;
    for revision in 2..10 {
        let rivals = (0..32_u8).map(|rival| {
            let journal = journal.clone();
            let append = Append {
                record: vec![rival].into(),
                ..append("a", revision)
            };
            tokio::spawn(async move { journal.append(append).await })
        });
        let mut winners = Vec::new();
        for (rival, answer) in (0..32_u8).zip(join_all(rivals).await) {
            match answer.unwrap() {
                Ok(()) => winners.push(rival),
                refused => assert_taken(&refused, revision, revision),
            }
        }
        let stored = journal.read(&"a".into(), revision - 1, 2).await.unwrap();
        let stored: Vec<_> = stored.iter().map(|stored| stored.record.to_vec()).collect();
        assert_eq!(stored, [winners]);
    }
}

/// Appends that share a commit do not share a fate. Those to one log come one
/// after the other: no journal promises an order of what is asked at once.
pub async fn a_refused_append_leaves_its_neighbours_accepted(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    append_up_to(&*journal, "taken", 1).await;
    append_up_to(&*journal, "grows", 1).await;
    let appends = [
        append("before", 1),
        append("grows", 2),
        append("taken", 1),
        append("gap", 2),
        append("after", 1),
    ];
    let mut answers = join_all(appends.map(|append| journal.append(append))).await;
    assert_taken(&answers.remove(3), 2, 0);
    assert_taken(&answers.remove(2), 1, 1);
    for answer in answers {
        answer.unwrap();
    }
    assert_log(&*journal, "before", 1).await;
    assert_log(&*journal, "grows", 2).await;
    assert_log(&*journal, "taken", 1).await;
    assert_log(&*journal, "gap", 0).await;
    assert_log(&*journal, "after", 1).await;
    assert_eq!(journal.head(&"gap".into()).await.unwrap(), None);
}

/// A limit that is known is better than a store that chokes.
pub async fn a_record_above_the_limit_is_refused(subject: &mut impl Subject) {
    let journal = subject.open().await.journal;
    let of_size = |size| Append {
        record: vec![7; size].into(),
        ..append("a", 1)
    };
    let answer = journal.append(of_size(100 << 20)).await;
    let Err(AppendError::TooLarge { size, limit }) = answer else {
        panic!("{answer:?} for a record of 100 MiB");
    };
    assert_eq!(size, 100 << 20);
    assert_log(&*journal, "a", 0).await;

    let answer = journal.append(of_size(limit + 1)).await;
    assert!(matches!(answer, Err(AppendError::TooLarge { .. })));
    journal.append(of_size(limit)).await.unwrap();
    let stored = journal.read(&"a".into(), 0, 1).await.unwrap();
    assert_eq!(stored[0].record.len(), limit);
}
