use std::{future::Future, pin::pin, task::Poll};

use bytes::Bytes;
use futures::future::join_all;

use super::{disk::Switches, first_record, open_on};
use crate::{
    adapters::journal_redb::{OpenProblem, QUEUE_LIMIT, RedbJournal},
    ports::{
        journal::{Append, AppendError, Journal},
        plan_store::{PlanStore, PlanStoreError, StoredPlan},
    },
};

#[tokio::test]
async fn a_commit_serves_everyone_who_queued_behind_the_one_before() {
    let (switches, journal) = journal();
    let alone = append_and_count_syncs(&switches, &journal).await;

    switches.hold_syncs();
    let mut first = pin!(journal.append(first_record("first")));
    assert!(poll(first.as_mut()).await.is_pending());
    switches.wait_for_held_sync();
    let others = (0..100).map(|n| journal.append(first_record(&format!("other-{n}"))));
    let mut others = pin!(join_all(others));
    assert!(poll(others.as_mut()).await.is_pending());
    let before = switches.syncs();
    switches.release_syncs();

    first.await.unwrap();
    for answer in others.await {
        answer.unwrap();
    }
    // The rest of the first commit, which was counted as it began, and one
    // commit for all the others.
    assert!(switches.syncs() - before <= 2 * alone);
}

#[tokio::test]
async fn a_refused_change_leaves_its_neighbours_in_the_same_commit() {
    let (switches, journal) = journal();
    switches.hold_syncs();
    let mut first = pin!(journal.append(first_record("first")));
    assert!(poll(first.as_mut()).await.is_pending());
    switches.wait_for_held_sync();

    let gap = Append {
        revision: 3,
        ..first_record("gap")
    };
    let neighbours = [first_record("before"), gap, first_record("after")];
    let mut neighbours = pin!(join_all(neighbours.map(|append| journal.append(append))));
    assert!(poll(neighbours.as_mut()).await.is_pending());
    switches.release_syncs();

    let answers = neighbours.await;
    assert!(matches!(
        answers.as_slice(),
        [
            Ok(()),
            Err(AppendError::Taken {
                revision: 3,
                newest: 0
            }),
            Ok(())
        ]
    ));
    assert!(journal.read(&"gap".into(), 0, 10).await.unwrap().is_empty());
    assert_eq!(journal.heads(None, true, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_change_is_performed_even_if_its_caller_leaves() {
    let (switches, journal) = journal();
    switches.hold_syncs();
    {
        let mut abandoned = pin!(journal.append(first_record("abandoned")));
        assert!(poll(abandoned.as_mut()).await.is_pending());
    }
    switches.release_syncs();

    let again = journal.append(first_record("abandoned")).await;

    assert!(matches!(again, Err(AppendError::Taken { newest: 1, .. })));
}

#[tokio::test]
async fn a_failed_sync_ends_the_journal_for_everyone() {
    let (switches, journal) = journal();
    journal.append(first_record("earlier")).await.unwrap();
    let mut fatal = pin!(journal.fatal());
    assert!(poll(fatal.as_mut()).await.is_pending());

    switches.hold_syncs();
    // In the batch, in the queue, and waiting for room in it.
    let waiting = (0..2 * QUEUE_LIMIT).map(|n| journal.append(first_record(&n.to_string())));
    let mut waiting = pin!(join_all(waiting));
    assert!(poll(waiting.as_mut()).await.is_pending());
    switches.fail_syncs();
    switches.release_syncs();

    for answer in waiting.await {
        assert_unknown(answer);
    }
    assert!(fatal.await.to_string().contains("the disk is broken"));
    assert_unknown(journal.append(first_record("later")).await);
    let plan = StoredPlan {
        name: "plan".into(),
        revision: 1,
        plan: Bytes::new(),
    };
    let refused = journal.put(plan, None, None).await;
    assert!(matches!(refused, Err(PlanStoreError::Unknown(_))));
    assert!(
        journal
            .fatal()
            .await
            .to_string()
            .contains("the disk is broken")
    );
}

#[tokio::test]
async fn a_full_disk_ends_the_journal() {
    let (switches, journal) = journal();
    switches.fill_up();

    assert_unknown(journal.append(first_record("execution")).await);

    let failure = journal.fatal().await.to_string();
    assert!(failure.contains("no storage space"), "{failure}");
    assert!(failure.contains("free space on its disk"), "{failure}");
}

#[tokio::test]
async fn a_panic_of_the_committer_ends_the_journal() {
    let (switches, journal) = journal();
    switches.panic_at_next_sync();

    assert_unknown(journal.append(first_record("execution")).await);

    let failure = journal.fatal().await.to_string();
    assert!(failure.contains("panicked"), "{failure}");
    assert_unknown(journal.append(first_record("later")).await);
}

#[tokio::test]
async fn an_orderly_end_is_no_failure() {
    let (_, journal) = journal();
    let mut fatal = pin!(journal.fatal());
    drop(journal);
    assert!(poll(fatal.as_mut()).await.is_pending());
}

#[test]
fn a_disk_that_is_full_from_the_start_is_named_as_the_reason() {
    let switches = Switches::default();
    switches.fill_up();
    let problem = open_on(&switches);
    let problem = problem.unwrap_err();
    assert!(matches!(problem, OpenProblem::NoRoom { .. }), "{problem}");
    assert!(
        problem.to_string().contains("free space on its disk"),
        "{problem}"
    );
}

#[test]
fn every_way_to_have_no_room_has_its_remedy() {
    let kinds = [
        (std::io::ErrorKind::StorageFull, "free space on its disk"),
        (std::io::ErrorKind::QuotaExceeded, "disk quota"),
        (std::io::ErrorKind::FileTooLarge, "LimitFSIZE="),
    ];
    for (kind, remedy) in kinds {
        let said = OpenProblem::from(std::io::Error::from(kind)).to_string();
        assert!(said.contains(remedy), "{said}");
        assert!(said.ends_with("then start the gateway again"), "{said}");
    }
}

fn journal() -> (Switches, RedbJournal) {
    let switches = Switches::default();
    let journal = open_on(&switches).unwrap();
    (switches, journal)
}

async fn append_and_count_syncs(switches: &Switches, journal: &RedbJournal) -> usize {
    let before = switches.syncs();
    journal.append(first_record("alone")).await.unwrap();
    switches.syncs() - before
}

fn assert_unknown(answer: Result<(), AppendError>) {
    assert!(matches!(answer, Err(AppendError::Unknown(_))), "{answer:?}");
}

async fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    let mut future = Some(future);
    std::future::poll_fn(move |context| {
        let polled = future.take().expect("polled once").poll(context);
        Poll::Ready(polled)
    })
    .await
}
