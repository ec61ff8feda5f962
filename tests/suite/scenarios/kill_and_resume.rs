//! The gateway is killed in the middle of the second wave and started again.

use std::collections::BTreeMap;

use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings, free_loopback};
use tidegate_proto::v1::{Commit, ExecutionState, ServerState, WaveState, change::Kind};
use tidegate_tests::process::{Process, last_line, run, sample};
use tokio::net::TcpListener;

use super::watching::{Watcher, get};

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_in_the_second_wave_goes_on_and_launches_nothing_twice() {
    let emulator = emulator("shop", 120.0).await;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let gateway = gateway(&data, &emulator.address);
    let _ = apply_shop(gateway.address());
    let id = last_line(&["drill", "start", "shop", "-o", "name"], gateway.address());

    let mut watcher = Watcher::new(&id);
    watcher.connect(gateway.address()).await;
    watcher
        .until(|_, commit| wave_moved(commit, "application", WaveState::Recovering))
        .await;
    gateway.kill();

    let gateway = self::gateway(&data, &emulator.address);
    watcher.connect(gateway.address()).await;
    watcher
        .until(|seen, _| seen.state == ExecutionState::Paused)
        .await;
    let _ = last_line(
        &["execution", "resume", &id, "-o", "name"],
        gateway.address(),
    );
    watcher.read_to_end().await;
    assert_eq!(watcher.state, ExecutionState::Succeeded);
    assert!(
        run(&["execution", "wait", &id], gateway.address())
            .status
            .success()
    );

    let mut launched = BTreeMap::new();
    for launch in emulator.emulator.launches() {
        assert!(launch.purpose.is_drill());
        *launched
            .entry(launch.source_server.to_string())
            .or_insert(0) += 1;
    }
    assert_eq!(launched.len(), 60);
    assert!(launched.values().all(|times| *times == 1), "{launched:?}");

    let execution = get(gateway.address(), &id).await;
    let servers: Vec<_> = execution
        .waves
        .iter()
        .flat_map(|wave| &wave.servers)
        .collect();
    assert_eq!(servers.len(), 60);
    for server in servers {
        assert_eq!(server.state(), ServerState::Launched);
        assert!(server.recovery_instance_id.starts_with("i-"), "{server:?}");
    }
}

/// Registers the hooks that the sample plan uses, and applies it.
pub(crate) fn apply_shop(gateway: &str) -> String {
    for hook in ["tcp-reachable", "http-healthy"] {
        let _ = last_line(&["hook", "push", hook, "-o", "name"], gateway);
    }
    last_line(
        &["plan", "apply", &sample("shop.yaml"), "-o", "name"],
        gateway,
    )
}

/// An emulator in this process, over HTTP.
pub(crate) struct Served {
    pub(crate) emulator: Emulator,
    pub(crate) address: String,
}

/// Its servers listen on this machine.
pub(crate) async fn emulator(scenario: &str, speed: f64) -> Served {
    let scenario = Scenario::built_in(scenario).expect("a built-in scenario");
    serve(scenario, speed).await
}

pub(crate) async fn serve(scenario: Scenario, speed: f64) -> Served {
    let emulator = Emulator::new(Settings {
        scenario: scenario.listening_on(free_loopback().expect("a loopback network")),
        clock: EmulatorClock::Scaled { speed },
    });
    emulator.can_listen().expect("servers can listen");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(tidegate_emulator::serve(
        listener,
        emulator.clone(),
        std::future::pending(),
    ));
    Served { emulator, address }
}

/// A gateway that reaches DRS as it would reach AWS, at another address.
pub(crate) fn gateway(data: &str, drs: &str) -> Process {
    gateway_with(data, drs, &[])
}

/// The same, with further settings.
pub(crate) fn gateway_with(data: &str, drs: &str, settings: &[(&str, &str)]) -> Process {
    let environment = [
        ("AWS_ENDPOINT_URL_DRS", drs),
        ("AWS_ACCESS_KEY_ID", "123456789012"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
        ("AWS_REGION", "us-west-2"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("TIDEGATE__DRS__POLL_INTERVAL", "100ms"),
        ("TIDEGATE__HOOKS__ALLOW_LOOPBACK", "true"),
    ];
    Process::start(
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            data,
            "--drs",
            "aws",
        ],
        &[&environment, settings].concat(),
    )
}

pub(crate) fn wave_moved(commit: &Commit, name: &str, state: WaveState) -> bool {
    commit.changes.iter().any(|change| match &change.kind {
        Some(Kind::Wave(moved)) => moved.wave == name && moved.state() == state,
        _ => false,
    })
}
