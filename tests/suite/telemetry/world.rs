//! A gateway in this process with the embedded journal, real hooks, and the
//! emulator as its DRS.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use tempfile::TempDir;
use tidegate_gateway::{Config, DrsMode, Gateway, Overrides};
use tidegate_proto::v1::{
    CleanUpRequest, DownloadTapeRequest, ExecutionKind, ExecutionState, ListTapesRequest,
    ResumeRequest, StartExecutionRequest, WaveState,
    execution_service_client::ExecutionServiceClient, hook_service_client::HookServiceClient,
};
use tidegate_tests::{
    dynamodb::DynamoDbLocal,
    process::{self, last_line},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::{Request, transport::Channel};

use crate::{
    dynamodb::make_table,
    scenarios::{
        kill_and_resume::{Served, emulator, wave_moved},
        watching::Watcher,
    },
};

/// Emulated seconds per second: a job takes some seconds.
const SPEED: f64 = 300.0;

/// Of every place in which a drill has left something.
const LEFTOVER: &str = "tidegate_drill_leftover_instances{";
/// How long metrics may take to follow.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running gateway with what it needs.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    _emulator: Served,
    config: Config,
    _folder: TempDir,
}

impl World {
    /// A gateway with an operations port that sends to this collector, and the
    /// sample plan `shop`.
    pub(crate) async fn start(collector: Option<SocketAddr>) -> Self {
        let emulator = emulator("shop", SPEED).await;
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path(), &emulator.address, collector);
        let gateway = Gateway::start(config.clone())
            .await
            .expect("the gateway starts");
        let address = format!("http://{}", gateway.address());
        let file = folder.path().join("shop.yaml");
        let applied = tokio::task::spawn_blocking(move || apply(&address, &file));
        applied.await.expect("the plan is applied");
        Self {
            gateway,
            _emulator: emulator,
            config,
            _folder: folder,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.gateway.address())
    }

    /// Ends the gateway and starts another one on the same journal.
    pub(crate) async fn restart(self) -> Self {
        self.gateway.shut_down().await;
        let gateway = Gateway::start(self.config.clone()).await;
        Self {
            gateway: gateway.expect("it starts again"),
            ..self
        }
    }

    /// Runs a drill to its end, past its planned pause; its id.
    pub(crate) async fn drill(&self, traceparent: Option<&str>) -> String {
        let id = self.drill_until_paused(traceparent).await;
        self.resume_to_the_end(&id).await;
        id
    }

    /// The same; the metrics while it recovered and while it waited for a
    /// person.
    pub(crate) async fn scraped_drill(&self) -> String {
        let id = self.start_drill(None).await;
        let mut watcher = Watcher::new(&id);
        watcher.connect(&self.address()).await;
        watcher
            .until(|_, commit| wave_moved(commit, "application", WaveState::Recovering))
            .await;
        let (_, mut metrics) = self.operations("/metrics").await;
        watcher
            .until(|seen, _| seen.state == ExecutionState::Paused)
            .await;
        metrics.push_str(&self.operations("/metrics").await.1);
        self.resume_to_the_end(&id).await;
        metrics
    }

    /// Runs a drill until it waits for a person; its id.
    pub(crate) async fn drill_until_paused(&self, traceparent: Option<&str>) -> String {
        let id = self.start_drill(traceparent).await;
        let mut watcher = Watcher::new(&id);
        watcher.connect(&self.address()).await;
        watcher
            .until(|seen, _| seen.state == ExecutionState::Paused)
            .await;
        id
    }

    /// Lets a drill that waits for a person run to its end.
    pub(crate) async fn resume_to_the_end(&self, id: &str) {
        let mut watcher = Watcher::new(id);
        watcher.connect(&self.address()).await;
        let resume = ResumeRequest {
            execution: id.to_owned(),
            ..ResumeRequest::default()
        };
        let resumed = self.client().await.resume(resume).await;
        resumed.expect("it goes on");
        watcher.read_to_end().await;
        assert_eq!(watcher.state, ExecutionState::Succeeded);
    }

    /// The tapes of an execution's hooks, as JSON.
    pub(crate) async fn tapes(&self, id: &str) -> Vec<String> {
        let client = HookServiceClient::connect(self.address()).await;
        let mut client = client.expect("the gateway answers");
        let request = ListTapesRequest {
            execution: id.to_owned(),
            ..ListTapesRequest::default()
        };
        let listed = client.list_tapes(request).await.expect("tapes are listed");
        let mut tapes = Vec::new();
        for id in listed.into_inner().tapes {
            let request = DownloadTapeRequest { id: Some(id) };
            let tape = client.download_tape(request).await.expect("it is there");
            let mut parts = tape.into_inner();
            let mut bytes = Vec::new();
            while let Some(part) = parts.message().await.expect("it is whole") {
                bytes.extend(part.data);
            }
            tapes.push(String::from_utf8(bytes).expect("JSON"));
        }
        tapes
    }

    /// Terminates what a drill has left.
    pub(crate) async fn clean_up(&self, id: &str) {
        let request = CleanUpRequest {
            execution: id.to_owned(),
            request_id: "last".to_owned(),
            ..CleanUpRequest::default()
        };
        let started = self.client().await.clean_up(request).await;
        let started = started.expect("it is accepted").into_inner();
        let cleanup = started.execution.expect("an execution").id;
        let mut watcher = Watcher::new(&cleanup);
        watcher.connect(&self.address()).await;
        watcher.read_to_end().await;
        assert_eq!(watcher.state, ExecutionState::Succeeded);
    }

    async fn start_drill(&self, traceparent: Option<&str>) -> String {
        let mut request = Request::new(StartExecutionRequest {
            plan: "shop".to_owned(),
            kind: ExecutionKind::Drill.into(),
            request_id: "first".to_owned(),
            ..StartExecutionRequest::default()
        });
        if let Some(traceparent) = traceparent {
            let value = traceparent.parse().expect("a header");
            request.metadata_mut().insert("traceparent", value);
        }
        let started = self.client().await.start_execution(request).await;
        let started = started.expect("it starts").into_inner();
        started.execution.expect("an execution").id
    }

    /// The metrics once the end of a drill is in them.
    pub(crate) async fn metrics_of_the_end(&self) -> String {
        self.metrics_once(|text| text.contains(LEFTOVER)).await
    }

    /// The metrics once nothing is left of any drill.
    pub(crate) async fn metrics_of_nothing_left(&self) -> String {
        self.metrics_once(|text| !text.contains(LEFTOVER)).await
    }

    /// Metrics follow what is recorded.
    async fn metrics_once(&self, is_there: impl Fn(&str) -> bool) -> String {
        let followed = async {
            loop {
                let (status, text) = self.operations("/metrics").await;
                assert_eq!(status, "HTTP/1.1 200 OK");
                if is_there(&text) {
                    return text;
                }
            }
        };
        let followed = tokio::time::timeout(PATIENCE, followed).await;
        followed.expect("the metrics follow")
    }

    /// What the operations port answers: the status line, and the body.
    pub(crate) async fn operations(&self, path: &str) -> (String, String) {
        let address = self.gateway.operations_address().expect("it is on");
        get(address, path).await
    }

    async fn client(&self) -> ExecutionServiceClient<Channel> {
        let client = ExecutionServiceClient::connect(self.address()).await;
        client.expect("the gateway answers")
    }
}

/// The metrics of a gateway that is the only one of its cluster.
pub(crate) async fn metrics_of_a_member() -> String {
    const TABLE: &str = "metrics";
    let local = DynamoDbLocal::shared().await;
    make_table(TABLE, &local);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tidegate.toml");
    let endpoint = local.endpoint();
    let journal = format!(
        "[journal]\nkind = \"dynamodb\"\n\
         [journal.dynamodb]\ntable = \"{TABLE}\"\nendpoint = \"{endpoint}\"\n"
    );
    fs::write(&file, journal).expect("the folder can be written to");
    // Nothing is launched, so nobody asks for DRS.
    let nowhere = "http://127.0.0.1:1";
    let config = config_of(Some(&file), folder.path(), nowhere, None);
    let gateway = Gateway::start(config).await.expect("the gateway starts");
    let address = gateway.operations_address().expect("it is on");
    let (status, text) = get(address, "/metrics").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    gateway.shut_down().await;
    text
}

/// Registers the hooks that the plan uses, and applies it.
fn apply(gateway: &str, file: &Path) {
    for hook in ["launch-fresh", "tcp-reachable", "http-healthy"] {
        let _ = last_line(&["hook", "push", hook, "-o", "name"], gateway);
    }
    fs::write(file, include_str!("shop.yaml")).expect("the folder can be written to");
    let file = file.display().to_string();
    let _ = last_line(&["plan", "apply", &file, "-o", "name"], gateway);
}

/// One request of HTTP/1.1 on a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("it takes a request");
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer).await;
    read.expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.lines().next().expect("a status line");
    (status.to_owned(), body.to_owned())
}

fn config(folder: &Path, drs: &str, collector: Option<SocketAddr>) -> Config {
    config_of(None, folder, drs, collector)
}

/// What a file says, and the rest.
fn config_of(
    file: Option<&Path>,
    folder: &Path,
    drs: &str,
    collector: Option<SocketAddr>,
) -> Config {
    let overrides = Overrides {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        data_dir: Some(folder.join("data")),
        drs: Some(DrsMode::Endpoint {
            url: drs.to_owned(),
        }),
        ..Overrides::default()
    };
    let mut config = Config::load(file, overrides).expect("the defaults are good");
    config.drs.poll_interval = Some(Duration::from_millis(50).into());
    config.hooks.allow_loopback = true;
    config.hooks.compiler = Some(process::binary());
    config.operations.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    config.telemetry.otlp_endpoint = collector.map(|address| format!("http://{address}"));
    // Sent at the end only.
    config.telemetry.metrics_interval = Duration::from_secs(3_600).into();
    config
}
