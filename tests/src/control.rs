//! The control API of an emulator that is a process of its own.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::Value;

/// What the emulator at `address` (`http://HOST:PORT`) answers to a request
/// for `/_emulator/PATH`.
///
/// # Panics
/// If it does not answer, or refuses.
#[must_use]
pub fn control(address: &str, method: &str, path: &str, body: &str) -> Value {
    let address = address.strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(address).expect("the emulator listens");
    let request = format!(
        "{method} /_emulator/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}
