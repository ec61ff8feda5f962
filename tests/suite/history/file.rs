//! Journal files of earlier versions: they open, say what they said, and what
//! was not over in them goes on to its end.

use std::{env, fmt::Write as _, fs, path::Path, sync::Arc};

use bytes::Bytes;
use prost::Message as _;
use tempfile::TempDir;
use tidegate_core::{
    HookIx, OwnerId, PlanName, Timestamp, WaveIx,
    engine::{CommandId, Event, ExecutionState, HookAnswer, HookVerdict, Kind},
    plan::HookPhase,
};
use tidegate_gateway::{
    adapters::journal_redb::{DataDir, RedbJournal, Settings},
    driver::{Codec, Driver, DriverPorts, DriverSettings, Origin, RequestStamp, StartOrder, View},
    grpc::{encode_summary, pinned_plan},
    ports::{
        hook_store::{HookStore, StoredHook, TapeKey},
        journal::Journal,
        plan_store::{PlanStore, StoredPlan},
    },
};
use tidegate_plan_file::{Source, Written};
use tidegate_tests::fakes::{FakeDrs, ManualClock, ScriptedHooks};

use super::{NEWEST, compare, root, told, versions};

const FILE: &str = "journal.redb";
const PLAN: &str = "
apiVersion: tidegate/v1
kind: Plan
metadata: {name: stored, labels: {env: test}}
spec:
  target: {account: \"123456789012\", region: us-west-2}
  waves:
    - name: database
      servers: {ids: [s-00000000000000001, s-00000000000000002]}
      retry: {limit: 1, backoff: 1s}
      verify: [{hook: smoke}]
    - name: web
      after: [database]
      servers: {ids: [s-00000000000000003]}
      pauseBefore: true
";

#[tokio::test]
async fn a_journal_file_of_every_version_opens_and_says_what_it_said() {
    if env::var_os("TIDEGATE_WRITE_HISTORY").is_some() {
        write_missing(&root().join(NEWEST)).await;
    }
    for version in versions() {
        let (_folder, journal) = opened(&version);
        compare(&said(&journal).await, &version.join("journal-redb.txt"));
    }
}

#[tokio::test]
async fn what_was_not_over_in_a_file_of_any_version_goes_on_to_its_end() {
    for version in versions() {
        let (_folder, journal) = opened(&version);
        let unfinished = journal.heads(None, true, 10).await.expect("heads");
        assert_eq!(unfinished.len(), 1, "{version:?}");
        let id = &unfinished[0].execution;
        let driver = driver(Arc::new(journal)).await;
        let view = driver.request(id, Event::Resume, None).await;
        assert_eq!(view.expect("it was paused").execution.epoch(), 1);
        let ended = until(&driver, id, ExecutionState::is_terminal).await;
        assert_eq!(ended.execution.state(), ExecutionState::Succeeded);
        driver.stop().await;
    }
}

/// A copy of a version's file, opened: to open one may change it.
fn opened(version: &Path) -> (TempDir, RedbJournal) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data");
    let directory = DataDir::open(&path).expect("a new directory is private");
    fs::copy(version.join(FILE), directory.journal_file()).expect("the version has a file");
    let journal = RedbJournal::open(Arc::new(directory), &Settings::default());
    (folder, journal.expect("an older file opens"))
}

/// Everything in the file.
async fn said(journal: &RedbJournal) -> String {
    let mut out = String::new();
    for head in journal.heads(None, false, 100).await.expect("heads") {
        let records = journal
            .read(&head.execution, 0, 1_000)
            .await
            .expect("records");
        let records: Vec<Bytes> = records.into_iter().map(|stored| stored.record).collect();
        let _ = writeln!(out, "head {} live {}", head.execution, head.live);
        out.push_str(&told(&records).join(""));
        for tape in journal.tapes(&head.execution).await.expect("tapes") {
            let bytes = HookStore::tape(journal, &tape).await.expect("a tape");
            let _ = writeln!(out, "tape {} {bytes:?}", tape.command);
        }
    }
    for plan in PlanStore::list(journal, None, 100).await.expect("plans") {
        let checked = pinned_plan(&plan.plan).expect("a stored plan can be run");
        let waves = checked.waves().len();
        let _ = writeln!(
            out,
            "plan {} revision {} waves {waves}",
            plan.name, plan.revision
        );
    }
    for hook in HookStore::list(journal).await.expect("hooks") {
        let bytes = HookStore::get(journal, &hook.digest).await.expect("a hook");
        let _ = writeln!(out, "{hook:?} {bytes:?}");
    }
    for key in ["start/first", "start/second", "start/none"] {
        let claim = journal.claim(key).await.expect("claims");
        let _ = writeln!(out, "claim {key} {claim:?}");
    }
    out
}

async fn driver(journal: Arc<RedbJournal>) -> Driver {
    let proceeds = HookAnswer::bare(HookVerdict::Proceed, "all ports answer");
    let ports = DriverPorts {
        journal,
        drs: Arc::new(FakeDrs::instant()),
        clock: Arc::new(ManualClock::default()),
        hooks: Arc::new(ScriptedHooks::default().with("smoke", [proceeds])),
        cluster: None,
        codec: Codec {
            plan: pinned_plan,
            summary: encode_summary,
        },
    };
    let settings = DriverSettings {
        owner: OwnerId::from("gateway-b"),
        ..DriverSettings::default()
    };
    let driver = Driver::start(ports, settings).await;
    driver.expect("what the file holds can be continued")
}

async fn until(
    driver: &Driver,
    id: &tidegate_core::ExecutionId,
    is: fn(ExecutionState) -> bool,
) -> View {
    if let Some(mut view) = driver.subscribe(id).await
        && let Ok(view) = view.wait_for(|view| is(view.execution.state())).await
    {
        return view.clone();
    }
    driver.view(id).await.expect("the execution is recorded")
}

/// A file with one execution that is over, one that is paused, a plan, a hook
/// and a tape. A file that is there is never written anew.
async fn write_missing(version: &Path) {
    if version.join(FILE).exists() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let directory = DataDir::open(folder.path().join("data")).expect("a private directory");
    let file = directory.journal_file();
    let journal = RedbJournal::open(Arc::new(directory), &Settings::default());
    let journal = Arc::new(journal.expect("a new journal"));
    fill(&journal).await;
    let said = said(&journal).await;
    drop(journal);
    fs::copy(file, version.join(FILE)).expect("it can be copied");
    fs::write(version.join("journal-redb.txt"), said).expect("it can be written");
}

async fn fill(journal: &Arc<RedbJournal>) {
    let source = Source {
        name: "plan.yaml".to_owned(),
        text: PLAN.to_owned(),
    };
    let plan: Bytes = Written::parse(source)
        .expect("a plan")
        .plan
        .encode_to_vec()
        .into();
    let stored = StoredPlan {
        name: PlanName::from("stored"),
        revision: 1,
        plan: plan.clone(),
    };
    PlanStore::put(&**journal, stored, None, None)
        .await
        .expect("stored");
    let hook = StoredHook {
        digest: ScriptedHooks::digest("smoke"),
        size: 4,
        created_at: Timestamp::from_millis(1_767_225_600_000),
    };
    let bytes = Bytes::from_static(b"\0asm");
    HookStore::put(&**journal, hook, bytes)
        .await
        .expect("stored");

    let driver = driver(Arc::clone(journal)).await;
    for (request, resumes) in [("first", true), ("second", false)] {
        let started = driver.start_execution(order(request, &plan)).await;
        let id = started.expect("it starts").execution.id().clone();
        until(&driver, &id, |state| state == ExecutionState::Paused).await;
        let tape = TapeKey {
            execution: id.clone(),
            command: CommandId::Hook {
                wave: WaveIx(0),
                phase: HookPhase::PostWave,
                hook: HookIx(0),
                attempt: 1,
            },
        };
        let bytes = Bytes::from_static(b"a tape");
        journal.put_tape(tape, bytes).await.expect("stored");
        if resumes {
            let stamp = Some(stamp("resume"));
            driver
                .request(&id, Event::Resume, stamp)
                .await
                .expect("resumed");
            until(&driver, &id, ExecutionState::is_terminal).await;
        }
    }
    driver.stop().await;
}

fn order(request: &str, plan: &Bytes) -> StartOrder {
    StartOrder {
        kind: Kind::Drill,
        plan: Arc::new(pinned_plan(plan).expect("a plan")),
        origin: Origin {
            plan_revision: 1,
            plan_digest: "sha256:00".to_owned(),
            plan: plan.clone(),
            source: None,
        },
        request: stamp(request),
    }
}

fn stamp(id: &str) -> RequestStamp {
    RequestStamp {
        id: id.to_owned(),
        digest: [0; 32],
    }
}
