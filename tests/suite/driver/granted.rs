//! Quotas as AWS says that an account has them.

use std::num::NonZeroU32;

use tidegate_core::engine::CommandId;
use tidegate_gateway::{
    driver::{OwnLimits, Place, Probing, Quotas},
    ports::{
        clock::Clock as _,
        drs::{DrsError, GrantedQuotas},
    },
};
use tidegate_tests::fakes::Granted;

use super::{quotas::start, *};

#[tokio::test]
async fn what_aws_says_is_respected_from_the_first_launch_on() {
    let world = World::new(FakeDrs::manual().with_quota(2));
    world.drs.grant(said(2, 100));
    let driver = world.driver_with(asking(OwnLimits::default())).await;
    let started = start(&driver, 6).await;
    for it in &started {
        let ended = world.settle(&driver, it).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    }
    assert_eq!((world.drs.most_live(), world.drs.over_quota()), (2, 0));
    assert_eq!(world.drs.quota_reads(), 1, "one place, within a few hours");
}

#[tokio::test]
async fn what_aws_says_may_be_more_than_it_usually_is() {
    let world = World::new(FakeDrs::manual());
    world.drs.grant(said(30, 100));
    let driver = world.driver_with(asking(OwnLimits::default())).await;
    let started = start(&driver, 25).await;
    world.drs.called(25).await;
    assert_eq!(world.drs.most_live(), 25);
    world.settle(&driver, &started[24]).await;
}

#[tokio::test]
async fn what_the_operator_says_wins_over_what_aws_says() {
    let world = World::new(FakeDrs::manual());
    world.drs.grant(said(30, 100));
    let own = OwnLimits {
        jobs: Some(2),
        ..OwnLimits::default()
    };
    let driver = world.driver_with(asking(own)).await;
    let started = start(&driver, 6).await;
    for it in &started {
        world.settle(&driver, it).await;
    }
    assert_eq!(world.drs.most_live(), 2);
    assert_eq!(world.drs.quota_reads(), 1, "the others are asked for");
}

#[tokio::test]
async fn aws_is_not_asked_for_what_the_operator_says_or_wants_unasked() {
    let world = World::new(FakeDrs::instant());
    let own = OwnLimits {
        jobs: Some(20),
        servers: Some(500),
        servers_per_job: Some(100),
    };
    for quotas in [asking(own).quotas, Quotas::default()] {
        let settings = DriverSettings {
            quotas,
            ..DriverSettings::default()
        };
        let driver = world.driver_with(settings).await;
        let started = start(&driver, 1).await.remove(0);
        ended(&driver, &started).await;
        driver.stop().await;
    }
    assert_eq!(world.drs.quota_reads(), 0);
}

#[tokio::test]
async fn a_denied_read_leaves_the_configured_quotas_and_delays_nothing() {
    let world = World::new(FakeDrs::manual());
    world.drs.grant(Granted::Failed(DrsError::Denied {
        operation: "ListServiceQuotas",
        target: "123456789012/us-west-2".to_owned(),
        message: "AccessDeniedException".to_owned(),
    }));
    let mut settings = asking(OwnLimits::default());
    settings.quotas.default.jobs = 3;
    let driver = world.driver_with(settings).await;
    let started = start(&driver, 6).await;
    // No time has to pass.
    world.drs.called(3).await;
    for it in &started {
        let ended = world.settle(&driver, it).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    }
    assert_eq!((world.drs.most_live(), world.drs.quota_reads()), (3, 1));
}

#[tokio::test]
async fn a_read_without_an_answer_delays_a_launch_by_seconds() {
    let world = World::new(FakeDrs::manual());
    world.drs.grant(Granted::Silence);
    let driver = world.driver_with(asking(OwnLimits::default())).await;
    let began = world.clock.now();
    let started = start(&driver, 1).await.remove(0);
    let line = driver.outstanding(&started).remove(0);
    let wanted = "position 1 of 1, the quotas of DRS are being read";
    assert!(line.ends_with(wanted), "{line}");

    world.pass_time(world.drs.called(1)).await;

    let waited = world.clock.now().since(began);
    let bounds = Span::from_secs(5)..Span::from_secs(7);
    assert!(bounds.contains(&waited), "{waited:?}");
    let ended = world.settle(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
}

#[tokio::test]
async fn whoever_waits_for_quotas_can_be_cancelled_and_the_gateway_stopped() {
    let world = World::new(FakeDrs::manual());
    world.drs.grant(Granted::Silence);
    let driver = world.driver_with(asking(OwnLimits::default())).await;
    let started = start(&driver, 2).await;
    let cancel = Event::Cancel { comment: "".into() };
    let id = started[0].execution.id();
    let cancelled = driver.request(id, cancel, None).await.unwrap();
    assert_eq!(cancelled.execution.state(), ExecutionState::Cancelled);
    driver.stop().await;
    assert_eq!(world.drs.launches().len(), 0);

    world.drs.grant(Granted::default());
    let driver = world.driver_with(asking(OwnLimits::default())).await;
    let ended = world.settle(&driver, &started[1]).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
}

#[tokio::test]
async fn a_quota_that_is_lower_than_aws_says_is_met_once_and_then_respected() {
    let world = World::new(FakeDrs::manual().with_quota(2));
    world.drs.grant(said(10, 100));
    let driver = world.driver_with(asking(OwnLimits::default())).await;
    let started = start(&driver, 6).await;
    for it in &started {
        let ended = world.settle(&driver, it).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    }
    assert_eq!(world.drs.most_live(), 2);
    let refused = world.drs.over_quota();
    assert!((1..=4).contains(&refused), "{refused}");
}

#[tokio::test]
async fn a_job_has_no_more_servers_than_aws_says() {
    let world = World::new(FakeDrs::instant());
    world.drs.grant(said(20, 2));
    let driver = world.driver_with(asking(OwnLimits::default())).await;
    let started = driver.start_execution(order("db*5", "r1")).await.unwrap();
    let ended = ended(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    assert_eq!(sizes(&ended), [2, 2, 1]);
}

#[tokio::test]
async fn hours_later_aws_is_asked_again_and_who_waits_is_split_as_it_says_then() {
    let world = World::new(FakeDrs::manual());
    world.drs.grant(said(1, 100));
    let driver = world.driver_with(asking(OwnLimits::default())).await;
    let first = start(&driver, 1).await.remove(0);
    world.drs.called(1).await;
    let waits = driver.start_execution(order("#2 db*5", "r2")).await;
    let waits = waits.unwrap();

    world.drs.grant(said(1, 2));
    world.clock.advance(Span::from_secs(4 * 3_600));
    let third = driver.start_execution(order("#9 db", "r9")).await.unwrap();
    let mut seen = driver
        .subscribe(waits.execution.id())
        .await
        .expect("it lives");
    let split = seen.wait_for(|view| view.revision > waits.revision).await;
    assert_eq!(launches(&split.expect("it lives").clone()), [2, 2, 1]);

    for it in [&first, &waits, &third] {
        let ended = world.settle(&driver, it).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    }
    assert_eq!((world.drs.most_live(), world.drs.quota_reads()), (1, 2));
}

fn said(jobs: u32, servers_per_job: u32) -> Granted {
    Granted::Said(GrantedQuotas {
        jobs: NonZeroU32::new(jobs),
        servers: None,
        servers_per_job: NonZeroU32::new(servers_per_job),
    })
}

/// AWS is asked for what the operator does not say. More than DRS allows is
/// tried again only where nothing runs.
fn asking(own: OwnLimits) -> DriverSettings {
    let never = Span::from_secs(1_000_000);
    let here = Place {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
    };
    DriverSettings {
        owner: OwnerId::from("test"),
        quotas: Quotas {
            places: [(here, own)].into(),
            from_aws: true,
            ..Quotas::default()
        },
        probing: Probing {
            busy: (never, never),
            ..Probing::default()
        },
        ..DriverSettings::default()
    }
}

/// How many servers each job had.
fn sizes(view: &View) -> Vec<usize> {
    let wave = view.execution.waves().next().expect("a wave");
    let jobs = wave.launches().iter().filter(|it| it.state.job().is_some());
    jobs.map(|launch| launch.servers.len()).collect()
}

/// How many servers each launch has that waits.
fn launches(view: &View) -> Vec<usize> {
    let waiting = view.execution.outstanding().into_iter();
    let waiting = waiting.filter_map(|command| {
        let CommandId::Admit { wave, launch, .. } = command else {
            return None;
        };
        view.execution.wave(wave).launch(launch)
    });
    waiting.map(|launch| launch.servers.len()).collect()
}
