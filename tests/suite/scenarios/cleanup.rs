//! What a drill leaves behind: listed with its age, terminated to the last
//! instance, and nothing else with it.

use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;
use tidegate_emulator::model::{
    AccountId, InstanceId, LaunchRequest, Place, Purpose, Region, ServerLaunch, SourceServerId,
    Tags,
};
use tidegate_tests::process::{Process, last_line, run};

use super::kill_and_resume::{Served, emulator, gateway_with};

const FIRST: &str = "s-10000000000db0001";
const SECOND: &str = "s-10000000000db0002";

const PLAN: &str = r#"
apiVersion: tidegate/v1
kind: Plan
metadata: {name: pair}
spec:
  target: {account: "123456789012", region: us-west-2}
  waves:
    - name: database
      servers: {ids: [s-10000000000db0001, s-10000000000db0002]}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_terminates_what_its_drill_launched_and_nothing_of_anybody_else() {
    let world = World::start().await;
    let drill = world.done(&["drill", "start", "pair"]);
    let listed = world.list(&["--execution", &drill]);
    let mut servers = column(&listed, "sourceServer");
    servers.sort_unstable();
    assert_eq!(servers, [FIRST, SECOND]);
    for instance in &listed {
        assert_eq!(instance["kind"], "EXECUTION_KIND_DRILL");
        assert_eq!(instance["plan"], "pair");
        assert_eq!(instance["execution"], drill.as_str());
        let age = instance["age"].as_str().expect("an age");
        let seconds: f64 = age.trim_end_matches('s').parse().expect("seconds");
        assert!(seconds > 0.0 && seconds < 600.0, "{age}");
    }

    // DRS replaces the drill's instance of a server by the newest.
    let anothers = world.launched_by_somebody_else(FIRST).await;
    let listed = world.list(&[]);
    assert_eq!(listed.len(), 2);
    let theirs = listed.iter().find(|it| it["id"] == anothers.as_str());
    let theirs = theirs.expect("it is listed");
    assert_eq!(theirs["sourceServer"], FIRST);
    assert!(theirs.get("execution").is_none(), "{theirs}");
    let refused = world.run(&["execution", "cleanup", &drill, "--instance", &anothers]);
    assert_eq!(refused.status.code(), Some(10));
    assert!(text(&refused.stderr).contains("was not launched by"));

    let cleaned = world.run(&["execution", "cleanup", &drill, "--watch"]);
    assert!(cleaned.status.success(), "{}", text(&cleaned.stderr));
    assert_eq!(column(&world.list(&[]), "id"), [anothers]);
    assert_eq!(world.list(&["--plan", "pair"]), Vec::<Value>::new());
    let again = world.run(&["execution", "cleanup", &drill]);
    assert_eq!(again.status.code(), Some(9), "nothing is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_terminated_meanwhile_is_no_failure() {
    let world = World::start().await;
    let drill = world.done(&["drill", "start", "pair"]);
    let listed = world.list(&[]);
    let first = listed.iter().find(|it| it["sourceServer"] == FIRST);
    let first = first.expect("it is listed")["id"].as_str().expect("an id");
    world.terminated_by_somebody_else(first).await;
    assert_eq!(column(&world.list(&[]), "sourceServer"), [SECOND]);

    let cleaned = world.run(&["execution", "cleanup", &drill, "--watch"]);
    assert!(cleaned.status.success(), "{}", text(&cleaned.stderr));
    assert_eq!(world.list(&[]), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_recoverys_instances_are_terminated_by_name_only() {
    let world = World::start().await;
    let recovery = world.done(&["recovery", "start", "pair", "--confirm", "pair"]);
    let listed = world.list(&["--execution", &recovery]);
    let ids = column(&listed, "id");
    assert!(
        listed
            .iter()
            .all(|it| it["kind"] == "EXECUTION_KIND_RECOVERY")
    );
    let cleanup = ["execution", "cleanup", &recovery, "--watch"];
    let named = ["--instance", &ids[0]];
    for (further, wanted) in [
        (&[][..], "--instance"),
        (&["--confirm", "pair"], "--instance"),
        (&named, "--confirm pair"),
        (
            &[&named[..], &["--confirm", "shop"]].concat(),
            "not the plan's name",
        ),
    ] {
        let refused = world.run(&[&cleanup[..], further].concat());
        assert_eq!(refused.status.code(), Some(10), "{further:?}");
        let said = text(&refused.stderr);
        assert!(said.contains(wanted), "{further:?}: {said}");
    }
    assert_eq!(column(&world.list(&[]), "id"), ids, "all are there");

    let right = [&cleanup[..], &named, &["--confirm", "pair"]].concat();
    let cleaned = world.run(&right);
    assert!(cleaned.status.success(), "{}", text(&cleaned.stderr));
    assert_eq!(column(&world.list(&[]), "id"), ids[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_launched_an_instance_is_known_without_tags_too() {
    let world = World::with(&[("TIDEGATE__DRS__TAG_JOBS", "false")]).await;
    let held = PLAN.replace("name: pair", "name: held")
        + "    - {name: web, after: [database], pauseBefore: true, \
           servers: {ids: [s-10000000000eb0001]}}\n";
    world.apply(&held);
    let start = ["drill", "start", "held", "-o", "name"];
    let drill = last_line(&start, world.gateway.address());
    let held = world.run(&["execution", "wait", &drill, "--fail-on-pause"]);
    assert_eq!(held.status.code(), Some(6), "{}", text(&held.stderr));

    let listed = world.list(&[]);
    assert_eq!(column(&listed, "execution"), [drill.as_str(), &drill]);
}

/// A gateway with the plan, and the DRS that it calls.
struct World {
    served: Served,
    gateway: Process,
    folder: TempDir,
}

impl World {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let served = emulator("shop", 600.0).await;
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data").display().to_string();
        let gateway = gateway_with(&data, &served.address, settings);
        let world = Self {
            served,
            gateway,
            folder,
        };
        world.apply(PLAN);
        world
    }

    fn apply(&self, plan: &str) {
        let file = self.folder.path().join("plan.yaml");
        std::fs::write(&file, plan).expect("a plan file");
        let file = file.display().to_string();
        let _ = last_line(&["plan", "apply", &file], self.gateway.address());
    }

    fn run(&self, args: &[&str]) -> Output {
        run(args, self.gateway.address())
    }

    /// Starts an execution and waits until it has succeeded; its id.
    fn done(&self, args: &[&str]) -> String {
        let started = [args, &["-o", "name"]].concat();
        let id = last_line(&started, self.gateway.address());
        let _ = last_line(
            &["execution", "wait", &id, "-o", "name"],
            self.gateway.address(),
        );
        id
    }

    /// The instances that the command line lists.
    fn list(&self, further: &[&str]) -> Vec<Value> {
        let list = ["instances", "list", "-o", "jsonl"];
        let output = self.run(&[&list[..], further].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        let lines = lines.lines().filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// Launches a drill of a server past the gateway; the instance's id, once
    /// the job is over.
    async fn launched_by_somebody_else(&self, server: &str) -> String {
        let request = LaunchRequest {
            servers: vec![ServerLaunch {
                server: SourceServerId::parse(server).expect("an id"),
                snapshot: None,
            }],
            purpose: Purpose::Drill,
            tags: Tags::new(),
        };
        let job = self.served.emulator.with_model(|model, now| {
            model
                .start_recovery(&place(), &request, now)
                .expect("DRS accepts it")
                .id
        });
        self.until_quiet().await;
        self.served.emulator.with_model(|model, _| {
            let estate = model.estate(&place()).expect("the place");
            let mut instances = estate.recovery_instances();
            let launched = instances.find(|it| it.job == job);
            launched.expect("it was launched").id.to_string()
        })
    }

    async fn terminated_by_somebody_else(&self, instance: &str) {
        let ids = [InstanceId::parse(instance).expect("an id")];
        self.served.emulator.with_model(|model, now| {
            model
                .terminate_recovery_instances(&place(), &ids, now)
                .expect("DRS accepts it");
        });
        self.until_quiet().await;
    }

    /// Until nothing is left to happen at DRS, whose time is fast.
    async fn until_quiet(&self) {
        let next = || {
            self.served
                .emulator
                .with_model(|model, _| model.next_change())
        };
        while next().is_some() {
            tokio::task::yield_now().await;
        }
    }
}

fn place() -> Place {
    Place {
        account: AccountId::parse("123456789012").expect("an account"),
        region: Region::parse("us-west-2").expect("a Region"),
    }
}

fn column(instances: &[Value], field: &str) -> Vec<String> {
    let text = |it: &Value| it[field].as_str().unwrap_or_default().to_owned();
    instances.iter().map(text).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
