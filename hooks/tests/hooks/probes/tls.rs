//! Certificates: only the endpoint's own authority and its own name count.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tidegate_hooks::{Endpoint, Limits, LiveProbes, Network, Problem, Scheme, Setting};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring},
};

use super::*;

/// An authority and what it signs.
pub(super) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("Recovery")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    pub(super) fn pem(&self) -> String {
        self.pem.clone()
    }

    /// A server with a certificate for this name.
    fn acceptor(&self, name: &str, last_year: i32) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A listener on this machine that answers over TLS; its port.
async fn listening(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = async move |stream: TcpStream| {
        let mut stream = acceptor.accept(stream).await?;
        let mut head = [0; 512];
        let read = stream.read(&mut head).await?;
        assert!(head[..read].starts_with(b"GET /health HTTP/1.1\r\nhost: "));
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nsafe").await?;
        stream.shutdown().await
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust it breaks off.
            let _ = answer(stream).await;
        }
    });
    port
}

async fn ask(endpoint: Endpoint) -> Answer {
    let grants = granting("api", endpoint);
    let limits = Limits::DEFAULT;
    let probes =
        LiveProbes::new(&grants, &limits, Setting::Development, Network::system()).unwrap();
    probes.probe(&get_endpoint("api", "/health")).await
}

fn trusting(authority: &Authority, host: &str, port: u16, server_name: &str) -> Endpoint {
    Endpoint {
        ca_pem: authority.pem(),
        server_name: server_name.to_owned(),
        ..endpoint(Scheme::Https, host, port)
    }
}

#[tokio::test]
async fn the_right_certificate_for_the_right_name_is_trusted() {
    let authority = Authority::new();
    for (named, host, server_name) in [
        ("localhost", "localhost", ""),
        ("localhost", "LOCALHOST", ""),
        ("127.0.0.1", "127.0.0.1", ""),
        ("api.internal", "127.0.0.1", "api.internal"),
    ] {
        let port = listening(authority.acceptor(named, 4000)).await;
        let answer = ask(trusting(&authority, host, port, server_name)).await;
        assert_eq!(response(answer).body, b"safe", "{named} {host}");
    }
}

#[tokio::test]
async fn one_of_several_authorities_is_enough() {
    let (first, second) = (Authority::new(), Authority::new());
    let port = listening(second.acceptor("localhost", 4000)).await;
    let mut endpoint = trusting(&first, "localhost", port, "");
    endpoint.ca_pem.push_str(&second.pem());
    assert_eq!(response(ask(endpoint).await).body, b"safe");
}

#[tokio::test]
async fn any_other_certificate_is_not_and_what_was_expected_is_said() {
    let (ours, theirs) = (Authority::new(), Authority::named("Somebody"));
    let namesake = Authority::new();
    for (acceptor, server_name, reason) in [
        (namesake.acceptor("localhost", 4000), "", "BadSignature"),
        (theirs.acceptor("localhost", 4000), "", "UnknownIssuer"),
        (
            ours.acceptor("other.internal", 4000),
            "",
            "not valid for name",
        ),
        (
            ours.acceptor("localhost", 4000),
            "api.internal",
            "not valid for name",
        ),
        (ours.acceptor("localhost", 2001), "", "expired"),
    ] {
        let port = listening(acceptor).await;
        let message = failed(
            ask(trusting(&ours, "localhost", port, server_name)).await,
            Problem::Tls,
        );
        let name = if server_name.is_empty() {
            "localhost"
        } else {
            server_name
        };
        assert!(
            message.starts_with(&format!("expected a certificate for `{name}`")),
            "{message}"
        );
        assert!(message.contains(reason), "{message}");
    }
}

#[tokio::test]
async fn what_does_not_speak_tls_fails_as_tls_and_what_hangs_up_was_broken() {
    let authority = Authority::new();
    for (bytes, problem) in [
        (&b"HTTP/1.1 400 Bad\r\n\r\n"[..], Problem::Tls),
        (b"", Problem::Unreachable),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = [0; 4096];
            assert!(stream.read(&mut hello).await.unwrap() > 0);
            stream.write_all(bytes).await.unwrap();
        });
        failed(
            ask(trusting(&authority, "localhost", port, "")).await,
            problem,
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_hangs_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let grants = granting("api", trusting(&Authority::new(), "127.0.0.1", port, ""));
    let limits = Limits::DEFAULT;
    let probes =
        LiveProbes::new(&grants, &limits, Setting::Development, Network::system()).unwrap();
    let mut probe = get_endpoint("api", "/health");
    probe.timeout_ms = 60_000;
    failed(soon(probes.probe(&probe)).await, Problem::TimedOut);
    drop(listener);
}
