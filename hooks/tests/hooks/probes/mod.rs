//! Probes against a world that records what would be dialled and never dials
//! anything, and against listeners on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod endpoints;
mod grants;
mod names;
mod sockets;
mod tls;
mod world;

use std::{net::IpAddr, time::Duration};

use tidegate_hooks::{
    Answer, Endpoint, Grants, Method, Probe, ProbeFailure, Probes as _, Problem, Request, Response,
    Scheme, Target,
};

/// An answer that has to come, of the test's own clock.
async fn soon(answer: impl Future<Output = Answer>) -> Answer {
    let hour = Duration::from_secs(3600);
    let answer = tokio::time::timeout(hour, answer).await;
    answer.expect("a probe ends")
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn endpoint(scheme: Scheme, host: &str, port: u16) -> Endpoint {
    Endpoint {
        scheme,
        host: host.to_owned(),
        port,
        path_prefix: String::new(),
        cidrs: Vec::new(),
        ca_pem: String::new(),
        server_name: String::new(),
    }
}

fn granting(name: &str, endpoint: Endpoint) -> Grants {
    let mut grants = Grants::default();
    grants.endpoints.insert(name.to_owned(), endpoint);
    grants
}

fn server(server: &str, port: u32) -> Target {
    Target::Server {
        server: server.to_owned(),
        port,
    }
}

fn tcp(target: Target) -> Probe {
    Probe {
        target,
        timeout_ms: 0,
        request: Request::Tcp,
    }
}

fn get(target: Target, path: &str) -> Probe {
    Probe {
        target,
        timeout_ms: 0,
        request: Request::Http {
            method: Method::Get,
            path: path.to_owned(),
        },
    }
}

fn get_endpoint(name: &str, path: &str) -> Probe {
    get(Target::Endpoint(name.to_owned()), path)
}

fn tcp_endpoint(name: &str) -> Probe {
    tcp(Target::Endpoint(name.to_owned()))
}

#[track_caller]
fn response(answer: Answer) -> Response {
    match answer {
        Answer::Response(response) => response,
        Answer::Connected { .. } | Answer::Failed(_) => panic!("no response: {answer:?}"),
    }
}

/// The message of a failure of this kind.
#[track_caller]
fn failed(answer: Answer, expected: Problem) -> String {
    match answer {
        Answer::Failed(ProbeFailure { problem, message }) if problem == expected => message,
        Answer::Failed(_) | Answer::Connected { .. } | Answer::Response(_) => {
            panic!("not {expected:?}: {answer:?}")
        }
    }
}

#[track_caller]
fn connected(answer: &Answer) {
    assert!(matches!(answer, Answer::Connected { .. }), "{answer:?}");
}
