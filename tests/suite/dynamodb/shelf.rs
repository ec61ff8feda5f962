//! Two gateways on one table: one stores a plan, the other one deletes a hook
//! that the plan uses, and each has looked before the other one wrote.

use std::sync::Arc;

use tidegate_gateway::adapters::journal_dynamodb::Settings;
use tidegate_tests::{
    dynamodb::DynamoDbLocal,
    process::{Process, last_line, run, sample},
};

use super::{
    answers::Request,
    make_table,
    processes::gateway_by,
    proxy::{self, Fate, Gate},
};
use crate::scenarios::kill_and_resume::{Served, emulator};

/// What came of a command: whether it succeeded, and what it said.
type Said = (bool, String);

struct Scene {
    /// Its writes of one kind are held.
    slow: Process,
    other: Process,
    gate: Arc<Gate>,
    hook: String,
    _drs: Served,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// Both hooks of the sample plan are registered.
    async fn new(table: &str, is_held: fn(&Request) -> bool) -> Self {
        let local = DynamoDbLocal::shared().await;
        make_table(table, &local);
        let direct = Settings {
            endpoint: Some(local.endpoint()),
            ..Settings::new(table)
        };
        let gate = Gate::new();
        let held = Arc::clone(&gate);
        let way = proxy::before(direct, move |call| {
            let is_held = call.operation == "TransactWriteItems" && is_held(call);
            match is_held {
                true => Fate::Held(Arc::clone(&held)),
                false => Fate::Answered,
            }
        })
        .await;
        let drs = emulator("shop", 120.0).await;
        let folder = tempfile::tempdir().unwrap();
        let gateway = |way: &str, name| {
            let data = folder.path().join(name).display().to_string();
            gateway_by(way, table, &data, &drs.address)
        };
        let slow = gateway(&way.endpoint.unwrap(), "slow");
        let other = gateway(&local.endpoint(), "other");
        let push = |hook| last_line(&["hook", "push", hook, "-o", "name"], other.address());
        let _ = push("http-healthy");
        let _ = push("tcp-reachable");
        let shown = run(
            &["hook", "get", "tcp-reachable", "-o", "json"],
            other.address(),
        );
        let shown = String::from_utf8(shown.stdout).unwrap();
        let hook = shown[shown.find("sha256:").unwrap()..][..71].to_owned();
        Self {
            slow,
            other,
            gate,
            hook,
            _drs: drs,
            _folder: folder,
        }
    }

    /// What the slow gateway says, to whom the other one comes first.
    async fn overtaken(&self, slow: &[&str], first: &[&str]) -> Said {
        let address = self.slow.address().to_owned();
        let args: Vec<String> = slow.iter().map(|&arg| arg.to_owned()).collect();
        let asked = tokio::task::spawn_blocking(move || {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            said(&args, &address)
        });
        self.gate.holds().await;
        let (is_done, text) = said(first, self.other.address());
        assert!(is_done, "{text}");
        self.gate.open();
        asked.await.unwrap()
    }
}

fn said(args: &[&str], address: &str) -> Said {
    let output = run(args, address);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_not_stored_whose_hook_another_gateway_deleted_meanwhile() {
    let scene = Scene::new("overtaken-plan", |call| call.body.contains("plan#shop")).await;
    let plan = sample("shop.yaml");
    let apply = ["plan", "apply", &plan];
    let delete = ["hook", "delete", &scene.hook];
    let (is_done, text) = scene.overtaken(&apply, &delete).await;
    assert!(!is_done && text.contains("tcp-reachable"), "{text}");
    let (is_there, _) = said(&["plan", "get", "shop"], scene.other.address());
    assert!(!is_there);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_not_deleted_that_a_plan_needs_which_another_gateway_stored_meanwhile() {
    let scene = Scene::new("overtaken-hook", |call| call.body.contains("\"hooks\"")).await;
    let plan = sample("shop.yaml");
    let apply = ["plan", "apply", &plan];
    let delete = ["hook", "delete", &scene.hook];
    let (is_done, text) = scene.overtaken(&delete, &apply).await;
    assert!(!is_done && text.contains("is used by plan shop"), "{text}");
    let (is_there, text) = said(&["hook", "get", "tcp-reachable"], scene.other.address());
    assert!(is_there, "{text}");
}
