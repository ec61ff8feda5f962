//! A server of HTTP that answers what a test says, or not at all.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A request that was read.
pub(crate) struct Request {
    pub(crate) path: String,
    /// The request line and the headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// What is done after a request was read.
pub(crate) enum Answer {
    /// Status, further headers (each with its line end), body.
    Http(u16, &'static str, String),
    /// Bytes that are no HTTP.
    Garbage,
    /// The connection is closed.
    HangUp,
    /// Nothing, for as long as the caller waits.
    Silence,
}

/// A running server.
pub(crate) struct Scripted {
    pub(crate) url: String,
    requests: Arc<AtomicUsize>,
}

impl Scripted {
    pub(crate) async fn new(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let (script, count) = (Arc::new(script), requests.clone());
        // Ends with the test's runtime.
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), count.clone()));
            }
        });
        let url = format!("http://{address}");
        Self { url, requests }
    }

    /// How many requests were read.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

pub(crate) fn ok(body: impl Into<String>) -> Answer {
    Answer::Http(200, "", body.into())
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<impl Fn(&Request) -> Answer>,
    count: Arc<AtomicUsize>,
) {
    while let Some(request) = read(&mut stream).await {
        count.fetch_add(1, Ordering::SeqCst);
        let bytes = match script(&request) {
            Answer::Http(status, headers, body) => format!(
                "HTTP/1.1 {status} Status\r\n{headers}content-length: {}\r\n\r\n{body}",
                body.len()
            ),
            Answer::Garbage => "what is this?\r\n\r\n".to_owned(),
            Answer::HangUp => return,
            Answer::Silence => std::future::pending().await,
        };
        if stream.write_all(bytes.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request; `None` at the end.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head + 4 + length.unwrap_or(0);
    while bytes.len() < end {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request {
        path: text.split(' ').nth(1).unwrap_or_default().to_owned(),
        head: text,
        body: String::from_utf8_lossy(&bytes[head + 4..end]).into_owned(),
    })
}
