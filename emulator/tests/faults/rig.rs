//! An emulator on a socket, and a caller that hears every byte and every reset.

use std::io::ErrorKind;
use std::net::SocketAddr;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-west-2/drs/aws4_request, \
                      SignedHeaders=host, Signature=0";

/// An emulator of the scenario `shop`, with a manual clock, that serves.
pub(crate) struct Rig {
    pub(crate) emulator: Emulator,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

/// What a caller heard.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    /// How often something arrived.
    pub(crate) reads: usize,
    /// How the connection ended, if not well.
    pub(crate) broken: Option<ErrorKind>,
}

impl Heard {
    pub(crate) fn is_reset_without_a_word(&self) -> bool {
        self.bytes.is_empty() && self.broken == Some(ErrorKind::ConnectionReset)
    }

    pub(crate) fn head(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let (head, _) = text.split_once("\r\n\r\n").expect("a whole head");
        head.to_ascii_lowercase()
    }

    pub(crate) fn status(&self) -> u16 {
        assert_eq!(self.broken, None);
        self.head()[9..12].parse().expect("a status")
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = self.head();
        let mut lines = head.lines();
        let value = lines.find_map(|line| line.strip_prefix(&format!("{name}: ")))?;
        Some(value.to_owned())
    }

    pub(crate) fn body_bytes(&self) -> &[u8] {
        let end = self.bytes.windows(4).position(|at| at == b"\r\n\r\n");
        &self.bytes[end.expect("a whole head") + 4..]
    }

    pub(crate) fn body(&self) -> Value {
        assert_eq!(self.broken, None);
        serde_json::from_slice(self.body_bytes()).expect("JSON")
    }
}

impl Rig {
    pub(crate) async fn start(faults: Value) -> Self {
        let rig = Self::of(Scenario::built_in("shop").expect("it is built in")).await;
        let (status, answer) = rig.control("PUT", "faults", &faults).await;
        assert_eq!(status, 200, "{answer}");
        rig
    }

    pub(crate) async fn of(scenario: Scenario) -> Self {
        let emulator = Emulator::new(Settings {
            scenario,
            clock: EmulatorClock::Manual,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let server = tokio::spawn(serve(listener, emulator.clone(), shutdown));
        Self {
            emulator,
            address,
            stop,
            server,
        }
    }

    /// One rule.
    pub(crate) async fn with_rule(operation: &str, when: Value, then: Value) -> Self {
        let matches = json!({"operations": [operation]});
        let rule = json!({"name": "r", "match": matches, "when": when, "then": then});
        Self::start(json!({"rules": [rule]})).await
    }

    /// Sends a request and leaves the connection open.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> TcpStream {
        let mut stream = TcpStream::connect(self.address)
            .await
            .expect("the emulator accepts");
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: emulator\r\nauthorization: {SIGNED}\r\n\
             content-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("the emulator reads");
        stream
    }

    /// Calls an operation.
    pub(crate) async fn call(&self, operation: &str, body: Value) -> Heard {
        hear(self.send("POST", &format!("/{operation}"), &body).await).await
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("/_emulator/{path}");
        let heard = hear(self.send(method, &path, body).await).await;
        (heard.status(), heard.body())
    }

    /// Launches so many database servers.
    pub(crate) async fn launch(&self, servers: usize) -> Heard {
        self.call("StartRecovery", launch_of(servers)).await
    }

    /// The calls that the first rule has seen, and that it struck.
    pub(crate) async fn counts(&self) -> (u64, u64) {
        let (_, answer) = self.control("GET", "faults", &Value::Null).await;
        let count = &answer["counts"][0];
        (
            count["seen"].as_u64().expect("a number"),
            count["fired"].as_u64().expect("a number"),
        )
    }

    /// What the control API says that was launched.
    pub(crate) async fn launches(&self) -> Vec<Value> {
        let (_, answer) = self.control("GET", "launches", &Value::Null).await;
        answer["launches"].as_array().expect("a list").clone()
    }

    /// The jobs as they are told.
    pub(crate) async fn jobs(&self) -> Vec<Value> {
        let answer = self.call("DescribeJobs", json!({})).await.body();
        answer["items"].as_array().expect("a list").clone()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        let duration = SignedDuration::from_secs(seconds);
        let advanced = self.emulator.advance(duration);
        advanced.expect("the clock is manual");
    }

    /// Tells the emulator to end, and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("it serves");
        let served = self.server.await.expect("it does not panic");
        served.expect("it ends well");
    }
}

/// The request that launches so many database servers.
pub(crate) fn launch_of(servers: usize) -> Value {
    let server = |n: usize| json!({"sourceServerID": format!("s-10000000000db{n:04}")});
    let servers: Vec<Value> = (1..=servers).map(server).collect();
    json!({"sourceServers": servers, "isDrill": true, "tags": {"key": "k1"}})
}

/// Hears a connection to its end.
pub(crate) async fn hear(mut stream: TcpStream) -> Heard {
    let mut heard = Heard {
        bytes: Vec::new(),
        reads: 0,
        broken: None,
    };
    loop {
        match stream.read_buf(&mut heard.bytes).await {
            Ok(0) => return heard,
            Ok(_) => heard.reads += 1,
            Err(error) => {
                heard.broken = Some(error.kind());
                return heard;
            }
        }
    }
}
