//! Real connections, all of them to this machine.

use std::sync::Arc;

use tidegate_hooks::{Limits, LiveProbes, Network, Problem, Scheme, Setting};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{world::World, *};

fn probes(grants: &Grants, setting: Setting) -> LiveProbes {
    LiveProbes::new(grants, &Limits::DEFAULT, setting, Network::system()).unwrap()
}

fn grants(port: u16) -> Grants {
    let mut grants = granting("by-name", endpoint(Scheme::Http, "localhost", port));
    let by_address = endpoint(Scheme::Http, "127.0.0.1", port);
    grants.endpoints.insert("by-address".to_owned(), by_address);
    grants.servers.insert("s".to_owned(), vec![ip("127.0.0.1")]);
    grants.ports.push(port);
    grants
}

#[tokio::test]
async fn in_development_this_machine_is_reached_as_server_and_as_endpoint() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 512];
            if stream.read(&mut head).await.is_ok_and(|read| read > 0) {
                let up = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nup";
                stream.write_all(up).await.unwrap();
            }
        }
    });
    let probes = probes(&grants(port), Setting::Development);
    let at = || server("s", port.into());
    connected(&probes.probe(&tcp(at())).await);
    connected(&probes.probe(&tcp_endpoint("by-name")).await);
    for probe in [
        get(at(), "/"),
        get_endpoint("by-name", "/"),
        get_endpoint("by-address", "/"),
    ] {
        assert_eq!(response(probes.probe(&probe).await).body, b"up");
    }
}

#[tokio::test]
async fn in_production_this_machine_is_not_reached_though_it_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let probes = probes(&grants(port), Setting::Production);
    for probe in [
        tcp(server("s", port.into())),
        tcp_endpoint("by-name"),
        tcp_endpoint("by-address"),
    ] {
        let message = failed(probes.probe(&probe).await, Problem::Denied);
        assert!(message.contains("rule loopback"), "{message}");
    }
}

#[tokio::test]
async fn development_excuses_no_other_address() {
    for address in [
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "2002:7f00:1::",
    ] {
        let world = Arc::new(World::silent().with_name("db.example", &[&["127.0.0.1", address]]));
        let grants = granting("db", endpoint(Scheme::Tcp, "db.example", 5432));
        let probes = world.probes(&grants, Setting::Development);
        failed(probes.probe(&tcp_endpoint("db")).await, Problem::Denied);
        assert!(world.dialled().is_empty());
    }
}

#[tokio::test]
async fn where_nobody_listens_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let probes = probes(&grants(port), Setting::Development);
    failed(
        probes.probe(&tcp(server("s", port.into()))).await,
        Problem::Refused,
    );
    failed(
        probes.probe(&get_endpoint("by-address", "/")).await,
        Problem::Refused,
    );
}

#[tokio::test]
async fn a_peer_that_resets_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // Closing with the request unread makes the system send a reset.
        stream.readable().await.unwrap();
    });
    let probes = probes(&grants(port), Setting::Development);
    failed(
        probes.probe(&get_endpoint("by-address", "/")).await,
        Problem::Unreachable,
    );
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_never_answers_is_given_up() {
    // The system accepts on behalf of a listener that does not.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let probes = probes(&grants(port), Setting::Development);
    let mut probe = get_endpoint("by-address", "/");
    probe.timeout_ms = 60_000;
    failed(soon(probes.probe(&probe)).await, Problem::TimedOut);
    drop(listener);
}
