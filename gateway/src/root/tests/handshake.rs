//! Connections that never become any: silent, or silent after a few bytes.

use tidegate_proto::v1::gateway_service_client::GatewayServiceClient;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A SETTINGS frame without settings.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const LONG: Duration = Duration::from_secs(3_600);

/// A gateway whose settings were changed.
async fn gateway(change: impl FnOnce(&mut Config)) -> Gateway {
    let mut config = config();
    change(&mut config);
    let ports = Ports::in_memory(Arc::new(CalmDrs::default()));
    Gateway::start_with(config, ports).await.unwrap()
}

/// A connection on which these bytes were sent and nothing follows.
async fn silent(gateway: &Gateway, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(gateway.address()).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    socket
}

/// Resolves when the gateway has closed the connection.
async fn closed(mut socket: TcpStream) {
    // What was not read may make of the end a reset.
    let _ = socket.read_to_end(&mut Vec::new()).await;
}

async fn is_served(gateway: &Gateway) -> bool {
    let mut client = GatewayServiceClient::new(connect(gateway).await);
    let request = v1::GetGatewayInfoRequest {};
    client.get_gateway_info(request).await.is_ok()
}

#[tokio::test]
async fn a_client_that_does_not_greet_in_time_makes_room_for_others() {
    let beginnings = [
        &b""[..],
        &PREFACE[..1],
        &PREFACE[..PREFACE.len() - 1],
        PREFACE,
        &[PREFACE, &SETTINGS[..5]].concat(),
    ];
    let gateway = gateway(|config| {
        config.limits.connections = beginnings.len().try_into().unwrap();
        config.listen.handshake_timeout = Duration::from_millis(500).into();
    })
    .await;
    let mut sockets = Vec::new();
    for bytes in beginnings {
        sockets.push(silent(&gateway, bytes).await);
    }

    for socket in sockets {
        closed(socket).await;
    }
    assert!(is_served(&gateway).await);
    gateway.shut_down().await;
}

#[tokio::test]
async fn a_tls_handshake_that_breaks_off_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let write = |name: &str, content: String| {
        let file = dir.path().join(name);
        std::fs::write(&file, content).unwrap();
        Some(file)
    };
    let gateway = gateway(|config| {
        config.tls.cert = write("cert.pem", own.cert.pem());
        config.tls.key = write("key.pem", own.signing_key.serialize_pem());
        config.listen.handshake_timeout = Duration::from_millis(500).into();
    })
    .await;
    // The head of a ClientHello of 512 bytes.
    for bytes in [&b""[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        closed(silent(&gateway, bytes).await).await;
    }
    gateway.shut_down().await;
}

#[tokio::test]
async fn a_client_that_greeted_may_be_idle_for_longer() {
    let mut world = World::with(|config| {
        config.listen.handshake_timeout = Duration::from_millis(500).into();
    })
    .await;
    // It is closed later than the client's own connection would have been.
    closed(silent(&world.gateway, b"").await).await;
    world.store(fixtures::shop()).await;
    let stored = world.plans.list_plans(v1::ListPlansRequest::default());
    assert_eq!(stored.await.unwrap().into_inner().plans.len(), 1);
}

#[tokio::test]
async fn a_gateway_that_ends_does_not_wait_for_clients_without_requests() {
    let gateway = gateway(|config| {
        config.listen.handshake_timeout = LONG.into();
        config.drain.timeout = LONG.into();
    })
    .await;
    let greeting = [PREFACE, SETTINGS].concat();
    let mut sockets = Vec::new();
    for bytes in [&b""[..], &PREFACE[..10], &greeting] {
        sockets.push(silent(&gateway, bytes).await);
    }
    assert!(is_served(&gateway).await);

    let ended = tokio::time::timeout(Duration::from_secs(20), gateway.shut_down());
    ended.await.expect("nothing is under way");
    for socket in sockets {
        closed(socket).await;
    }
}
