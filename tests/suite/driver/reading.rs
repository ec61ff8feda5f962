//! Reads of DRS that fail, that are slow, or that have nothing to say.

use tidegate_gateway::ports::drs::DrsError;

use super::*;

#[tokio::test]
async fn a_read_that_is_throttled_changes_nothing_and_is_shown() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver().await;
    let started = driver.start_execution(order("db", "r1")).await.unwrap();
    world.drs.called(1).await;
    world.drs.fail_reads([throttled(40)]);
    let shown = world
        .line(&driver, &started, |line| line.contains("DRS throttles"))
        .await;
    assert!(shown.contains("DRS throttles DescribeJobs in"), "{shown}");
    assert!(shown.contains("next try in"), "{shown}");
    let view = driver.view(started.execution.id()).await;
    let view = view.expect("it is known");
    let wave = view.execution.waves().next().unwrap();
    assert_eq!(wave.state(), WaveState::Recovering);
    let ended = world.settle(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
}

#[tokio::test]
async fn a_launch_that_is_reconciled_says_how_it_is_looked_for_and_until_when() {
    let world = World::new(FakeDrs::manual().script([Script::LoseRequest]));
    let driver = world.driver().await;
    let started = driver.start_execution(order("db", "r1")).await.unwrap();
    world.drs.called(1).await;
    let shown = world
        .line(&driver, &started, |line| line.contains("next look"))
        .await;
    let ways = "RECONCILING by its tag, each server's last launch, jobs with the same servers";
    assert!(shown.contains(ways), "{shown}");
    assert!(
        shown.contains("settle window ends at 00:02:00Z, then DRS is asked again"),
        "{shown}"
    );
    let ended = world.settle(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
}

#[tokio::test]
async fn a_job_that_drs_has_forgotten_is_judged_and_not_followed_for_ever() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver().await;
    let started = driver.start_execution(order("db", "r1")).await.unwrap();
    world.drs.called(1).await;
    world.drs.forget_jobs();
    let shown = world
        .line(&driver, &started, |line| line.contains("not named it"))
        .await;
    assert!(shown.contains("DRS has not named it for"), "{shown}");
    let ended = world.settle(&driver, &started).await;
    assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
    let wave = ended.execution.waves().next().unwrap();
    assert!(wave.servers()[0].instance.is_some());
}

#[tokio::test]
async fn jobs_are_looked_at_rarely_when_they_take_long() {
    let world = World::new(FakeDrs::manual());
    let driver = world.driver().await;
    let started = driver.start_execution(order("db", "r1")).await.unwrap();
    world.drs.called(1).await;
    // An hour, by half seconds, in which the job does not move.
    for _ in 0..7_200 {
        tokio::task::yield_now().await;
        world.clock.advance(Span::from_millis(500));
        tokio::task::yield_now().await;
    }
    let looks = world.drs.observed();
    assert!((60..=200).contains(&looks), "{looks}");
    world.settle(&driver, &started).await;
}

fn throttled(secs: u64) -> DrsError {
    DrsError::Throttled {
        operation: "DescribeJobs",
        target: "123456789012/us-west-2".to_owned(),
        after: Some(Span::from_secs(secs)),
    }
}

impl World {
    /// Lets time pass, and no job end, until a line about what is outstanding
    /// says what is wanted.
    async fn line(&self, driver: &Driver, started: &View, wanted: impl Fn(&str) -> bool) -> String {
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
            let view = driver.view(started.execution.id()).await;
            let view = view.expect("it is known");
            let lines = driver.outstanding(&view);
            if let Some(line) = lines.into_iter().find(|line| wanted(line)) {
                return line;
            }
            self.clock.advance(Span::from_millis(100));
        }
        panic!("no such line is shown");
    }
}
