//! A way to a real DynamoDB Local on which things happen to calls.

use std::sync::Arc;

use tidegate_gateway::adapters::journal_dynamodb::Settings;
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::answers::{Request, message, request};

/// What happens to a call.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It is made and answered.
    Answered,
    /// It is made, and the connection breaks before the answer.
    Lost,
    /// It is not made, and answered with an error of this code.
    Refused(&'static str),
    /// It is not made, and answered with this body.
    Instead(String),
    /// It is made and answered, once this is opened.
    Held(Arc<Gate>),
}

/// Where calls are held.
#[derive(Debug)]
pub(crate) struct Gate {
    waiting: Semaphore,
    open: Semaphore,
}

impl Gate {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            waiting: Semaphore::new(0),
            open: Semaphore::new(0),
        })
    }

    /// Waits until a further call is held.
    pub(crate) async fn holds(&self) {
        self.waiting.acquire().await.unwrap().forget();
    }

    /// Lets every call pass from now on.
    pub(crate) fn open(&self) {
        self.open.add_permits(1);
    }

    async fn pass(&self) {
        self.waiting.add_permits(1);
        drop(self.open.acquire().await.unwrap());
    }
}

type Decide = dyn Fn(&Request) -> Fate + Send + Sync;

/// The same table, reached by a way on which this decides about calls.
pub(crate) async fn before(
    settings: Settings,
    decide: impl Fn(&Request) -> Fate + Send + Sync + 'static,
) -> Settings {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let there = settings.endpoint.clone().unwrap();
    let decide: Arc<Decide> = Arc::new(decide);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(lead(stream, there.clone(), Arc::clone(&decide)));
        }
    });
    Settings {
        endpoint: Some(url),
        ..settings
    }
}

impl Request {
    pub(super) fn is_write(&self) -> bool {
        matches!(
            self.operation.as_str(),
            "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems"
        )
    }
}

async fn lead(stream: TcpStream, there: String, decide: Arc<Decide>) {
    let address = there.strip_prefix("http://").unwrap();
    let mut inside = BufReader::new(TcpStream::connect(address).await.unwrap());
    let mut stream = BufReader::new(stream);
    while let Some(call) = request(&mut stream).await {
        let fate = decide(&call);
        if let Fate::Held(gate) = &fate {
            gate.pass().await;
        }
        let is_lost = matches!(fate, Fate::Lost);
        let answer = match fate {
            Fate::Refused(code) => refusal(code),
            Fate::Instead(body) => said(200, &body),
            Fate::Answered | Fate::Lost | Fate::Held(_) => {
                inside.write_all(&call.raw).await.unwrap();
                message(&mut inside).await.unwrap().0
            }
        };
        if is_lost || stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

fn refusal(code: &str) -> Vec<u8> {
    let body =
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"because"}}"#);
    said(400, &body)
}

fn said(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\n");
    format!("{head}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}
