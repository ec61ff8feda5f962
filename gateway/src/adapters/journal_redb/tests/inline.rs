//! Callers that commit by themselves, on the workers of a runtime.

use std::{future::Future, pin::pin, sync::Arc, task::Poll};

use futures::future::join_all;

use super::{disk::Switches, first_record, open_on};
use crate::{
    adapters::journal_redb::RedbJournal,
    ports::{
        journal::{Append, AppendError, Journal},
        plan_store::PlanStore,
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_finds_the_journal_idle_never_waits() {
    let (_, journal) = journal();
    for execution in ["first", "second"] {
        let append = pin!(journal.append(first_record(execution)));
        assert!(matches!(poll_once(append).await, Poll::Ready(Ok(()))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_only_worker_is_never_blocked() {
    let (switches, journal) = journal();
    switches.hold_syncs();
    // Polled on a worker: the test itself runs on none.
    let held = tokio::spawn(async move {
        let mut append = pin!(journal.append(first_record("held")));
        assert!(poll_once(append.as_mut()).await.is_pending());
        switches.release_syncs();
        append.await
    });
    held.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_lose_nothing() {
    const WRITERS: usize = 32;
    const RECORDS: u64 = 25;
    let (_, journal) = journal();
    let journal = Arc::new(journal);
    let writers = (0..WRITERS).map(|writer| {
        let journal = Arc::clone(&journal);
        tokio::spawn(async move {
            for revision in 1..=RECORDS {
                let append = Append {
                    revision,
                    ..first_record(&writer.to_string())
                };
                journal.append(append).await.unwrap();
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    for writer in 0..WRITERS {
        let log = journal.read(&writer.to_string().as_str().into(), 0, 100);
        let revisions = log.await.unwrap().into_iter().map(|it| it.revision);
        assert!(revisions.eq(1..=RECORDS));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_queues_behind_a_callers_commit_is_served() {
    let (switches, journal) = journal();
    let journal = Arc::new(journal);
    switches.hold_syncs();
    let first = append_on_a_worker(&journal, "first");
    switches.wait_for_held_sync();

    {
        // Its caller leaves; it is performed all the same.
        let mut abandoned = pin!(journal.append(first_record("abandoned")));
        assert!(poll_once(abandoned.as_mut()).await.is_pending());
    }
    let mut second = pin!(journal.append(first_record("second")));
    assert!(poll_once(second.as_mut()).await.is_pending());
    switches.release_syncs();

    first.await.unwrap().unwrap();
    second.await.unwrap();
    let again = journal.append(first_record("abandoned")).await;
    assert!(matches!(again, Err(AppendError::Taken { newest: 1, .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_of_a_callers_commit_ends_the_journal_for_everyone() {
    let (switches, journal) = journal();
    let journal = Arc::new(journal);
    switches.hold_syncs();
    let first = append_on_a_worker(&journal, "first");
    switches.wait_for_held_sync();
    let mut queued = pin!(journal.append(first_record("queued")));
    assert!(poll_once(queued.as_mut()).await.is_pending());
    switches.fail_syncs();
    switches.release_syncs();

    assert_unknown(&first.await.unwrap());
    assert_unknown(&queued.await);
    let failure = journal.fatal().await.to_string();
    assert!(failure.contains("the disk is broken"), "{failure}");
    assert_unknown(&journal.append(first_record("later")).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_a_callers_commit_ends_the_journal_and_not_the_caller() {
    let (switches, journal) = journal();
    switches.panic_at_next_sync();

    let append = pin!(journal.append(first_record("execution")));
    let Poll::Ready(answer) = poll_once(append).await else {
        panic!("it was not committed by its caller");
    };

    assert_unknown(&answer);
    let failure = journal.fatal().await.to_string();
    assert!(failure.contains("panicked"), "{failure}");
    assert_unknown(&journal.append(first_record("later")).await);
    // What was committed before can still be read.
    assert_eq!(journal.last_revision(&"plan".into()).await.unwrap(), 0);
}

fn journal() -> (Switches, RedbJournal) {
    let switches = Switches::default();
    let journal = open_on(&switches).unwrap();
    (switches, journal)
}

fn append_on_a_worker(
    journal: &Arc<RedbJournal>,
    execution: &'static str,
) -> tokio::task::JoinHandle<Result<(), AppendError>> {
    let journal = Arc::clone(journal);
    tokio::spawn(async move { journal.append(first_record(execution)).await })
}

fn assert_unknown(answer: &Result<(), AppendError>) {
    assert!(matches!(answer, Err(AppendError::Unknown(_))), "{answer:?}");
}

async fn poll_once<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    futures::poll!(&mut future)
}
