//! The real binary with its journal in a table.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tidegate_gateway::adapters::journal_dynamodb::Settings;
use tidegate_proto::v1::{ExecutionState, WaveState};
use tidegate_tests::{
    dynamodb::DynamoDbLocal,
    process::{Process, last_line, run},
};
use tokio::sync::Semaphore;

use super::proxy::{self, Fate};
use crate::scenarios::{
    kill_and_resume::{apply_shop, emulator, gateway_with, wave_moved},
    watching::Watcher,
};

/// Makes a table with the command that people use.
pub(crate) fn make_table(table: &str, local: &DynamoDbLocal) {
    let endpoint = local.endpoint();
    let create = ["aws", "create-table", "--table", table, "--endpoint"];
    let create = [&create[..], &[&endpoint, "--partitions", "8"]].concat();
    assert_eq!(last_line(&create, ""), table);
}

/// A gateway whose journal is the table.
fn gateway(table: &str, local: &DynamoDbLocal, data: &str, drs: &str) -> Process {
    gateway_by(&local.endpoint(), table, data, drs)
}

/// The same, by another way to DynamoDB.
pub(super) fn gateway_by(endpoint: &str, table: &str, data: &str, drs: &str) -> Process {
    let settings = [
        ("TIDEGATE__JOURNAL__KIND", "dynamodb"),
        ("TIDEGATE__JOURNAL__DYNAMODB__TABLE", table),
        ("TIDEGATE__JOURNAL__DYNAMODB__ENDPOINT", endpoint),
    ];
    gateway_with(data, drs, &settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_goes_on_after_a_kill_on_another_machine() {
    let local = DynamoDbLocal::shared().await;
    make_table("killed", &local);
    let emulator = emulator("shop", 120.0).await;
    let folder = tempfile::tempdir().unwrap();
    let data = |name| folder.path().join(name).display().to_string();
    let first = gateway("killed", &local, &data("first"), &emulator.address);
    let _ = apply_shop(first.address());
    let id = last_line(&["drill", "start", "shop", "-o", "name"], first.address());
    let mut watcher = Watcher::new(&id);
    watcher.connect(first.address()).await;
    watcher
        .until(|_, commit| wave_moved(commit, "application", WaveState::Recovering))
        .await;
    first.kill();

    // With nothing of the first but its table.
    let second = gateway("killed", &local, &data("second"), &emulator.address);
    watcher.connect(second.address()).await;
    watcher
        .until(|seen, _| seen.state == ExecutionState::Paused)
        .await;
    let _ = last_line(
        &["execution", "resume", &id, "-o", "name"],
        second.address(),
    );
    watcher.read_to_end().await;
    assert_eq!(watcher.state, ExecutionState::Succeeded);

    let mut launched = BTreeMap::new();
    for launch in emulator.emulator.launches() {
        let server = launch.source_server.to_string();
        *launched.entry(server).or_insert(0) += 1;
    }
    assert_eq!(launched.len(), 60);
    assert!(launched.values().all(|times| *times == 1), "{launched:?}");
    let info = run(&["info"], second.address());
    let info = String::from_utf8_lossy(&info.stdout).into_owned();
    assert!(info.contains("dynamodb"), "{info}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_under_way_waits_for_new_credentials_and_says_so() {
    let local = DynamoDbLocal::shared().await;
    make_table("expired", &local);
    let (expired, refused) = (Arc::<AtomicBool>::default(), Arc::new(Semaphore::new(0)));
    let (are_expired, counted) = (Arc::clone(&expired), Arc::clone(&refused));
    let direct = Settings {
        endpoint: Some(local.endpoint()),
        ..Settings::new("expired")
    };
    let way = proxy::before(direct, move |_| {
        if are_expired.load(Ordering::SeqCst) {
            counted.add_permits(1);
            return Fate::Refused("ExpiredTokenException");
        }
        Fate::Answered
    })
    .await;
    let emulator = emulator("shop", 120.0).await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let way = way.endpoint.unwrap();
    let gateway = gateway_by(&way, "expired", &data, &emulator.address);
    let _ = apply_shop(gateway.address());
    let id = last_line(&["drill", "start", "shop", "-o", "name"], gateway.address());
    let mut watcher = Watcher::new(&id);
    watcher.connect(gateway.address()).await;
    watcher
        .until(|_, commit| wave_moved(commit, "database", WaveState::Recovering))
        .await;

    expired.store(true, Ordering::SeqCst);
    let _ = refused.acquire_many(5).await.unwrap();
    expired.store(false, Ordering::SeqCst);

    watcher
        .until(|seen, _| seen.state == ExecutionState::Paused)
        .await;
    let resume = ["execution", "resume", &id, "-o", "name"];
    let _ = last_line(&resume, gateway.address());
    watcher.read_to_end().await;
    assert_eq!(watcher.state, ExecutionState::Succeeded);
    assert_eq!(emulator.emulator.launches().len(), 60);
    gateway.terminate();
    let (status, log) = gateway.ended();
    assert!(status.success(), "{log}");
    assert!(log.contains("have expired"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_another_gateway_registered_is_found_and_gone_when_it_deletes_it() {
    let local = DynamoDbLocal::shared().await;
    make_table("hooks", &local);
    let emulator = emulator("shop", 120.0).await;
    let folder = tempfile::tempdir().unwrap();
    let data = |name| folder.path().join(name).display().to_string();
    let one = gateway("hooks", &local, &data("one"), &emulator.address);
    let other = gateway("hooks", &local, &data("other"), &emulator.address);
    assert!(
        !run(&["hook", "get", "tcp-reachable"], other.address())
            .status
            .success()
    );
    let pushed = last_line(
        &["hook", "push", "tcp-reachable", "-o", "name"],
        one.address(),
    );

    let found = last_line(&["hook", "list", "-o", "name"], other.address());
    assert_eq!(found, pushed);
    let _ = last_line(
        &["hook", "push", "http-healthy", "-o", "name"],
        one.address(),
    );
    let plan = tidegate_tests::process::sample("shop.yaml");
    let applied = run(&["plan", "apply", &plan], other.address());
    let stderr = String::from_utf8_lossy(&applied.stderr).into_owned();
    assert!(applied.status.success(), "{stderr}");

    assert!(
        run(&["plan", "delete", "shop"], one.address())
            .status
            .success()
    );
    let shown = run(
        &["hook", "get", "tcp-reachable", "-o", "json"],
        other.address(),
    );
    let shown = String::from_utf8(shown.stdout).unwrap();
    let digest = &shown[shown.find("sha256:").unwrap()..][..71];
    let deleted = run(&["hook", "delete", digest], one.address());
    let stderr = String::from_utf8_lossy(&deleted.stderr).into_owned();
    assert!(deleted.status.success(), "{stderr}");
    assert!(
        !run(&["hook", "get", "tcp-reachable"], other.address())
            .status
            .success()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_its_table_says_how_to_make_it() {
    let local = DynamoDbLocal::shared().await;
    let endpoint = local.endpoint();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tidegate.toml");
    let text = format!(
        "[journal]\nkind = \"dynamodb\"\ndata_dir = \"{}\"\n\
         [journal.dynamodb]\ntable = \"missing\"\nendpoint = \"{endpoint}\"\n",
        folder.path().join("data").display()
    );
    std::fs::write(&config, text).unwrap();
    let config = config.display().to_string();
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--drs",
        "emulator",
        "--config",
        &config,
    ];
    let ended = run(&serve, "");
    let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success());
    assert!(
        stderr.contains("tidegate aws create-table --table missing"),
        "{stderr}"
    );
}
