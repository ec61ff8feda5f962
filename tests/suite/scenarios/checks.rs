//! Hooks around the waves of whole drills: real components, real probes of
//! servers that really listen.

use tidegate_emulator::{
    Scenario,
    model::{Health, SourceServerId},
};
use tidegate_proto::v1::{
    ExecutionState, HookOutcome, HookRun, HookSeverity, PauseReason, WaveState, change::Kind,
};
use tidegate_tests::process::{last_line, run};

use super::{
    kill_and_resume::{apply_shop, gateway, serve},
    watching::{Watcher, get},
};

/// An application server of the scenario.
const BROKEN: &str = "s-10000000000aa0003";

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_check_holds_the_wave_until_the_server_is_repaired() {
    let broken = SourceServerId::parse(BROKEN).expect("an id");
    let scenario = Scenario::built_in("shop").expect("a built-in scenario");
    let scenario = scenario.unhealthy_until_told(&broken).expect("it listens");
    let emulator = serve(scenario, 240.0).await;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let gateway = gateway(&data, &emulator.address);
    let address = gateway.address();
    assert_eq!(apply_shop(address), "shop");
    let id = last_line(&["drill", "start", "shop", "-o", "name"], address);
    let mut watcher = Watcher::new(&id);
    watcher.connect(address).await;

    let paused = |seen: &Watcher, _: &_| seen.state == ExecutionState::Paused;
    watcher.until(paused).await;
    let held = get(address, &id).await;
    assert_eq!(held.holds[0].reason(), PauseReason::Hook);
    assert_eq!(held.holds[0].wave, "application");
    let application = &held.waves[1];
    assert_eq!(application.state(), WaveState::Verifying);
    let [run_of_check] = &application.hook_runs[..] else {
        panic!("{:?}", application.hook_runs);
    };
    // The plan follows two verdicts "retry"; the third is too many.
    assert_eq!(run_of_check.attempt, 3);
    assert_eq!(run_of_check.outcome(), HookOutcome::Failed);
    let worst = &run_of_check.findings[0];
    assert_eq!(worst.severity(), HookSeverity::Error);
    assert_eq!(worst.subject, BROKEN);
    assert_eq!(worst.code, "wrong-status");
    assert_eq!(worst.evidence["status"], "503");
    assert_eq!(held.waves[2].state(), WaveState::Waiting);

    emulator
        .emulator
        .with_model(|model, _| model.tell_workload(&broken, Health::Healthy))
        .expect("the server has a workload");
    emulator.emulator.settled().await;
    let resume = ["execution", "resume", &id, "-o", "name"];
    let _ = last_line(&resume, address);
    // The web wave waits for a person.
    watcher.until(paused).await;
    let _ = last_line(&resume, address);
    watcher.read_to_end().await;
    assert_eq!(watcher.state, ExecutionState::Succeeded);

    let ended: Vec<HookRun> = watcher.commits.iter().flat_map(runs_that_ended).collect();
    assert!(ended.len() >= 6, "{ended:?}");
    assert!(ended.iter().all(|run| run.fuel > 0 && run.probe_count > 0));
    every_decision_is_made_again(&id, address, ended.len());
}

/// From the tapes and the component that the gateway has.
fn every_decision_is_made_again(id: &str, address: &str, decisions: usize) {
    let replay = run(&["hook", "replay", id, "-o", "jsonl"], address);
    let stdout = String::from_utf8_lossy(&replay.stdout);
    let stderr = String::from_utf8_lossy(&replay.stderr);
    assert!(replay.status.success(), "{stdout}\n{stderr}");
    assert_eq!(stdout.lines().count(), decisions, "{stdout}\n{stderr}");
}

fn runs_that_ended(commit: &tidegate_proto::v1::Commit) -> Vec<HookRun> {
    let changes = commit.changes.iter();
    changes
        .filter_map(|change| match &change.kind {
            Some(Kind::Hook(moved)) => moved.run.clone(),
            _ => None,
        })
        .filter(|run| run.end_time.is_some())
        .collect()
}
