//! Three real gateways on one table, killed and hung in the middle of a drill.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use tidegate_proto::v1::{Commit, ExecutionState, WaveState, change::Kind};
use tidegate_tests::{
    dynamodb::DynamoDbLocal,
    process::{Process, last_line},
};

use super::processes::make_table;
use crate::scenarios::{
    kill_and_resume::{Served, apply_shop, emulator, gateway_with, wave_moved},
    watching::Watcher,
};

/// What all replicas share.
struct Cluster {
    table: &'static str,
    local: Arc<DynamoDbLocal>,
    drs: Served,
    folder: tempfile::TempDir,
}

impl Cluster {
    async fn new(table: &'static str) -> Self {
        let local = DynamoDbLocal::shared().await;
        make_table(table, &local);
        Self {
            table,
            local,
            drs: emulator("shop", 60.0).await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn replica(&self, name: &str) -> Process {
        let endpoint = self.local.endpoint();
        let settings = [
            ("TIDEGATE__JOURNAL__KIND", "dynamodb"),
            ("TIDEGATE__JOURNAL__DYNAMODB__TABLE", self.table),
            ("TIDEGATE__JOURNAL__DYNAMODB__ENDPOINT", &endpoint),
            ("TIDEGATE__CLUSTER__LEASE", "1s"),
        ];
        let data = self.folder.path().join(name).display().to_string();
        gateway_with(&data, &self.drs.address, &settings)
    }

    /// How often each server was launched.
    fn launches(&self) -> BTreeMap<String, u32> {
        let mut launched = BTreeMap::new();
        for launch in self.drs.emulator.launches() {
            *launched
                .entry(launch.source_server.to_string())
                .or_insert(0) += 1;
        }
        launched
    }
}

fn changed_hands(commit: &Commit) -> bool {
    let mut kinds = commit.changes.iter().map(|change| &change.kind);
    kinds.any(|kind| matches!(kind, Some(Kind::Owner(_))))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_survives_its_owner_twice_and_everybody_sees_the_same() {
    let cluster = Cluster::new("replicas").await;
    // The first has every partition when the drill starts.
    let first = cluster.replica("first");
    let _ = apply_shop(first.address());
    let id = last_line(&["drill", "start", "shop", "-o", "name"], first.address());
    let mut watcher = Watcher::new(&id);
    let second = cluster.replica("second");
    watcher.connect(second.address()).await;
    watcher
        .until(|_, commit| wave_moved(commit, "database", WaveState::Recovering))
        .await;

    // It hangs, loses what it drives, wakes up, and does nothing about it.
    first.hang();
    let hung = Instant::now();
    watcher.until(|_, commit| changed_hands(commit)).await;
    eprintln!(
        "taken over {:.1} s after its owner hung",
        hung.elapsed().as_secs_f64()
    );
    first.wake();
    watcher
        .until(|_, commit| wave_moved(commit, "application", WaveState::Recovering))
        .await;

    // Any replica takes the word of a person.
    watcher
        .until(|seen, _| seen.state == ExecutionState::Paused)
        .await;
    let _ = last_line(&["execution", "resume", &id, "-o", "name"], first.address());
    watcher
        .until(|_, commit| wave_moved(commit, "web", WaveState::Recovering))
        .await;
    let third = cluster.replica("third");
    first.kill();
    second.kill();
    watcher.connect(third.address()).await;
    watcher.read_to_end().await;
    assert_eq!(watcher.state, ExecutionState::Succeeded);

    let mut again = Watcher::new(&id);
    again.connect(third.address()).await;
    again.read_to_end().await;
    let seen = |watcher: &Watcher| -> Vec<u64> {
        watcher
            .commits
            .iter()
            .map(|commit| commit.revision)
            .collect()
    };
    assert_eq!(seen(&again), seen(&watcher));
    let launched = cluster.launches();
    assert_eq!(launched.len(), 60);
    assert!(launched.values().all(|&times| times == 1), "{launched:?}");
}
