//! Launches take turns under the quotas of DRS.

use tidegate_gateway::driver::{Limits, Probing, Quotas};

use super::*;

#[tokio::test]
async fn executions_queue_for_the_jobs_that_are_allowed_and_all_succeed() {
    let world = World::new(FakeDrs::manual().with_quota(2));
    let driver = world.driver_with(limited(2)).await;
    let started = start(&driver, 6).await;
    let waiting: Vec<Option<String>> = started.iter().map(|it| queued(&driver, it)).collect();
    let line = |position: u32| {
        let what = "db: a job of 1 in us-west-2 waits for its turn";
        Some(format!("{what}; position {position} of 4, 2 of 2 jobs run"))
    };
    assert_eq!(
        waiting,
        [None, None, line(1), line(2), line(3), line(4)],
        "in the order of their arrival"
    );
    for it in &started {
        let ended = world.settle(&driver, it).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    }
    assert_eq!((world.drs.most_live(), world.drs.over_quota()), (2, 0));
}

#[tokio::test]
async fn a_quota_that_is_lower_than_configured_is_met_once_and_then_respected() {
    let world = World::new(FakeDrs::manual().with_quota(2));
    let driver = world.driver_with(limited(20)).await;
    let started = start(&driver, 6).await;
    for it in &started {
        let ended = world.settle(&driver, it).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    }
    assert_eq!(world.drs.most_live(), 2);
    // As many as were asked for before the first answer.
    let refused = world.drs.over_quota();
    assert!((1..=4).contains(&refused), "{refused}");
}

#[tokio::test]
async fn where_others_use_up_the_quota_a_launch_is_tried_until_there_is_room() {
    let world = World::new(FakeDrs::manual().with_quota(0));
    let driver = world.driver_with(limited(20)).await;
    let started = start(&driver, 1).await.remove(0);
    let more = async {
        world.drs.called(3).await;
        world.drs.set_quota(1);
    };
    world.pass_time(more).await;
    let ended = world.settle(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert!(world.drs.over_quota() >= 3);
}

#[tokio::test]
async fn what_runs_counts_also_after_a_restart() {
    let world = World::new(FakeDrs::manual().with_quota(1));
    let driver = world.driver_with(limited(1)).await;
    let first = start(&driver, 1).await.remove(0);
    world.drs.called(1).await;
    driver.stop().await;

    let driver = world.driver_with(limited(1)).await;
    let second = driver.start_execution(order("#9 db", "r9")).await.unwrap();
    assert!(queued(&driver, &second).is_some());
    for it in [&first, &second] {
        let ended = world.settle(&driver, it).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    }
    assert_eq!(world.drs.over_quota(), 0);
}

#[tokio::test]
async fn who_waits_goes_on_waiting_after_a_restart() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver_with(limited(1)).await;
    let started = start(&driver, 2).await;
    world.drs.called(1).await;
    driver.stop().await;

    let driver = world.driver_with(limited(1)).await;
    for it in &started {
        let ended = world.settle(&driver, it).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    }
    assert_eq!(world.drs.most_live(), 1);
}

#[tokio::test]
async fn who_is_held_or_cancelled_lets_others_go_first() {
    let world = World::new(FakeDrs::manual().with_quota(1));
    let driver = world.driver_with(limited(1)).await;
    let started = start(&driver, 4).await;
    let ids: Vec<_> = started.iter().map(|it| it.execution.id()).collect();
    driver.request(ids[1], pause(), None).await.unwrap();
    let cancel = Event::Cancel { comment: "".into() };
    let cancelled = driver.request(ids[2], cancel, None).await.unwrap();
    assert_eq!(cancelled.execution.state(), ExecutionState::Cancelled);
    let line = queued(&driver, &started[3]).unwrap();
    assert!(line.contains("position 1 of 1"), "{line}");

    let ended = world.settle(&driver, &started[3]).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    let held = driver.view(ids[1]).await.unwrap();
    assert_eq!(held.execution.state(), ExecutionState::Paused);
    driver.request(ids[1], Event::Resume, None).await.unwrap();
    let ended = world.settle(&driver, &held).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!(world.drs.launches().len(), 3);
}

#[tokio::test]
async fn a_job_has_no_more_servers_than_its_place_allows() {
    let world = World::new(FakeDrs::instant());
    let mut settings = limited(20);
    settings.quotas.default.servers_per_job = 2;
    let driver = world.driver_with(settings).await;
    let started = driver.start_execution(order("db*5", "r1")).await.unwrap();
    let ended = ended(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    let wave = ended.execution.waves().next().unwrap();
    let jobs = wave.launches().iter().filter(|it| it.state.job().is_some());
    let sizes: Vec<usize> = jobs.map(|launch| launch.servers.len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(world.drs.launches().values().sum::<usize>(), 5);
}

/// So many executions of one server each.
pub(super) async fn start(driver: &Driver, count: usize) -> Vec<View> {
    let mut started = Vec::new();
    for number in 1..=count {
        let order = order(&format!("#{number} db"), &format!("r{number}"));
        let accepted = driver.start_execution(order).await;
        started.push(accepted.expect("it is accepted"));
    }
    started
}

/// What is shown of a launch that waits for its turn.
fn queued(driver: &Driver, started: &View) -> Option<String> {
    let mut lines = driver.outstanding(started).into_iter();
    lines.find(|line| line.contains("waits for its turn"))
}

/// So many jobs at a time. More than DRS allows is tried again only where
/// nothing runs.
fn limited(jobs: u32) -> DriverSettings {
    let never = Span::from_secs(1_000_000);
    let limits = Limits {
        jobs,
        ..Limits::default()
    };
    DriverSettings {
        owner: OwnerId::from("test"),
        quotas: Quotas {
            default: limits,
            ..Quotas::default()
        },
        probing: Probing {
            busy: (never, never),
            ..Probing::default()
        },
        ..DriverSettings::default()
    }
}
