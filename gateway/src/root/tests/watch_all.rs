//! `WatchAll`, as a client reads it.

use std::collections::BTreeMap;

use tidegate_proto::v1::watch_all_response::Message;
use tonic::Code;

use super::*;

async fn watch_all(
    world: &mut World,
    cursor: &str,
    states: &[v1::ExecutionState],
) -> Streaming<v1::WatchAllResponse> {
    let request = v1::WatchAllRequest {
        filter: Some(v1::ExecutionFilter {
            states: states.iter().map(|&state| state.into()).collect(),
            ..v1::ExecutionFilter::default()
        }),
        cursor: cursor.to_owned(),
    };
    world
        .executions
        .watch_all(request)
        .await
        .unwrap()
        .into_inner()
}

/// What a client knows: for each execution, the last revision it was told.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known(BTreeMap<String, u64>);

impl Known {
    /// Takes a message in, and refuses gaps and repetitions.
    fn take(&mut self, message: &v1::WatchAllResponse) {
        match message.message.as_ref().unwrap() {
            Message::Snapshot(summary) => {
                let before = self.0.insert(summary.id.clone(), summary.revision);
                assert_eq!(before, None, "a snapshot of a known execution");
            }
            Message::Commit(commit) => {
                let revision = commit.commit.as_ref().unwrap().revision;
                let before = self.0.insert(commit.execution.clone(), revision);
                assert_eq!(before, Some(revision - 1), "a gap or a repetition");
            }
            Message::Bookmark(_) | Message::End(_) => {}
        }
    }
}

/// Reads until an execution is over.
async fn until_over(
    stream: &mut Streaming<v1::WatchAllResponse>,
    known: &mut Known,
) -> Vec<v1::WatchAllResponse> {
    let mut read = Vec::new();
    loop {
        let message = stream.next().await.unwrap().unwrap();
        known.take(&message);
        let over = is_over(&message);
        read.push(message);
        if over {
            return read;
        }
    }
}

fn is_over(message: &v1::WatchAllResponse) -> bool {
    match message.message.as_ref().unwrap() {
        Message::Snapshot(summary) => summary.end_time.is_some(),
        Message::Commit(commit) => {
            let changes = &commit.commit.as_ref().unwrap().changes;
            changes.iter().any(|change| match &change.kind {
                Some(v1::change::Kind::Execution(moved)) => {
                    moved.state() == v1::ExecutionState::Succeeded
                }
                _ => false,
            })
        }
        Message::Bookmark(_) | Message::End(_) => false,
    }
}

async fn run_to_the_end(world: &mut World, execution: &str) {
    world.until(execution, v1::ExecutionState::Paused).await;
    world.resume(execution).await.unwrap();
    world.until(execution, v1::ExecutionState::Succeeded).await;
}

#[tokio::test]
async fn every_execution_is_followed_and_every_cursor_goes_on_without_a_gap() {
    let mut world = World::start().await;
    let first = world.drill().await;
    world.until(&first.id, v1::ExecutionState::Paused).await;
    let mut stream = watch_all(&mut world, "", &[]).await;
    let mut known = Known::default();

    world.resume(&first.id).await.unwrap();
    let mut read = until_over(&mut stream, &mut known).await;
    let second = world.start_drill("shop", "second").await.unwrap();
    run_to_the_end(&mut world, &second.id).await;
    read.extend(until_over(&mut stream, &mut known).await);

    assert_eq!(known.0.len(), 2);
    let mut seen = Known::default();
    for message in &read {
        seen.take(message);
        if seen == known {
            break;
        }
        let mut resumed = watch_all(&mut world, &message.cursor, &[]).await;
        let mut after = seen.clone();
        while after != known {
            after.take(&resumed.next().await.unwrap().unwrap());
        }
    }
}

#[tokio::test]
async fn states_are_judged_when_a_commit_is_sent() {
    let mut world = World::start().await;
    let mut stream = watch_all(&mut world, "", &[v1::ExecutionState::Succeeded]).await;
    let drill = world.drill().await;
    run_to_the_end(&mut world, &drill.id).await;
    let message = loop {
        let message = stream.next().await.unwrap().unwrap();
        if !matches!(message.message, Some(Message::Bookmark(_))) {
            break message.message.unwrap();
        }
    };
    let Message::Snapshot(summary) = message else {
        panic!("a client is told of an execution before its commits: {message:?}");
    };
    assert_eq!(summary.id, drill.id);
    assert_eq!(summary.state(), v1::ExecutionState::Succeeded);
}

#[tokio::test]
async fn after_commits_that_were_not_wanted_an_execution_is_shown_again() {
    let mut world = World::start().await;
    let mut stream = watch_all(&mut world, "", &[v1::ExecutionState::Running]).await;
    let drill = world.drill().await;
    run_to_the_end(&mut world, &drill.id).await;

    let mut known: Option<u64> = None;
    let mut snapshots = 0;
    while snapshots < 2 {
        match stream.next().await.unwrap().unwrap().message.unwrap() {
            Message::Snapshot(summary) => {
                assert!(known.is_none_or(|known| known + 1 < summary.revision));
                known = Some(summary.revision);
                snapshots += 1;
            }
            Message::Commit(commit) => {
                let revision = commit.commit.unwrap().revision;
                assert_eq!(known.map(|known| known + 1), Some(revision), "a gap");
                known = Some(revision);
            }
            Message::Bookmark(_) | Message::End(_) => {}
        }
    }
}

#[tokio::test]
async fn what_is_no_cursor_is_refused() {
    let mut world = World::start().await;
    let request = v1::WatchAllRequest {
        cursor: "nonsense".to_owned(),
        filter: None,
    };
    let error = world.executions.watch_all(request).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(reason(&error), "INVALID_FIELD");
}
