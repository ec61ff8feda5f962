//! `Watch`, as a client reads it.

use tidegate_proto::v1::watch_response::Message;
use tonic::Code;
use tonic_types::StatusExt;

use super::*;

/// Reads a stream to its end.
async fn read(
    mut stream: Streaming<v1::WatchResponse>,
) -> (v1::WatchHeader, Vec<v1::Commit>, v1::WatchEnd) {
    let Some(Message::Header(header)) = stream.next().await.unwrap().unwrap().message else {
        panic!("a stream begins with its header");
    };
    let mut commits = Vec::new();
    while let Some(message) = stream.next().await {
        match message.unwrap().message.unwrap() {
            Message::Header(_) => panic!("the snapshot is small"),
            Message::Commit(commit) => commits.push(commit),
            Message::Bookmark(_) => {}
            Message::End(end) => {
                assert!(stream.next().await.is_none());
                return (header, commits, end);
            }
        }
    }
    panic!("a stream says why it ends");
}

async fn ended_drill(world: &mut World) -> String {
    let drill = world.drill().await;
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    world.resume(&drill.id).await.unwrap();
    world.until(&drill.id, v1::ExecutionState::Succeeded).await;
    drill.id
}

#[tokio::test]
async fn an_execution_is_watched_from_its_beginning_to_its_end_without_a_gap() {
    let mut world = World::start().await;
    let drill = world.drill().await;
    let live = world.watch(&drill.id, Some(0)).await;
    let reading = tokio::spawn(read(live));
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    world.resume(&drill.id).await.unwrap();

    let (header, commits, end) = reading.await.unwrap();

    assert_eq!((header.revision, header.change_index), (0, 0));
    assert_eq!(end.reason(), v1::WatchEndReason::ExecutionEnded);
    let revisions: Vec<u64> = commits.iter().map(|commit| commit.revision).collect();
    assert_eq!(revisions, (1..=end.revision).collect::<Vec<_>>());
    let indexes: Vec<u64> = commits
        .iter()
        .flat_map(|commit| &commit.changes)
        .map(|change| change.index)
        .collect();
    assert_eq!(indexes, (1..=indexes.len() as u64).collect::<Vec<_>>());
    assert!(matches!(
        commits[0].changes[0].kind,
        Some(v1::change::Kind::Created(_))
    ));
    assert!(commits.iter().any(|commit| commit.request_id == "first"));

    let request = v1::ListEventsRequest {
        execution: drill.id,
        page_size: 1_000,
        ..v1::ListEventsRequest::default()
    };
    let events = world
        .executions
        .list_events(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        events.commits, commits,
        "the list and the stream say the same"
    );
}

#[tokio::test]
async fn every_cursor_gives_exactly_what_comes_after_it() {
    let mut world = World::start().await;
    let drill = ended_drill(&mut world).await;
    let (_, all, end) = read(world.watch(&drill, Some(0)).await).await;

    for after in 0..=end.revision {
        let (header, commits, _) = read(world.watch(&drill, Some(after)).await).await;
        assert_eq!(header.revision, after);
        let seen: usize = all
            .iter()
            .take_while(|it| it.revision <= after)
            .map(|it| it.changes.len())
            .sum();
        assert_eq!(header.change_index, seen as u64);
        assert_eq!(commits, all[usize::try_from(after).unwrap()..]);
        assert_eq!(header.snapshot.unwrap().revision, after);
    }
}

#[tokio::test]
async fn an_execution_that_is_over_is_shown_and_the_stream_ends() {
    let mut world = World::start().await;
    let drill = ended_drill(&mut world).await;
    let (header, commits, end) = read(world.watch(&drill, None).await).await;
    assert!(commits.is_empty());
    assert_eq!(end.revision, header.revision);
    assert_eq!(
        header.snapshot.unwrap().state(),
        v1::ExecutionState::Succeeded
    );
}

#[tokio::test]
async fn a_cursor_beyond_the_newest_is_out_of_range() {
    let mut world = World::start().await;
    let drill = world.drill().await;
    let request = v1::WatchRequest {
        execution: drill.id,
        after_revision: Some(10_000),
    };
    let error = world.executions.watch(request).await.unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange);
    let info = error.get_details_error_info().unwrap();
    assert!(info.metadata.contains_key("newest_revision"));
}

#[tokio::test]
async fn an_idle_stream_has_bookmarks_with_what_may_be_asked_for() {
    let mut world = World::with(|config| {
        config.watch.bookmark_interval = Duration::from_millis(20).into();
    })
    .await;
    let drill = world.drill().await;
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    let mut stream = world.watch(&drill.id, None).await;
    let bookmark = loop {
        if let Some(Message::Bookmark(bookmark)) = stream.next().await.unwrap().unwrap().message {
            break bookmark;
        }
    };
    assert!(bookmark.revision > 0);
    let actions: Vec<v1::Action> = bookmark
        .allowed_actions
        .iter()
        .map(|allowed| allowed.action())
        .collect();
    assert!(actions.contains(&v1::Action::Resume), "{actions:?}");
}

#[tokio::test]
async fn a_stream_ends_at_its_age_with_its_cursor() {
    let mut world = World::with(|config| {
        config.watch.max_age = Duration::from_millis(20).into();
    })
    .await;
    let drill = world.drill().await;
    let (header, commits, end) = read(world.watch(&drill.id, None).await).await;
    assert_eq!(end.reason(), v1::WatchEndReason::MaxAge);
    assert_eq!(end.revision, header.revision + commits.len() as u64);
}

#[tokio::test]
async fn many_watchers_see_the_same_and_are_served_from_one_feed() {
    let mut world = World::start().await;
    let drill = world.drill().await;
    let mut readers = Vec::new();
    for _ in 0..50 {
        let stream = world.watch(&drill.id, Some(0)).await;
        readers.push(tokio::spawn(read(stream)));
    }
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    world.resume(&drill.id).await.unwrap();
    let mut first = None;
    for reader in readers {
        let (_, commits, _) = reader.await.unwrap();
        assert_eq!(first.get_or_insert_with(|| commits.clone()), &commits);
    }
}

/// A chain of many waves of one server, with a planned pause before the last.
fn long_plan(waves: u32) -> v1::Plan {
    let mut plan = fixtures::shop();
    let spec = plan.spec.as_mut().unwrap();
    spec.waves = (0..waves)
        .map(|n| v1::WaveSpec {
            name: format!("w{n}"),
            after: n
                .checked_sub(1)
                .map(|before| format!("w{before}"))
                .into_iter()
                .collect(),
            servers: vec![v1::ServerGroup {
                servers: vec![v1::ServerRef {
                    id: format!("s-{n:017x}"),
                    ..v1::ServerRef::default()
                }],
                ..v1::ServerGroup::default()
            }],
            pause_before: n == waves - 1,
            ..v1::WaveSpec::default()
        })
        .collect();
    plan
}

#[tokio::test]
async fn a_reader_that_stands_still_holds_nobody_up_and_loses_nothing() {
    let mut world = World::with(|config| config.watch.buffer = 1.try_into().unwrap()).await;
    world.store(long_plan(190)).await;
    let drill = world.start_drill("shop", "first").await.unwrap();
    let address = format!("http://{}", world.gateway.address());
    let narrow = Channel::from_shared(address)
        .unwrap()
        .initial_stream_window_size(4_096);
    let mut client = ExecutionServiceClient::new(narrow.connect().await.unwrap());
    let request = v1::WatchRequest {
        execution: drill.id.clone(),
        after_revision: Some(0),
    };
    let slow = client.watch(request).await.unwrap().into_inner();
    world.until(&drill.id, v1::ExecutionState::Paused).await;
    let quick = tokio::spawn(read(world.watch(&drill.id, None).await));

    world.resume(&drill.id).await.unwrap();

    let (header, commits, end) = quick.await.unwrap();
    assert!(header.revision > 300, "{}", header.revision);
    assert_eq!(end.revision, header.revision + commits.len() as u64);
    let (_, all, end) = read(slow).await;
    assert_eq!(end.reason(), v1::WatchEndReason::ExecutionEnded);
    assert_eq!(all.len() as u64, end.revision);
}
