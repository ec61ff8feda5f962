//! An emulator on a socket, and as much of an HTTP client as it takes.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::{Value, json};
use tidegate_emulator::model::{
    LaunchRequest, Model, Place, Purpose, ServerLaunch, SourceServerId, Tags,
};
use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct Rig {
    pub(crate) emulator: Emulator,
    pub(crate) control: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Rig {
    /// Time is moved by hand.
    pub(crate) async fn serve(scenario: Scenario) -> Self {
        Self::with(scenario, EmulatorClock::Manual).await
    }

    pub(crate) async fn with(scenario: Scenario, clock: EmulatorClock) -> Self {
        let emulator = Emulator::new(Settings { scenario, clock });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let control = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let server = tokio::spawn(serve(listener, emulator.clone(), shutdown));
        Self {
            emulator,
            control,
            stop,
            server,
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("it serves until now");
        let ended = self.server.await.expect("no panic");
        ended.expect("a good end");
    }

    pub(crate) fn launch(&self, ids: &[&str]) {
        let launch = |id: &&str| ServerLaunch {
            server: server_id(id),
            snapshot: None,
        };
        let request = LaunchRequest {
            servers: ids.iter().map(launch).collect(),
            purpose: Purpose::Drill,
            tags: Tags::new(),
        };
        let started = self.emulator.with_model(|model, now| {
            let place = place(model);
            model.start_recovery(&place, &request, now)
        });
        started.expect("an admissible launch");
    }

    pub(crate) fn terminate_all(&self) {
        let started = self.emulator.with_model(|model, now| {
            let place = place(model);
            let estate = model.estate(&place).expect("it is one of its places");
            let instances = estate.recovery_instances();
            let ids: Vec<_> = instances.map(|instance| instance.id.clone()).collect();
            model.terminate_recovery_instances(&place, &ids, now)
        });
        started.expect("an admissible termination");
    }

    /// The address of a server's instance.
    pub(crate) fn address(&self, id: &str) -> Ipv4Addr {
        self.emulator.with_model(|model, _| {
            let served = model.workload(&server_id(id));
            let instance = served.and_then(|served| served.instance);
            instance.expect("it is launched").address
        })
    }

    pub(crate) async fn advance(&self, seconds: u32) {
        let body = json!({"seconds": seconds}).to_string();
        let (status, _) = request(self.control, "POST", "/_emulator/advance", &body).await;
        assert_eq!(status, 200);
    }

    /// Moves time on, change by change, until a workload is in that state.
    pub(crate) async fn advance_to(&self, state: &str, id: &str) -> Value {
        loop {
            let workload = self.workload(id).await;
            if workload["state"] == state {
                return workload;
            }
            let change = self.emulator.with_model(|model, now| {
                let next = model.next_workload_change().expect("it comes to that");
                next.duration_since(now)
            });
            self.emulator.advance(change).expect("a manual clock");
            self.emulator.settled().await;
        }
    }

    pub(crate) async fn workload(&self, id: &str) -> Value {
        let (_, all) = request(self.control, "GET", "/_emulator/workloads", "").await;
        let mut workloads = all["workloads"].as_array().expect("a list").iter();
        let found = workloads.find(|workload| workload["sourceServerID"] == id);
        found.expect("it serves something").clone()
    }

    pub(crate) async fn tell(&self, id: &str, healthy: bool) -> Value {
        let path = format!("/_emulator/workloads/{id}");
        let body = json!({"healthy": healthy}).to_string();
        let (status, told) = request(self.control, "POST", &path, &body).await;
        assert_eq!(status, 200, "{told}");
        told
    }
}

fn server_id(id: &str) -> SourceServerId {
    SourceServerId::parse(id).expect("an id")
}

fn place(model: &Model) -> Place {
    model.places().next().expect("a place").clone()
}

/// The status and the JSON body of an answer; null if the body is none.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).await.expect("it is open");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: emulator\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let written = stream.write_all(request.as_bytes()).await;
    written.expect("it is read");
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer).await;
    read.expect("it is answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status");
    let status = status.parse().expect("a number");
    (status, serde_json::from_str(body).unwrap_or_default())
}
