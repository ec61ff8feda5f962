//! A DynamoDB that answers as a test says, over HTTP on loopback.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tidegate_gateway::adapters::journal_dynamodb::{Settings, Timeouts};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// What it does with a call.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Answers with this status and body.
    Says(u16, String),
    /// Reads the call and closes the connection.
    HangsUp,
    /// Reads the call and says nothing.
    Nothing,
}

type Script = dyn Fn(&str, &str) -> Answer + Send + Sync;

/// A running endpoint.
pub(super) struct Endpoint {
    pub(super) url: String,
    /// Operations that were called, in order.
    pub(super) called: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    /// Answers each call by its operation and body.
    pub(super) async fn start(
        script: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let called = Arc::<Mutex<Vec<String>>>::default();
        let script: Arc<Script> = Arc::new(script);
        let heard = Arc::clone(&called);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&heard)));
            }
        });
        Self { url, called }
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            endpoint: Some(self.url.clone()),
            region: Some("eu-west-1".to_owned()),
            timeouts: Timeouts {
                write: Duration::from_millis(300),
                ..Timeouts::default()
            },
            ..Settings::new("journal")
        }
    }
}

/// An error as DynamoDB spells it.
pub(super) fn error(code: &str, message: &str) -> Answer {
    let body =
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"{message}"}}"#);
    Answer::Says(400, body)
}

/// What DynamoDB says of one of our tables.
pub(super) fn good(operation: &str, body: &str) -> Option<Answer> {
    let said = match operation {
        "DescribeTable" => TABLE,
        "DescribeContinuousBackups" => {
            r#"{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"ENABLED"}}}"#
        }
        "DescribeTimeToLive" => {
            r#"{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"expires"}}"#
        }
        "GetItem" if body.contains("\"table\"") => {
            r#"{"Item":{"pk":{"S":"cluster"},"sk":{"S":"table"},"format":{"N":"1"},"partitions":{"N":"4"}}}"#
        }
        "GetItem" => "{}",
        "Query" => r#"{"Items":[],"Count":0,"ScannedCount":0}"#,
        _ => return None,
    };
    Some(Answer::Says(200, said.to_owned()))
}

/// A table as it should be.
pub(super) const TABLE: &str = r#"{"Table":{"TableName":"journal","TableStatus":"ACTIVE",
"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},{"AttributeName":"live","AttributeType":"S"}],
"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"},
"LocalSecondaryIndexes":[{"IndexName":"live","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"live","KeyType":"RANGE"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["summary","servers","id"]}}]}}"#;

async fn serve(stream: TcpStream, script: Arc<Script>, called: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(Request {
        operation, body, ..
    }) = request(&mut stream).await
    {
        called.lock().unwrap().push(operation.clone());
        let (status, body) = match script(&operation, &body) {
            Answer::Says(status, body) => (status, body),
            Answer::HangsUp => return,
            Answer::Nothing => return std::future::pending().await,
        };
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A call.
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(super) body: String,
    /// All of it, as it came.
    pub(super) raw: Vec<u8>,
}

/// The next call of a connection.
pub(super) async fn request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let (raw, fields) = message(stream).await?;
    let target = fields.iter().find(|(name, _)| name == "x-amz-target");
    let operation = target.and_then(|(_, value)| value.rsplit('.').next());
    let operation = operation.unwrap_or_default();
    let known = OPERATIONS
        .iter()
        .find(|it| it.eq_ignore_ascii_case(operation));
    let start = raw.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    Some(Request {
        operation: known.copied().unwrap_or(operation).to_owned(),
        body: String::from_utf8(raw[start..].to_vec()).ok()?,
        raw,
    })
}

/// The next message of a connection as it came, and its fields in lower case.
pub(super) async fn message(
    stream: &mut BufReader<TcpStream>,
) -> Option<(Vec<u8>, Vec<(String, String)>)> {
    let (mut raw, mut fields) = (Vec::new(), Vec::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        raw.extend_from_slice(line.as_bytes());
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    let length = fields.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(Ok(0), |(_, value)| value.parse()).ok()?;
    let head = raw.len();
    raw.resize(head + length, 0);
    stream.read_exact(&mut raw[head..]).await.ok()?;
    Some((raw, fields))
}

/// As they are spelled.
const OPERATIONS: [&str; 10] = [
    "DescribeTable",
    "DescribeContinuousBackups",
    "DescribeTimeToLive",
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "TransactWriteItems",
    "UpdateContinuousBackups",
];
