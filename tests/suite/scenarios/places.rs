//! Accounts and Regions fail for themselves: what stops in one place goes on
//! in all others, says why it waits, and ends when the place heals.

use std::process::Output;

use tempfile::TempDir;
use tidegate_emulator::{
    Scenario,
    faults::{Faults, FaultsFile},
    model::{AccountId, Place, Region, Resource, SourceServerId, Tags},
};
use tidegate_proto::v1::{
    Commit, ExecutionState, GetExecutionRequest, ListRecoveryInstancesRequest, ServerState,
    WaveState, change::Kind, execution_service_client::ExecutionServiceClient,
};
use tidegate_tests::process::{Process, last_line, run};

use super::{
    kill_and_resume::{Served, serve, wave_moved},
    watching::{Watcher, get},
};

/// Two accounts, two Regions, three places with servers.
const WORLD: &str = r#"
name: places
seed: 1
fleet:
  - account: "111111111111"
    region: us-west-2
    groups:
      - {idPrefix: s-61000000000, count: 3, hostname: "w{n}.example", tags: {tier: west}}
  - account: "111111111111"
    region: us-east-1
    groups:
      - {idPrefix: s-62000000000, count: 2, hostname: "e{n}.example", tags: {tier: east}}
  - account: "222222222222"
    region: us-west-2
    groups:
      - {idPrefix: s-63000000000, count: 1, hostname: "o{n}.example", tags: {tier: other}}
"#;

/// `west` and `east` are in one Region each, `both` in two accounts.
const PLAN: &str = r#"
apiVersion: tidegate/v1
kind: Plan
metadata: {name: places}
spec:
  target: {account: "111111111111", region: us-west-2}
  waves:
    - name: west
      servers: {ids: [s-61000000000000001, s-61000000000000002]}
    - name: east
      target: {account: "111111111111", region: us-east-1}
      servers: {tags: {tier: east}}
    - name: both
      servers:
        - {ids: [s-61000000000000003]}
        - ids: ["arn:aws:drs:us-west-2:222222222222:source-server/s-63000000000000001"]
          target: {account: "222222222222", region: us-west-2}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_dead_or_throttled_stops_only_its_own_waves() {
    for answer in [
        r#""reset""#,
        r#"{"error": {"code": "ThrottlingException"}}"#,
        r#"{"error": {"code": "ServiceUnavailableException"}}"#,
    ] {
        let world = World::start().await;
        let matches = r#"{"accounts": ["111111111111"], "regions": ["us-east-1"]}"#;
        world.fault(matches, answer);
        let (_, mut watcher) = world.drill().await;
        let mut ended = Vec::new();
        watcher
            .until(|_, commit| {
                ended.extend(
                    ["west", "east", "both"]
                        .into_iter()
                        .filter(|wave| wave_moved(commit, wave, WaveState::Succeeded)),
                );
                ended.len() == 2
            })
            .await;
        ended.sort_unstable();
        assert_eq!(ended, ["both", "west"], "{answer}");

        world.heal();
        watcher.read_to_end().await;
        assert_eq!(watcher.state, ExecutionState::Succeeded, "{answer}");
        world.launched_once(6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_of_two_accounts_launches_in_one_while_the_other_is_dead() {
    let world = World::start().await;
    world.fault(r#"{"accounts": ["222222222222"]}"#, r#""reset""#);
    let (id, mut watcher) = world.drill().await;
    let mut settled = 0;
    watcher
        .until(|_, commit| {
            settled += usize::from(wave_moved(commit, "west", WaveState::Succeeded));
            settled += usize::from(wave_moved(commit, "east", WaveState::Succeeded));
            settled += usize::from(is_launched(commit, "both", "s-61000000000000003"));
            settled == 3
        })
        .await;
    let both = get(world.gateway.address(), &id).await.waves.remove(2);
    assert_ne!(both.state(), WaveState::Succeeded);

    world.heal();
    watcher.read_to_end().await;
    assert_eq!(watcher.state, ExecutionState::Succeeded);
    world.launched_once(6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_waits_for_a_person_to_mend_a_place_says_what_to_do() {
    for (code, advice) in [
        ("ExpiredTokenException", "renew them"),
        ("UninitializedAccountException", "initialise it"),
        ("AccessDeniedException", "permit it"),
    ] {
        let world = World::start().await;
        let answer = format!(r#"{{"error": {{"code": "{code}"}}}}"#);
        world.fault(r#"{"regions": ["us-east-1"]}"#, &answer);
        let (id, mut watcher) = world.drill().await;
        // The servers of `east` cannot even be looked up.
        watcher.until_outstanding(&["east", code, advice]).await;
        let shown = world.outstanding(&id).await;
        let said = |line: &String| line.contains(code) && line.contains(advice);
        assert!(shown.iter().any(said), "{shown:?}");

        // Once they can, the launch waits for the same reason.
        world.fault(
            r#"{"regions": ["us-east-1"], "operations": ["StartRecovery"]}"#,
            &answer,
        );
        watcher
            .until(|_, commit| says_of_a_launch(commit, "east", &[code, advice]))
            .await;
        let east = get(world.gateway.address(), &id).await.waves.remove(1);
        let detail = &east.launches[0].detail;
        assert!(detail.contains(advice), "{detail}");

        world.heal();
        watcher.read_to_end().await;
        assert_eq!(watcher.state, ExecutionState::Succeeded, "{code}");
        world.launched_once(6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_stay_as_they_were_selected_whatever_becomes_of_their_tags() {
    let world = World::start().await;
    world.fault(
        r#"{"regions": ["us-east-1"], "operations": ["StartRecovery"]}"#,
        r#"{"error": {"code": "ThrottlingException"}}"#,
    );
    let (id, mut watcher) = world.drill().await;
    watcher
        .until(|_, commit| says_of_a_launch(commit, "east", &["ThrottlingException"]))
        .await;
    // One leaves the selection and one from elsewhere would come in.
    world.tag("us-east-1", "s-62000000000000001", "gone");
    world.tag("us-west-2", "s-61000000000000001", "east");
    let world = world.restarted();
    watcher.connect(world.gateway.address()).await;
    world.heal();
    watcher.read_to_end().await;

    assert_eq!(watcher.state, ExecutionState::Succeeded);
    let east = get(world.gateway.address(), &id).await.waves.remove(1);
    let servers: Vec<&str> = east.servers.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(servers, ["s-62000000000000001", "s-62000000000000002"]);
    world.launched_once(6);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_are_listed_by_place_and_a_place_that_cannot_be_read_is_named() {
    let world = World::start().await;
    let (id, mut watcher) = world.drill().await;
    watcher.read_to_end().await;
    for (filter, wanted) in [
        (&[][..], 6),
        (&["--region", "us-east-1"], 2),
        (&["--account", "222222222222"], 1),
        (&["--execution", &id, "--region", "us-west-2"], 4),
        (&["--plan", "places"], 6),
    ] {
        let listed = world.instances(filter);
        assert!(listed.status.success(), "{listed:?}");
        let lines = String::from_utf8_lossy(&listed.stdout);
        let lines = lines.lines().filter(|line| !line.is_empty());
        assert_eq!(lines.count(), wanted, "{filter:?}");
    }
    let pages = world.pages(4).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    let all = pages.concat();
    assert!(all.is_sorted() && all[0].starts_with("111111111111/us-east-1/"));

    world.fault(r#"{"regions": ["us-east-1"]}"#, r#""reset""#);
    let listed = world.instances(&[]);
    assert_eq!(listed.status.code(), Some(1));
    let said = String::from_utf8_lossy(&listed.stderr);
    assert!(
        said.contains("not read: 111111111111/us-east-1: "),
        "{said}"
    );
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 4);
}

#[test]
fn a_server_of_another_account_than_its_target_is_a_mistake_in_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("places.yaml");
    let wrong = PLAN.replace("us-west-2:222222222222", "us-west-2:333333333333");
    std::fs::write(&file, wrong).expect("a plan file");
    // Nobody is asked.
    let nobody = "http://127.0.0.1:1";
    let checked = run(&["plan", "validate", &file.display().to_string()], nobody);
    assert_eq!(checked.status.code(), Some(10));
    let said = String::from_utf8_lossy(&checked.stderr);
    for wanted in [
        "places.yaml:16:",
        "is not in the target 222222222222/us-west-2",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
}

/// A gateway with the plan, and a DRS in all places.
struct World {
    served: Served,
    gateway: Process,
    data: String,
    _folder: TempDir,
}

impl World {
    async fn start() -> Self {
        let scenario = Scenario::from_yaml(WORLD).expect("it is a scenario");
        let served = serve(scenario, 600.0).await;
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data").display().to_string();
        let gateway = gateway(&data, &served.address);
        let file = folder.path().join("places.yaml");
        std::fs::write(&file, PLAN).expect("a plan file");
        let file = file.display().to_string();
        let _ = last_line(&["plan", "apply", &file], gateway.address());
        Self {
            served,
            gateway,
            data,
            _folder: folder,
        }
    }

    /// Kills the gateway and starts it again.
    fn restarted(self) -> Self {
        self.gateway.kill();
        Self {
            gateway: gateway(&self.data, &self.served.address),
            ..self
        }
    }

    async fn drill(&self) -> (String, Watcher) {
        let start = ["drill", "start", "places", "-o", "name"];
        let id = last_line(&start, self.gateway.address());
        let mut watcher = Watcher::new(&id);
        watcher.connect(self.gateway.address()).await;
        (id, watcher)
    }

    /// From now on these calls are not done, and answered like that.
    fn fault(&self, matches: &str, answer: &str) {
        let text = format!(
            r#"{{"rules": [{{"name": "place", "match": {matches},
                "then": {{"work": "none", "answer": {answer}}}}}]}}"#
        );
        let file: FaultsFile = serde_json::from_str(&text).expect("faults");
        let emulator = &self.served.emulator;
        let seed = emulator.with_model(|model, _| model.seed());
        emulator.set_faults(file.check(seed).expect("faults"));
    }

    fn heal(&self) {
        self.served.emulator.set_faults(Faults::none());
    }

    fn tag(&self, region: &str, server: &str, tier: &str) {
        let place = Place {
            account: AccountId::parse("111111111111").expect("an account"),
            region: Region::parse(region).expect("a Region"),
        };
        let server = SourceServerId::parse(server).expect("an id");
        let arn = Resource::SourceServer(server).arn(&place);
        let tags = Tags::from([("tier".to_owned(), tier.to_owned())]);
        let tagged = |model: &mut tidegate_emulator::model::Model, _| {
            model.tag(&place, &arn, &tags).expect("it can be tagged");
        };
        self.served.emulator.with_model(tagged);
    }

    async fn outstanding(&self, id: &str) -> Vec<String> {
        let address = self.gateway.address().to_owned();
        let client = ExecutionServiceClient::connect(address).await;
        let request = GetExecutionRequest {
            execution: id.to_owned(),
        };
        let answer = client.expect("it answers").get_execution(request).await;
        answer.expect("it is known").into_inner().outstanding
    }

    fn instances(&self, filter: &[&str]) -> Output {
        let list = ["instances", "list", "-o", "name"];
        run(&[&list[..], filter].concat(), self.gateway.address())
    }

    /// All instances, page by page, each with its place.
    async fn pages(&self, size: i32) -> Vec<Vec<String>> {
        let address = self.gateway.address().to_owned();
        let client = ExecutionServiceClient::connect(address).await;
        let mut client = client.expect("it answers");
        let mut request = ListRecoveryInstancesRequest {
            page_size: size,
            ..ListRecoveryInstancesRequest::default()
        };
        let mut pages = Vec::new();
        loop {
            let page = client.list_recovery_instances(request.clone()).await;
            let page = page.expect("a page").into_inner();
            let instances = page.instances.iter();
            let shown = instances.map(|it| {
                let target = it.target.as_ref().expect("a place");
                format!("{}/{}/{}", target.account, target.region, it.id)
            });
            pages.push(shown.collect());
            if page.next_page_token.is_empty() {
                return pages;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// So many servers were launched, and each once.
    fn launched_once(&self, servers: usize) {
        let launches = self.served.emulator.launches();
        let mut launched: Vec<String> = launches
            .iter()
            .map(|it| it.source_server.to_string())
            .collect();
        launched.sort_unstable();
        launched.dedup();
        assert_eq!((launched.len(), launches.len()), (servers, servers));
    }
}

/// A gateway that calls the emulator as every account.
fn gateway(data: &str, drs: &str) -> Process {
    Process::start(
        &["serve", "--listen", "127.0.0.1:0", "--data-dir", data],
        &[
            ("TIDEGATE__DRS__MODE", "endpoint"),
            ("TIDEGATE__DRS__URL", drs),
            ("TIDEGATE__DRS__POLL_INTERVAL", "50ms"),
            ("TIDEGATE__DRS__LOOK_INTERVAL", "50ms"),
            ("TIDEGATE__DRS__READ_BACKOFF_MAX", "200ms"),
            ("TIDEGATE__ENGINE__SETTLE_WINDOW", "500ms"),
            ("TIDEGATE__ENGINE__DEFER_BACKOFF", "50ms"),
            ("TIDEGATE__ENGINE__DEFER_MAX", "200ms"),
            ("TIDEGATE__WATCH__BOOKMARK_INTERVAL", "50ms"),
        ],
    )
}

fn is_launched(commit: &Commit, wave: &str, server: &str) -> bool {
    commit.changes.iter().any(|change| match &change.kind {
        Some(Kind::Server(moved)) => {
            moved.wave == wave && moved.server == server && moved.state() == ServerState::Launched
        }
        _ => false,
    })
}

fn says_of_a_launch(commit: &Commit, wave: &str, words: &[&str]) -> bool {
    commit.changes.iter().any(|change| match &change.kind {
        Some(Kind::Launch(moved)) => {
            let launch = moved.launch.as_ref();
            moved.wave == wave
                && launch.is_some_and(|it| words.iter().all(|word| it.detail.contains(word)))
        }
        _ => false,
    })
}
