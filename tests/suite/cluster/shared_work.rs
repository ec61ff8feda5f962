//! Any member answers any call.

use std::{collections::BTreeMap, time::Duration};

use tidegate_core::engine::{Event, ExecutionState};
use tidegate_gateway::{
    driver::{DriverError, Planted, Planting, View},
    ports::drs::SourceServer,
};
use tidegate_tests::{fakes::FakeDrs, sketch};

use super::{LEASE, World, order, stamp};

fn pause() -> Event {
    Event::Pause { comment: "".into() }
}

#[tokio::test(start_paused = true)]
async fn a_request_to_another_member_is_decided_there_and_heard_by_the_owner() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let started = a.start("db app>db", "r1").await;
    let id = started.execution.id();
    // It comes to a cluster whose partitions all have an owner.
    let b = world.member("b").await;
    let paused = b
        .driver
        .request(id, pause(), Some(stamp("p1")))
        .await
        .unwrap();
    assert_eq!(paused.execution.state(), ExecutionState::Pausing);
    world.drs.finish();
    let held = a
        .until(id, |view| view.execution.state() == ExecutionState::Paused)
        .await;
    assert!(held.revision > paused.revision);
    assert_eq!(world.drs.launches().len(), 1);
    let again = b
        .driver
        .request(id, pause(), Some(stamp("p1")))
        .await
        .unwrap();
    assert_eq!(again.revision, paused.revision, "the first answer");
    b.driver.request(id, Event::Resume, None).await.unwrap();
    let ended = world.finish(&b, id).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!(world.drs.launches().len(), 2);
    let late = b.driver.request(id, pause(), None).await.unwrap_err();
    assert!(matches!(late, DriverError::Rejected(_)), "{late}");
}

/// Whether an execution goes on whose owner could not be told of a request when
/// it was taken.
async fn goes_on_told_late(teller: Planting) -> bool {
    let world = World::new(FakeDrs::instant());
    let a = world.member("a").await;
    let b = world.member_with("b", teller).await;
    world.until_it_has("b", 4).await;
    // In a partition that stays with a.
    let id = a.start("db!", "r1").await.execution.id().clone();
    let paused = |view: &View| view.execution.state() == ExecutionState::Paused;
    a.until(&id, paused).await;
    b.line.cut(true);
    let resumed = b.driver.request(&id, Event::Resume, None).await.unwrap();
    assert_eq!(resumed.execution.state(), ExecutionState::Running);
    b.line.cut(false);
    let ended = tokio::time::timeout(LEASE * 2, b.ended(&id)).await;
    ended.is_ok_and(|ended| ended.execution.state() == ExecutionState::Succeeded)
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_could_not_be_told_is_told_later() {
    assert!(goes_on_told_late(Planting::default()).await);
    let forgets = Planting::of(Planted::ForgetsUntold);
    assert!(
        !goes_on_told_late(forgets).await,
        "nothing else tells the owner so soon"
    );
}

/// Whether an execution goes on whose owner was never told of it: whoever took
/// the request died before it could tell.
async fn goes_on_untold(owner: Planting) -> bool {
    let world = World::new(FakeDrs::instant());
    let a = world.member_with("a", owner).await;
    let b = world.member("b").await;
    world.until_it_has("b", 4).await;
    let id = a.start("db!", "r1").await.execution.id().clone();
    a.until(&id, |view| view.execution.state() == ExecutionState::Paused)
        .await;
    b.line.cut(true);
    b.driver.request(&id, Event::Resume, None).await.unwrap();
    let ended = tokio::time::timeout(LEASE * 10, a.ended(&id)).await;
    ended.is_ok()
}

#[tokio::test(start_paused = true)]
async fn what_a_member_wrote_before_it_died_is_acted_on() {
    assert!(goes_on_untold(Planting::default()).await);
    let forgets = Planting::of(Planted::ForgetsTheDead);
    assert!(
        !goes_on_untold(forgets).await,
        "nothing else tells the owner"
    );
}

#[tokio::test(start_paused = true)]
async fn requests_to_all_members_at_once_are_all_kept() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let id = a.start("db", "r1").await.execution.id().clone();
    let b = world.member("b").await;
    let c = world.member("c").await;
    let ask = |member: usize, number: usize| {
        let driver = [&a, &b, &c][member].driver.clone();
        let id = id.clone();
        async move {
            let stamp = stamp(&format!("m{member}-{number}"));
            driver.request(&id, pause(), Some(stamp)).await
        }
    };
    let asked = (0..3).flat_map(|member| (0..5).map(move |number| (member, number)));
    let answers = futures::future::join_all(asked.map(|(m, n)| ask(m, n))).await;
    let kept = answers.iter().filter(|answer| answer.is_ok()).count();
    let records = a.driver.records(&id, 0, 100).await.unwrap();
    let recorded = records
        .iter()
        .filter(|it| it.request_id.starts_with('m'))
        .count();
    assert!(kept > 0);
    assert_eq!(kept, recorded, "{answers:?}");
    let revisions: Vec<u64> = records.iter().map(|it| it.revision).collect();
    assert!(revisions.iter().copied().eq(1..=records.len() as u64));
}

#[tokio::test(start_paused = true)]
async fn an_execution_is_driven_though_it_was_started_where_nobody_drives() {
    let world = World::new(FakeDrs::instant());
    let a = world.member("a").await;
    let b = world.member("b").await;
    assert_eq!(
        world.leases_of("b").await,
        0,
        "a has not given any back yet"
    );
    let started = b.start("db app>db", "r1").await;
    let ended = b.ended(started.execution.id()).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    let same = a
        .driver
        .start_execution(order("db app>db", "r1"))
        .await
        .unwrap();
    assert_eq!(same.execution.id(), started.execution.id());
}

#[tokio::test(start_paused = true)]
async fn two_members_never_take_the_same_server() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let b = world.member("b").await;
    world.until_it_has("b", 4).await;
    let (one, two) = tokio::join!(
        a.driver.start_execution(order("db", "r1")),
        b.driver.start_execution(order("db", "r2")),
    );
    let (won, lost) = match (one, two) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        both => panic!("exactly one of {both:?}"),
    };
    assert!(matches!(lost, DriverError::ServerBusy { .. }), "{lost}");
    let winner = won.execution.id();
    world.finish(&a, winner).await;
    for (member, request) in [(&a, "r3"), (&b, "r4")] {
        let next = member.start("db", request).await;
        world.finish(&a, next.execution.id()).await;
    }
}

/// Somebody cancels at one gateway and starts again at another, at once, as
/// behind a load balancer.
#[tokio::test(start_paused = true)]
async fn an_owner_hears_of_an_end_though_its_servers_are_taken_before_it_is_told() {
    let world = World::new(FakeDrs::instant());
    let a = world.member("a").await;
    let b = world.member("b").await;
    world.until_it_has("b", 4).await;
    let id = a.start("db!", "r1").await.execution.id().clone();
    let paused = |view: &View| view.execution.state() == ExecutionState::Paused;
    a.until(&id, paused).await;
    let mut watch = a.driver.subscribe(&id).await.expect("a drives it");
    let comment = "".into();
    let cancelled = b.driver.request(&id, Event::Cancel { comment }, None).await;
    let state = cancelled.unwrap().execution.state();
    assert_eq!(state, ExecutionState::Cancelled);
    a.start("db", "r2").await;
    let is_over = watch.wait_for(|view| view.execution.state().is_terminal());
    let told = tokio::time::timeout(LEASE, is_over).await;
    let state = told.expect("a watch ends").unwrap().execution.state();
    assert_eq!(state, ExecutionState::Cancelled);
}

/// How long a launch waits at a member after the job has ended that filled the
/// quota, which was another member's; this one drove jobs before that the other
/// one followed to their ends.
async fn waits_for_room(planting: Planting) -> Duration {
    let world = World::new(FakeDrs::manual());
    let a = world.member_with("a", planting).await;
    let mut started = Vec::new();
    for number in 0..8 {
        let (line, request) = (format!("db #{}", number + 1), format!("r{number}"));
        let view = a.start(&line, &request).await;
        started.push(view.execution.id().clone());
    }
    world.drs.called(8).await;
    let b = world.member("b").await;
    world.until_it_has("b", 4).await;
    for id in &started {
        world.finish(&b, id).await;
    }
    world.drs.set_quota(1);
    b.start("db #101", "b").await;
    world.drs.called(9).await;
    let waiting = a.start("db #102", "a").await;
    world.drs.called(10).await;
    assert_eq!(world.drs.over_quota(), 1);
    world.drs.finish();
    let since = tokio::time::Instant::now();
    let id = waiting.execution.id();
    a.until(id, |_| world.drs.launches().len() == 10).await;
    since.elapsed()
}

#[tokio::test(start_paused = true)]
async fn what_another_member_follows_takes_no_room_where_it_was_driven_before() {
    let waited = waits_for_room(Planting::default()).await;
    assert!(waited < Duration::from_secs(60), "{waited:?}");
    let kept = waits_for_room(Planting::of(Planted::KeepsRoom)).await;
    assert!(kept > Duration::from_secs(200), "{kept:?}");
}

/// A server that carries a tag.
fn database() -> SourceServer {
    SourceServer {
        id: sketch::server(1).as_str().into(),
        hostname: "db-1".to_owned(),
        tags: BTreeMap::from([("tier".to_owned(), "db".to_owned())]),
        replication_state: "CONTINUOUS".to_owned(),
        lag: None,
        staging: None,
        last_launch: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_by_tags_runs_once_at_a_time_whichever_member_is_asked() {
    let world = World::new(FakeDrs::manual().with_sources(vec![database()]));
    let a = world.member("a").await;
    let b = world.member("b").await;
    world.until_it_has("b", 4).await;
    let first = a.start("db@db!", "r1").await;
    let first = first.execution.id();
    for member in [&a, &b] {
        // The plan, whatever it selects now, and the selection in whatever plan.
        for line in ["db@db!", "app@app", "=shop store@db"] {
            let refused = member.driver.start_execution(order(line, "r2")).await;
            let Err(DriverError::SelectionBusy { selection, other }) = &refused else {
                panic!("{line}: {refused:?}");
            };
            assert_eq!((other, selection.is_empty()), (first, false));
        }
    }
    // Other tags, and the same plan by ids.
    for (line, request) in [("=shop app@app!", "r3"), ("web! #9", "r4")] {
        b.start(line, request).await;
    }
    a.until(first, |view| {
        view.execution.state() == ExecutionState::Paused
    })
    .await;
    b.driver.request(first, Event::Resume, None).await.unwrap();
    let ended = world.finish(&a, first).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    let second = b.start("db@db", "r2").await;
    let ended = world.finish(&b, second.execution.id()).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!(world.drs.launches().into_values().collect::<Vec<_>>(), [2]);
}

#[tokio::test(start_paused = true)]
async fn of_two_members_that_start_a_plan_by_tags_at_once_one_does() {
    let world = World::new(FakeDrs::manual().with_sources(vec![database()]));
    let a = world.member("a").await;
    let b = world.member("b").await;
    world.until_it_has("b", 4).await;
    let (one, two) = tokio::join!(
        a.driver.start_execution(order("db@db", "r1")),
        b.driver.start_execution(order("db@db", "r2")),
    );
    let (won, lost) = match (one, two) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        both => panic!("exactly one of {both:?}"),
    };
    assert!(matches!(lost, DriverError::SelectionBusy { .. }), "{lost}");
    world.finish(&b, won.execution.id()).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_at_another_member_sees_every_record() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let b = world.member("b").await;
    let _everything = b.driver.follow_all();
    let mut published = b.driver.subscribe_all();
    let id = a
        .start("db app>db web>app", "r1")
        .await
        .execution
        .id()
        .clone();
    let finishing = async {
        loop {
            world.drs.finish();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    // As a watch does it: whoever drives the execution may change.
    let watching = async {
        while let Some(mut watched) = b.driver.subscribe(&id).await {
            while !watched.borrow_and_update().execution.state().is_terminal() {
                if watched.changed().await.is_err() {
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = watching => {}
        () = finishing => {}
    }
    let records = b.driver.records(&id, 0, 100).await.unwrap();
    let mut heard = Vec::new();
    while heard.last() != Some(&(records.len() as u64)) {
        let told = published.recv().await.unwrap();
        heard.push(told.record.revision);
    }
    // Where its driver changes, a record may be told by both.
    heard.dedup();
    let first = heard[0];
    assert!(
        heard.iter().copied().eq(first..=records.len() as u64),
        "{heard:?}"
    );
}
