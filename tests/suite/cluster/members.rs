//! Members come, go, and fall silent.

use std::time::Duration;

use tidegate_core::engine::{Event, ExecutionState};
use tidegate_gateway::driver::{DriverError, Planted, Planting};
use tidegate_tests::fakes::{FakeDrs, Script};

use super::{LEASE, PARTITIONS, World};

const LONGER: Duration = Duration::from_secs(15);

#[tokio::test(start_paused = true)]
async fn members_share_the_partitions_evenly() {
    let world = World::new(FakeDrs::instant());
    let _a = world.member("a").await;
    assert_eq!(world.leases_of("a").await, usize::from(PARTITIONS));
    let _b = world.member("b").await;
    world.until_it_has("b", 4).await;
    let _c = world.member("c").await;
    world.until_it_has("c", 2).await;
    assert_eq!(world.leases_of("a").await, 3);
    assert_eq!(world.leases_of("b").await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_stops_gives_everything_back_at_once() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let b = world.member("b").await;
    world.until_it_has("b", 4).await;
    let started = a.start("db", "r1").await;
    let stopped = tokio::time::Instant::now();
    a.driver.stop().await;
    assert_eq!(world.leases_of("a").await, 0);
    world.until_it_has("b", 8).await;
    assert!(stopped.elapsed() < LEASE, "nobody waits for a lease");
    world.drs.finish();
    let ended = b.ended(started.execution.id()).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!(world.drs.launches().into_values().collect::<Vec<_>>(), [1]);
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_member_drove_goes_on_elsewhere_and_is_launched_once() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let mut started = Vec::new();
    for number in 0..8 {
        let line = format!("db app>db #{}", number * 2 + 1);
        let view = a.start(&line, &format!("r{number}")).await;
        started.push(view.execution.id().clone());
    }
    let b = world.member("b").await;
    a.line.cut(true);
    world.until_it_has("b", 8).await;
    for id in &started {
        b.until(id, |view| {
            view.execution
                .owner()
                .is_some_and(|owner| owner.as_str() == "b")
        })
        .await;
    }
    for id in &started {
        world.finish(&b, id).await;
    }
    let launches = world.drs.launches();
    assert_eq!(launches.len(), 16);
    assert!(launches.values().all(|&times| times == 1), "{launches:?}");
}

/// Two that vanish one after the other: what the first one had is not left for
/// the second one, of which nobody knows yet that it is gone as well.
#[tokio::test(start_paused = true)]
async fn what_a_silent_member_drove_waits_for_nobody_else_who_is_silent() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let b = world.member("b").await;
    let _c = world.member("c").await;
    world.until_it_has("c", 2).await;
    world.until_it_has("b", 3).await;
    let lost: Vec<u16> = world.partitions_of("a").await;
    a.line.cut(true);
    tokio::time::sleep(LEASE * 3 / 4).await;
    b.line.cut(true);
    let both = tokio::time::Instant::now();
    loop {
        let has = world.partitions_of("c").await;
        if lost.iter().all(|partition| has.contains(partition)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let still = world.leases_of("b").await;
    assert_eq!(still, 3, "what the second one has is its own as long");
    // By then the second one was silent for half a lease, as far as is known.
    assert!(both.elapsed() <= LEASE * 3 / 5, "{:?}", both.elapsed());
    world.until_it_has("c", usize::from(PARTITIONS)).await;
    assert!(both.elapsed() <= LEASE * 3 / 2, "{:?}", both.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_not_heard_asks_drs_for_nothing_until_it_is() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let started = a.start("db app>db", "r1").await;
    let id = started.execution.id();
    a.until(id, |_| world.drs.launches().len() == 1).await;
    a.line.cut(true);
    tokio::time::sleep(LEASE).await;
    world.drs.finish();
    tokio::time::sleep(LEASE * 6).await;
    assert_eq!(world.drs.launches().len(), 1, "nobody may launch app now");
    a.line.cut(false);
    while world.drs.launches().len() == 1 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    world.drs.finish();
    let ended = a.ended(id).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn an_order_has_its_warrant_while_nobody_can_have_taken_it_over_and_never_again() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let _b = world.member("b").await;
    world.until_it_has("b", 4).await;
    // In a partition that stays with a.
    a.start("db", "r1").await;
    world.drs.called(1).await;
    assert!(world.drs.has_warrant());
    tokio::time::sleep(LEASE * 3).await;
    assert!(world.drs.has_warrant(), "a beats");
    a.line.cut(true);
    tokio::time::sleep(LEASE * 9 / 10).await;
    assert!(!world.drs.has_warrant(), "others may take it at any time");
    world.until_it_has("b", 8).await;
    a.line.cut(false);
    world.until_it_has("a", 4).await;
    assert!(!world.drs.has_warrant(), "b had it in between");
}

/// A member is about to give partitions back, and waits for the answers of DRS to
/// what it drove there; meanwhile it is not heard, loses them, and gets them once
/// more, and begins something in them. Whether it keeps them; in any case it learns
/// of the ends of what it began, which come when it has lost them again.
async fn keeps_what_came_back(planting: Planting) -> bool {
    const COUNT: usize = 16;
    let world = World::new(FakeDrs::manual().script(vec![Script::AnswerLater; COUNT]));
    let a = world.member_with("a", planting).await;
    for number in 1..=COUNT {
        let line = format!("db #{number}");
        a.start(&line, &format!("r{number}")).await;
    }
    world.drs.called(COUNT).await;
    let b = world.member("b").await;
    tokio::time::sleep(LEASE).await;
    assert!(world.leases_of("b").await < 4, "a waits for its answers");
    a.line.cut(true);
    world.until_it_has("b", 8).await;
    a.line.cut(false);
    world.until_it_has("a", 4).await;
    let mut begun = Vec::new();
    for number in COUNT + 1..=2 * COUNT {
        let line = format!("db! #{number}");
        let view = a.start(&line, &format!("r{number}")).await;
        begun.push(view.execution.id().clone());
    }
    let before = world.leases().await;
    for _ in 0..COUNT {
        world.drs.release();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(LEASE).await;
    let kept = world.leases().await == before;
    a.line.cut(true);
    world.until_it_has("b", 8).await;
    for id in &begun {
        b.driver.request(id, Event::Resume, None).await.unwrap();
        world.finish(&b, id).await;
    }
    a.line.cut(false);
    for id in &begun {
        let ended = a.ended(id).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    }
    kept
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_came_back_meanwhile_is_not_given_back() {
    assert!(keeps_what_came_back(Planting::default()).await);
    assert!(!keeps_what_came_back(Planting::of(Planted::GivesBackLate)).await);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_has_thousands_to_tell_does_not_miss_a_beat() {
    let world = World::new(FakeDrs::manual());
    let a = world.member("a").await;
    let b = world.member("b").await;
    world.until_it_has("b", 4).await;
    for number in 1..=600 {
        let line = format!("db! #{number}");
        a.start(&line, &format!("r{number}")).await;
    }
    a.line.cut(true);
    world.until_it_has("b", 8).await;
    *a.line.telling.lock().unwrap() = Duration::from_millis(200);
    a.line.cut(false);
    tokio::time::sleep(LEASE * 6).await;
    let beats = a.line.beats.lock().unwrap().clone();
    let since = beats.len() - 20;
    let gaps = beats[since..].windows(2).map(|two| two[1] - two[0]);
    assert!(gaps.max() < Some(LEASE / 2), "{beats:?}");
    drop(b);
}

#[tokio::test(start_paused = true)]
async fn a_member_says_that_nobody_hears_it_until_it_is_heard_again() {
    let world = World::new(FakeDrs::instant());
    let a = world.member("a").await;
    tokio::time::sleep(LEASE * 3).await;
    assert_eq!(a.driver.unheard(), None);
    a.line.cut(true);
    tokio::time::sleep(LEASE / 2).await;
    assert_eq!(a.driver.unheard(), None, "it may be heard again in time");
    tokio::time::sleep(LEASE).await;
    let silent = a.driver.unheard().expect("nobody hears it");
    assert!(silent > LEASE, "{silent:?}");
    a.line.cut(false);
    tokio::time::sleep(LEASE / 2).await;
    assert_eq!(a.driver.unheard(), None);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_with_another_lease_than_one_that_is_alive_does_not_join() {
    let world = World::new(FakeDrs::instant());
    let _a = world.member("a").await;
    let refused = world.try_member("b", LONGER).await.err();
    let error = refused.expect("it is refused");
    assert!(matches!(error, DriverError::OtherLease { .. }), "{error}");
    for hint in ["cluster.lease is 15s here", "10s at a"] {
        assert!(error.to_string().contains(hint), "{error}");
    }
    assert_eq!(world.leases_of("b").await, 0);
    // What it gave back for the other one meanwhile.
    world.until_it_has("a", usize::from(PARTITIONS)).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_can_be_changed_when_whoever_had_another_is_gone() {
    let world = World::new(FakeDrs::instant());
    let a = world.member("a").await;
    // It dies: its row and its leases stay.
    a.line.cut(true);
    let b = world.try_member("b", LONGER).await;
    let _b = b.expect("nobody is alive with another lease");
    world.until_it_has("b", usize::from(PARTITIONS)).await;
}
