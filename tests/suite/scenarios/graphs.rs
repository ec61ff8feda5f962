//! Plans that are graphs: two Regions side by side, and 25 waves.

use std::collections::BTreeMap;

use tidegate_proto::v1::{Execution, ExecutionState, WaveState};
use tidegate_tests::process::{last_line, run, sample};

use super::{
    kill_and_resume::{emulator, gateway},
    watching::{Watcher, get},
};

/// Emulated seconds per second.
const SPEED: f64 = 600.0;

#[tokio::test(flavor = "multi_thread")]
async fn a_diamond_runs_its_branches_side_by_side_in_two_regions() {
    let (execution, watcher) = drill("diamond").await;
    let regions: BTreeMap<&str, &str> = execution
        .waves
        .iter()
        .map(|wave| {
            let target = wave.servers[0].target.as_ref().expect("a target");
            (wave.name.as_str(), target.region.as_str())
        })
        .collect();
    assert_eq!(regions["orders"], "us-west-2");
    assert_eq!(regions["search"], "us-east-2");
    let order = begun(&watcher);
    let place = |name| order.iter().position(|wave| wave == name).expect("it ran");
    assert_eq!((place("database"), place("web")), (0, 3), "{order:?}");
    let both = side_by_side(&execution, "orders", "search");
    assert!(both, "orders and search did not overlap");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_five_waves_start_only_after_what_they_wait_for() {
    let (execution, watcher) = drill("fleet").await;
    assert_eq!(execution.waves.len(), 25);
    let ended: BTreeMap<&str, _> = execution
        .waves
        .iter()
        .map(|wave| (wave.name.as_str(), time(wave.end_time.as_ref())))
        .collect();
    for wave in &execution.waves {
        assert_eq!(wave.state(), WaveState::Succeeded, "{}", wave.name);
        for before in &wave.after {
            let started = time(wave.start_time.as_ref());
            assert!(
                started >= ended[before.as_str()],
                "{} before {before}",
                wave.name
            );
        }
    }
    assert_eq!(begun(&watcher).len(), 25);
}

/// Runs a sample plan as a drill, to its end.
async fn drill(plan: &str) -> (Execution, Watcher) {
    let served = emulator("all", SPEED).await;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let gateway = gateway(&data, &served.address);
    let file = sample(&format!("{plan}.yaml"));
    assert!(
        run(&["plan", "apply", &file], gateway.address())
            .status
            .success()
    );
    let id = last_line(&["drill", "start", plan, "-o", "name"], gateway.address());
    let mut watcher = Watcher::new(&id);
    watcher.connect(gateway.address()).await;
    watcher.read_to_end().await;
    assert_eq!(watcher.state, ExecutionState::Succeeded);
    let launches = served.emulator.launches().len();
    let execution = get(gateway.address(), &id).await;
    let servers: usize = execution.waves.iter().map(|wave| wave.servers.len()).sum();
    assert_eq!(launches, servers, "every server once");
    (execution, watcher)
}

/// The waves in the order in which they began.
fn begun(watcher: &Watcher) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    let changes = watcher.commits.iter().flat_map(|commit| &commit.changes);
    for change in changes {
        if let Some(tidegate_proto::v1::change::Kind::Wave(moved)) = &change.kind
            && !order.contains(&moved.wave)
        {
            order.push(moved.wave.clone());
        }
    }
    order
}

fn side_by_side(execution: &Execution, one: &str, other: &str) -> bool {
    let wave = |name: &str| {
        let mut waves = execution.waves.iter();
        waves.find(|wave| wave.name == name).expect("a wave")
    };
    let (one, other) = (wave(one), wave(other));
    time(one.start_time.as_ref()) < time(other.end_time.as_ref())
        && time(other.start_time.as_ref()) < time(one.end_time.as_ref())
}

fn time(at: Option<&prost_types::Timestamp>) -> (i64, i32) {
    let at = at.expect("it has a time");
    (at.seconds, at.nanos)
}
