//! Bytes that no client of ours would send. What they meet is an error or a
//! closed connection; everybody else is served as before.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tonic::{Code, Status};

use super::{
    raw_grpc::{assert_serving, call},
    stack::Stack,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A SETTINGS frame without settings.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// How long the gateway may hold on to a connection that its peer has ended.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn bytes_that_are_no_http2_end_their_own_connection_only() {
    let stack = Stack::start("shop");
    for seed in 1..=16 {
        throw(&stack, &noise(seed, 4096)).await;
    }
    throw(&stack, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    throw(&stack, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await;
    assert_serving(stack.address()).await;
}

#[tokio::test]
async fn http2_that_breaks_off_or_is_malformed_ends_its_own_connection_only() {
    let stack = Stack::start("shop");
    for length in [1, 14, PREFACE.len() - 1, PREFACE.len()] {
        throw(&stack, &PREFACE[..length]).await;
    }
    for seed in 1..=16 {
        throw(&stack, &[PREFACE, SETTINGS, &noise(seed, 4096)].concat()).await;
    }
    let huge = frame(HEADERS, 0xff_ffff, &vec![b'a'; 1 << 20]);
    throw(&stack, &[PREFACE, SETTINGS, &huge].concat()).await;
    assert_serving(stack.address()).await;
}

#[tokio::test]
async fn headers_without_end_are_cut_off() {
    let stack = Stack::start("shop");
    let piece = vec![b'a'; 16_384];
    let mut endless = [PREFACE, SETTINGS].concat();
    endless.extend(frame(HEADERS, piece.len(), &piece));
    for _ in 0..256 {
        endless.extend(frame(CONTINUATION, piece.len(), &piece));
    }
    throw(&stack, &endless).await;
    assert_serving(stack.address()).await;
}

#[tokio::test]
async fn text_that_is_not_utf8_is_refused_and_not_looked_up() {
    let stack = Stack::start("shop");
    // Field 1, two bytes, neither of which begins a character.
    let message = [0x0a, 2, 0xff, 0xfe];
    for method in ["ExecutionService/GetExecution", "PlanService/GetPlan"] {
        let status = refusal(&stack, &format!("/tidegate.v1.{method}"), &message).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert!(status.message().contains("UTF-8"), "{status:?}");
        assert!(
            details(&status).contains("REQUEST_UNREADABLE"),
            "{status:?}"
        );
    }
    assert_serving(stack.address()).await;
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let stack = Stack::start("shop");
    for seed in 1..=32 {
        let method = "/tidegate.v1.ExecutionService/StartExecution";
        let status = refusal(&stack, method, &noise(seed, 200)).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{seed}: {status:?}");
        assert!(details(&status).contains("ErrorInfo"), "{status:?}");
    }
    assert_serving(stack.address()).await;
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_unimplemented() {
    let stack = Stack::start("shop");
    for method in [
        "/tidegate.v1.ExecutionService/Destroy",
        "/tidegate.v2.ExecutionService/Pause",
        "/",
        "/tidegate.v1.ExecutionService/../PlanService/GetPlan",
    ] {
        let status = refusal(&stack, method, &[]).await;
        assert_eq!(status.code(), Code::Unimplemented, "{method}: {status:?}");
    }
    assert_serving(stack.address()).await;
}

const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;

/// The error that a message of these bytes is answered with.
async fn refusal(stack: &Stack, method: &str, message: &[u8]) -> Status {
    let answer = call(stack.address(), method, message).await;
    answer.expect_err("it is no request")
}

/// What is readable of a status's details.
fn details(status: &Status) -> String {
    String::from_utf8_lossy(status.details()).into_owned()
}

/// A frame of stream 1 that claims this length.
fn frame(kind: u8, length: usize, payload: &[u8]) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(length).expect("24 bits").to_be_bytes();
    let head = [high, middle, low, kind, 0, 0, 0, 0, 1];
    [&head, payload].concat()
}

/// Sends these bytes and nothing more, and waits until the gateway has ended
/// the connection too.
async fn throw(stack: &Stack, bytes: &[u8]) {
    let mut socket = TcpStream::connect(stack.authority())
        .await
        .expect("the gateway listens");
    let thrown = async {
        // It may have heard enough before all is sent.
        let _ = socket.write_all(bytes).await;
        let _ = socket.shutdown().await;
        let _ = socket.read_to_end(&mut Vec::new()).await;
    };
    let ended = timeout(PATIENCE, thrown).await;
    assert!(ended.is_ok(), "the gateway holds on to a dead connection");
}

/// Bytes without meaning, the same for the same seed (xorshift64*).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}
