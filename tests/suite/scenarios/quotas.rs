//! More executions than DRS allows jobs.

use tidegate_emulator::Scenario;
use tidegate_proto::v1::{Change, ExecutionState, LaunchState, change::Kind};
use tidegate_tests::process::{last_line, run};

use super::{
    kill_and_resume::{gateway_with, serve},
    watching::Watcher,
};

const EXECUTIONS: usize = 6;

/// Six servers where two jobs may run, which the gateway is not told.
const CROWDED: &str = r#"
name: crowded
seed: 1
quotas: {concurrentJobs: 2}
fleet:
  - account: "123456789012"
    region: us-west-2
    groups:
      - {idPrefix: s-50000000000, count: 6, hostname: "n{n}.crowd.example"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn six_executions_share_two_jobs_and_all_succeed() {
    let scenario = Scenario::from_yaml(CROWDED).expect("it is a scenario");
    let served = serve(scenario, 600.0).await;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let often = [("TIDEGATE__WATCH__BOOKMARK_INTERVAL", "50ms")];
    let gateway = gateway_with(&data, &served.address, &often);

    let mut watchers = Vec::new();
    for number in 1..=EXECUTIONS {
        let file = folder.path().join(format!("crowd-{number}.yaml"));
        std::fs::write(&file, plan(number)).expect("a plan file");
        let applied = run(
            &["plan", "apply", &file.display().to_string()],
            gateway.address(),
        );
        assert!(applied.status.success());
        let name = format!("crowd-{number}");
        let id = last_line(&["drill", "start", &name, "-o", "name"], gateway.address());
        let mut watcher = Watcher::new(&id);
        watcher.connect(gateway.address()).await;
        watchers.push(watcher);
    }
    let mut queued = 0;
    for watcher in &mut watchers {
        watcher.read_to_end().await;
        assert_eq!(watcher.state, ExecutionState::Succeeded);
        let changes = watcher.commits.iter().flat_map(|commit| &commit.changes);
        let is_refused = changes.filter(|change| is_queued(change)).count() > 1;
        let position = |line: &String| line.contains("position ");
        let is_shown = watcher.outstanding.iter().any(position);
        queued += usize::from(is_refused || is_shown);
    }
    assert!(queued >= EXECUTIONS - 2, "{queued} were seen to wait");

    let launches = served.emulator.launches();
    assert_eq!(launches.len(), EXECUTIONS);
    let asked = served.emulator.calls()["StartRecovery"];
    let refused = asked - launches.len() as u64;
    assert!(
        refused <= 4,
        "DRS had to say {refused} times that it is full"
    );
}

fn is_queued(change: &Change) -> bool {
    match &change.kind {
        Some(Kind::Launch(moved)) => moved
            .launch
            .as_ref()
            .is_some_and(|launch| launch.state() == LaunchState::Queued),
        _ => false,
    }
}

fn plan(number: usize) -> String {
    format!(
        r#"
apiVersion: tidegate/v1
kind: Plan
metadata: {{name: crowd-{number}}}
spec:
  priority: low
  target: {{account: "123456789012", region: us-west-2}}
  waves:
    - name: only
      servers: {{ids: [s-50000000000{number:06}]}}
"#
    )
}
