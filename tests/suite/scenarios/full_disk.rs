//! The journal cannot be written any more: the gateway stops and says why,
//! and the next one goes on with all that was acknowledged.
//!
//! A limit on the size of files stands in for a full disk: it can be set on a
//! running process, needs no rights, and fails the same calls.

use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitStatus};

use tempfile::TempDir;
use tidegate_emulator::Scenario;
use tidegate_proto::v1::{ExecutionState, WatchEndReason, WaveState};
use tidegate_tests::process::{Process, last_line, run};

use super::{
    kill_and_resume::{Served, gateway, serve, wave_moved},
    watching::{Watcher, get},
};

/// Less than any journal: whatever it writes next to a page of its own fails.
const FULL: u64 = 4096;

const PAIR: &str = r#"
name: pair
seed: 1
fleet:
  - account: "123456789012"
    region: us-west-2
    groups:
      - {idPrefix: s-60000000000, count: 2, hostname: "n{n}.pair.example"}
"#;

const PLAN: &str = r#"
apiVersion: tidegate/v1
kind: Plan
metadata: {name: pair}
spec:
  target: {account: "123456789012", region: us-west-2}
  waves:
    - name: first
      servers: {ids: [s-60000000000000001]}
    - name: second
      after: [first]
      servers: {ids: [s-60000000000000002]}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_in_mid_drill_stops_the_gateway_and_the_next_one_finishes() {
    let place = Place::new().await;
    let gateway = place.gateway();
    place.apply(gateway.address());
    let id = last_line(&["drill", "start", "pair", "-o", "name"], gateway.address());
    let mut watcher = Watcher::new(&id);
    watcher.connect(gateway.address()).await;
    watcher
        .until(|_, commit| wave_moved(commit, "second", WaveState::Recovering))
        .await;

    gateway.limit_files(FULL);

    watcher.read_to(WatchEndReason::Shutdown).await;
    let acknowledged = watcher.commits.len() as u64;
    place.assert_stopped_by_a_full_disk(gateway.ended());

    let gateway = place.gateway();
    assert!(get(gateway.address(), &id).await.revision >= acknowledged);
    watcher.connect(gateway.address()).await;
    watcher.read_to_end().await;
    assert_eq!(watcher.state, ExecutionState::Succeeded);
    place.assert_each_launched_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_met_a_full_disk_is_not_there_and_can_be_made_again() {
    let place = Place::new().await;
    let gateway = place.gateway();
    place.apply(gateway.address());
    let start = [
        "drill",
        "start",
        "pair",
        "--request-id",
        "once",
        "-o",
        "name",
    ];

    gateway.limit_files(FULL);
    let refused = run(&start, gateway.address());

    assert!(!refused.status.success(), "{refused:?}");
    place.assert_stopped_by_a_full_disk(gateway.ended());
    assert!(place.drs.emulator.launches().is_empty());

    let gateway = place.gateway();
    let list = run(&["execution", "list", "-o", "name"], gateway.address());
    assert!(list.status.success(), "{list:?}");
    assert!(list.stdout.is_empty(), "{list:?}");
    let id = last_line(&start, gateway.address());
    assert_eq!(last_line(&start, gateway.address()), id);
    let waited = run(&["execution", "wait", &id], gateway.address());
    assert!(waited.status.success(), "{waited:?}");
    place.assert_each_launched_once();
}

/// A data directory, and the DRS of the gateways on it.
struct Place {
    drs: Served,
    folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let scenario = Scenario::from_yaml(PAIR).expect("it is a scenario");
        Self {
            drs: serve(scenario, 200.0).await,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn gateway(&self) -> Process {
        gateway(&self.data().display().to_string(), &self.drs.address)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn apply(&self, gateway: &str) {
        let file = self.folder.path().join("pair.yaml");
        fs::write(&file, PLAN).expect("the folder can be written to");
        let _ = last_line(&["plan", "apply", &file.display().to_string()], gateway);
    }

    /// The message is for a person on call: which file, why, what to do.
    fn assert_stopped_by_a_full_disk(&self, (status, log): (ExitStatus, String)) {
        assert_eq!(status.code(), Some(1), "{status}: {log}");
        let last = log.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: the gateway had to stop"), "{log}");
        let file = self.data().join("journal.redb").display().to_string();
        for part in [
            &file,
            "File too large",
            "`ulimit -f`",
            "start the gateway again",
        ] {
            assert!(last.contains(part), "{part}: {log}");
        }
    }

    fn assert_each_launched_once(&self) {
        let mut launched = BTreeMap::new();
        for launch in self.drs.emulator.launches() {
            *launched
                .entry(launch.source_server.to_string())
                .or_insert(0) += 1;
        }
        assert_eq!(launched.len(), 2, "{launched:?}");
        assert!(launched.values().all(|times| *times == 1), "{launched:?}");
    }
}
