//! What a hook is told of an HTTP response, and of what is none.

use std::{
    io::{self, Cursor},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::future::{Either, select};
use tidegate_hooks::{Limits, Problem, Scheme, Setting, Stream};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf, join, sink},
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    world::{World, endless, read_head},
    *,
};

/// Milliseconds in which any end is reached that is there to be reached.
const ENOUGH: u32 = 10_000;

/// Asks an endpoint that is all there is in this world.
async fn ask(world: World, method: Method, timeout_ms: u32) -> Answer {
    let probe = Probe {
        timeout_ms,
        request: Request::Http {
            method,
            path: "/health".to_owned(),
        },
        ..get_endpoint("api", "/")
    };
    let grants = granting("api", endpoint(Scheme::Http, "1.1.1.1", 80));
    let probes = Arc::new(world).probes(&grants, Setting::Production);
    soon(probes.probe(&probe)).await
}

async fn answered(bytes: impl Into<Vec<u8>>) -> Answer {
    ask(World::answering(bytes), Method::Get, 0).await
}

fn named<'a>(response: &'a Response, name: &str) -> Vec<&'a str> {
    let matching = response.headers.iter().filter(|(one, _)| one == name);
    matching.map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn a_response_is_told_as_it_came() {
    let response = response(
        answered(
            &b"HTTP/1.1 503 Busy\r\nX-B: 1\r\nContent-Length: 5\r\nx-a:  two \r\nX-Odd: caf\xe9\r\nX-B: 3\r\n\r\nhello"[..],
        )
        .await,
    );
    assert_eq!(response.status, 503);
    assert_eq!(response.body, b"hello");
    assert!(!response.truncated);
    assert_eq!(named(&response, "x-b"), ["1", "3"]);
    assert_eq!(named(&response, "x-a"), ["two"]);
    assert_eq!(named(&response, "x-odd"), ["caf\u{fffd}"]);
    let names: Vec<&str> = response
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["x-b", "x-b", "content-length", "x-a", "x-odd"]);
}

#[tokio::test]
async fn the_request_says_what_it_must_and_no_more() {
    for (host, port, expected) in [
        ("API.example", 80, "api.example"),
        ("api.example", 8080, "api.example:8080"),
        ("1.1.1.1", 8080, "1.1.1.1:8080"),
        ("2600::1", 80, "[2600::1]"),
    ] {
        let (heads, mut seen) = mpsc::unbounded_channel();
        let world = World::served(move |mut far| {
            let heads = heads.clone();
            async move {
                heads.send(read_head(&mut far).await).unwrap();
                far.write_all(b"HTTP/1.0 204 None\r\n\r\n").await.unwrap();
            }
        });
        let world = Arc::new(world.with_name("api.example", &[&["1.1.1.1"]]));
        let grants = granting("api", endpoint(Scheme::Http, host, port));
        let probes = world.probes(&grants, Setting::Production);
        let answer = probes.probe(&get_endpoint("api", "/a/b?c=d%20e")).await;
        assert_eq!(response(answer).status, 204);
        let head = seen.recv().await.unwrap();
        assert_eq!(
            head,
            format!(
                "GET /a/b?c=d%20e HTTP/1.1\r\nhost: {expected}\r\nuser-agent: tidegate\r\nconnection: close\r\n\r\n"
            ),
        );
    }
}

#[tokio::test]
async fn a_server_is_asked_by_its_address() {
    let (heads, mut seen) = mpsc::unbounded_channel();
    let world = Arc::new(World::served(move |mut far| {
        let heads = heads.clone();
        async move {
            heads.send(read_head(&mut far).await).unwrap();
            far.write_all(b"HTTP/1.1 200 OK\r\n\r\nup").await.unwrap();
        }
    }));
    let mut grants = Grants {
        ports: vec![8080],
        ..Grants::default()
    };
    grants.servers.insert("s".to_owned(), vec![ip("fd00::7")]);
    let probes = world.probes(&grants, Setting::Production);
    let response = response(probes.probe(&get(server("s", 8080), "/")).await);
    assert_eq!(response.body, b"up");
    assert!(
        seen.recv()
            .await
            .unwrap()
            .contains("host: [fd00::7]:8080\r\n")
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let bytes = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n";
    let world = Arc::new(World::answering(bytes).with_name("api.example", &[&["1.1.1.1"]]));
    let grants = granting("api", endpoint(Scheme::Http, "api.example", 80));
    let probes = world.probes(&grants, Setting::Production);
    let response = response(probes.probe(&get_endpoint("api", "/")).await);
    assert_eq!(response.status, 302);
    assert_eq!(
        named(&response, "location"),
        ["http://169.254.169.254/latest/meta-data/"]
    );
    assert_eq!(world.dialled(), ["1.1.1.1:80"]);
    assert_eq!(world.resolved(), ["api.example"]);
}

#[tokio::test]
async fn bodies_are_read_however_they_are_framed() {
    for (bytes, body) in [
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
            "abcde",
        ),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
        ("HTTP/1.0 200 OK\r\n\r\nold", "old"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n",
            "ok",
        ),
        (
            "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!",
            "!",
        ),
    ] {
        let response = response(answered(bytes).await);
        assert_eq!(
            (response.status, response.truncated),
            (200, false),
            "{bytes}"
        );
        assert_eq!(response.body, body.as_bytes(), "{bytes}");
        assert!(named(&response, "x-t").is_empty() && named(&response, "link").is_empty());
    }
}

#[tokio::test]
async fn head_and_empty_statuses_have_no_body_whatever_they_announce() {
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    let response = super::response(ask(World::answering(length), Method::Head, 0).await);
    assert_eq!((response.body.len(), response.truncated), (0, false));
    assert_eq!(named(&response, "content-length"), ["1000"]);
    for status in ["204 None", "304 Same"] {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 1000\r\n\r\n");
        assert_eq!(super::response(answered(head).await).body, b"", "{status}");
    }
}

#[tokio::test]
async fn a_body_is_cut_at_its_limit_and_said_to_be_cut_only_if_it_is() {
    let limit = Limits::DEFAULT.body;
    for (length, truncated) in [
        (limit - 1, false),
        (limit, false),
        (limit + 1, true),
        (3 * limit, true),
    ] {
        let body = "b".repeat(length);
        for head in [format!("Content-Length: {length}\r\n"), String::new()] {
            let answer = answered(format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}")).await;
            let response = response(answer);
            assert_eq!(response.truncated, truncated, "{length} {head}");
            assert_eq!(response.body.len(), length.min(limit));
        }
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_and_its_connection_closed() {
    let chunk = "5\r\nabcde\r\n";
    let (beginning, data) = ("HTTP/1.1 200 OK\r\n\r\n", "a line of log\n");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (beginning, piece) in [(beginning, data), (chunked, chunk)] {
        let (world, mut closed) = endless(beginning, piece);
        let response = response(ask(world, Method::Get, ENOUGH).await);
        assert!(response.truncated);
        assert_eq!(response.body.len(), Limits::DEFAULT.body);
        let taken = closed.recv().await.unwrap();
        assert!(taken < 4 * Limits::DEFAULT.body, "{taken}");
    }
}

#[tokio::test]
async fn what_has_no_end_where_a_response_has_one_is_not_a_response() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (beginning, piece) in [
        ("HTTP/1.1 200 OK\r\n", "X-More: and more\r\n"),
        ("HTTP/1.1 200 OK\r\nX-Long: ", "aaaaaaaaaaaaaaaaaaaa"),
        ("HTTP/1.1 200 ", "aaaaaaaaaaaaaaaaaaaa"),
        ("", "\r\n"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("", "HTTP/1.1 103 Early\r\nLink: a\r\n\r\n"),
        (
            chunked,
            "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nb\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "X-More: and more\r\n",
        ),
    ] {
        let (world, mut closed) = endless(beginning, piece);
        failed(ask(world, Method::Get, ENOUGH).await, Problem::Protocol);
        let taken = closed.recv().await.unwrap();
        assert!(taken < 10 * Limits::DEFAULT.body, "{taken} for {piece:?}");
    }
}

#[tokio::test]
async fn a_head_may_have_64_headers_and_16_kib() {
    let with = |headers: usize| {
        let headers = "A: b\r\n".repeat(headers);
        answered(format!("HTTP/1.1 200 OK\r\n{headers}\r\n"))
    };
    assert_eq!(response(with(64).await).headers.len(), 64);
    failed(with(65).await, Problem::Protocol);

    let sized = |bytes: usize| {
        let (start, end) = ("HTTP/1.1 200 OK\r\nA: ", "\r\n\r\n");
        let value = "v".repeat(bytes - start.len() - end.len());
        answered(format!("{start}{value}{end}"))
    };
    assert_eq!(response(sized(16 << 10).await).status, 200);
    failed(sized((16 << 10) + 1).await, Problem::Protocol);
}

#[tokio::test]
async fn what_is_not_http_is_told_so() {
    for bytes in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 20\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"\0\0\0\0\0\0\0\0",
        b"<html>hello</html>",
    ] {
        let message = failed(answered(bytes).await, Problem::Protocol);
        assert!(message.starts_with("not a response"), "{message}");
    }
}

#[tokio::test]
async fn a_banner_before_the_request_is_not_a_response() {
    let world = World::new(Box::new(|_| {
        let banner = Cursor::new(b"220 mail ready\r\n".to_vec());
        Ok(Box::new(join(banner.chain(Silence), sink())) as Stream)
    }));
    failed(ask(world, Method::Get, 0).await, Problem::Protocol);
}

#[tokio::test]
async fn a_connection_that_ends_too_early_was_broken() {
    for bytes in [
        "",
        "HTTP/1.1 2",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        failed(answered(bytes).await, Problem::Unreachable);
    }
}

#[tokio::test]
async fn a_connection_that_is_reset_was_broken() {
    for beginning in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    ] {
        let world = World::new(Box::new(move |_| {
            let (asked, question) = oneshot::channel();
            let read = Reset {
                question,
                left: beginning.as_bytes(),
            };
            Ok(Box::new(join(read, Asked(Some(asked)))) as Stream)
        }));
        let message = failed(ask(world, Method::Get, 0).await, Problem::Unreachable);
        assert!(message.contains("reset"), "{message}");
    }
}

/// Takes a request and says so.
struct Asked(Option<oneshot::Sender<()>>);

impl AsyncWrite for Asked {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        request: &[u8],
    ) -> Poll<io::Result<usize>> {
        drop(self.0.take());
        Poll::Ready(Ok(request.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Once it was asked, the other end begins an answer, and is gone.
struct Reset {
    question: oneshot::Receiver<()>,
    left: &'static [u8],
}

impl AsyncRead for Reset {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.question.is_terminated() {
            let _ = ready!(Pin::new(&mut self.question).poll(cx));
        }
        if self.left.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        buf.put_slice(self.left);
        self.left = &[];
        Poll::Ready(Ok(()))
    }
}

/// The other end says no more.
struct Silence;

impl AsyncRead for Silence {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_waits_no_longer_than_it_may() {
    for beginning in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
    ] {
        let (closed, mut ends) = mpsc::unbounded_channel();
        let world = World::served(move |mut far| {
            let closed = closed.clone();
            async move {
                read_head(&mut far).await;
                far.write_all(beginning.as_bytes()).await.unwrap();
                let rest = far.read(&mut [0; 1]).await;
                closed.send(rest.unwrap()).unwrap();
            }
        });
        let started = Instant::now();
        let message = failed(ask(world, Method::Get, 250).await, Problem::TimedOut);
        assert_eq!(
            started.elapsed(),
            Duration::from_millis(250),
            "{beginning:?}"
        );
        assert_eq!(message, "no answer within 250 ms");
        assert_eq!(ends.recv().await, Some(0), "the connection is closed");
    }
}

#[tokio::test(start_paused = true)]
async fn how_long_it_took_is_told() {
    let world = World::served(|mut far| async move {
        read_head(&mut far).await;
        tokio::time::sleep(Duration::from_millis(40)).await;
        far.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
        far.write_all(b"late").await.unwrap();
    });
    let response = response(ask(world, Method::Get, 250).await);
    assert_eq!(response.elapsed_ms, 42);
    assert_eq!(response.body, b"late");
}

#[tokio::test]
async fn a_probe_that_is_dropped_closes_its_connection() {
    let (events, mut seen) = mpsc::unbounded_channel();
    let world = Arc::new(World::served(move |mut far| {
        let events = events.clone();
        async move {
            read_head(&mut far).await;
            events.send("asked").unwrap();
            assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0);
            events.send("closed").unwrap();
        }
    }));
    let grants = granting("api", endpoint(Scheme::Http, "1.1.1.1", 80));
    let probes = world.probes(&grants, Setting::Production);
    let probe = get_endpoint("api", "/");
    let asked = Box::pin(seen.recv());
    match select(probes.probe(&probe), asked).await {
        Either::Left((answer, _)) => panic!("nobody answered: {answer:?}"),
        Either::Right((event, unanswered)) => {
            assert_eq!(event, Some("asked"));
            drop(unanswered);
        }
    }
    assert_eq!(seen.recv().await, Some("closed"));
}
