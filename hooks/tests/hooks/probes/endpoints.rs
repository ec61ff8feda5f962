//! What a plan writes about an endpoint is checked where the plan is read,
//! and what is wrong with it is said by the field.

use tidegate_hooks::{Endpoint, Scheme};

use super::{endpoint, tls::Authority};

/// Changes one thing about an endpoint.
type Change = fn(&mut Endpoint);

#[track_caller]
fn wrong(endpoint: &Endpoint, said: &str) {
    let error = endpoint.check().expect_err(said).to_string();
    assert!(error.starts_with(said), "{error}");
}

#[test]
fn an_endpoint_of_each_scheme_is_accepted() {
    endpoint(Scheme::Tcp, "db.internal", 5432).check().unwrap();
    endpoint(Scheme::Tcp, "fd00::5", 65535).check().unwrap();
    let mut http = endpoint(Scheme::Http, "API.internal", 1);
    http.path_prefix = "/health/".to_owned();
    http.cidrs = vec!["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()];
    http.check().unwrap();
    for (host, server_name) in [
        ("api.internal", ""),
        ("10.0.0.1", ""),
        ("10.0.0.1", "api.internal"),
    ] {
        let mut https = endpoint(Scheme::Https, host, 443);
        https.ca_pem = Authority::new().pem();
        https.server_name = server_name.to_owned();
        https.check().unwrap();
    }
}

#[test]
fn what_cannot_be_used_is_named_by_its_field() {
    let cases: [(Change, &str); 11] = [
        (|e| e.host = String::new(), "host: write a DNS name"),
        (|e| e.host = "a b".to_owned(), "host: ' '"),
        (|e| e.host = "https://a".to_owned(), "host: ':'"),
        (|e| e.port = 0, "port: 0"),
        (
            |e| e.path_prefix = "api".to_owned(),
            "path-prefix: a path begins",
        ),
        (
            |e| e.path_prefix = "/api/../".to_owned(),
            "path-prefix: a path has no `.`",
        ),
        (
            |e| e.path_prefix = "/api?x".to_owned(),
            "path-prefix: a prefix has no query",
        ),
        (
            |e| e.cidrs = vec!["10.0.0.0".to_owned()],
            "cidrs: `10.0.0.0` is no network",
        ),
        (
            |e| e.cidrs = vec!["10.0.0.1/8".to_owned()],
            "cidrs: `10.0.0.1/8`",
        ),
        (
            |e| e.cidrs = vec!["10.0.0.0/8".to_owned(), String::new()],
            "cidrs: `` is no network",
        ),
        (
            |e| e.cidrs = vec!["10.0.0.0/40".to_owned()],
            "cidrs: `10.0.0.0/40` has more bits",
        ),
    ];
    for (change, said) in cases {
        let mut endpoint = endpoint(Scheme::Http, "api.internal", 80);
        change(&mut endpoint);
        wrong(&endpoint, said);
    }
}

#[test]
fn https_needs_an_authority_and_a_name_that_a_certificate_can_have() {
    let https = endpoint(Scheme::Https, "api.internal", 443);
    wrong(&https, "ca-pem: `https` needs at least one certificate");
    let with = |ca_pem: String| Endpoint {
        ca_pem,
        ..https.clone()
    };
    wrong(&with("hello".to_owned()), "ca-pem: `https` needs");
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    wrong(&with(broken.to_owned()), "ca-pem: not PEM");
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    wrong(
        &with(empty.to_owned()),
        "ca-pem: certificate 1 is no authority",
    );
    let second = format!("{}{empty}", Authority::new().pem());
    wrong(&with(second), "ca-pem: certificate 2 is no authority");

    for server_name in ["a b", "*.internal", "127.1", "a/b"] {
        let mut https = with(Authority::new().pem());
        https.server_name = server_name.to_owned();
        wrong(&https, &format!("server-name: `{server_name}`"));
    }
}

#[test]
fn a_field_that_would_change_nothing_is_refused() {
    let cases: [(Scheme, Change, &str); 5] = [
        (
            Scheme::Tcp,
            |e| e.path_prefix = "/".to_owned(),
            "path-prefix: means nothing",
        ),
        (
            Scheme::Tcp,
            |e| e.ca_pem = "x".to_owned(),
            "ca-pem: means nothing",
        ),
        (
            Scheme::Tcp,
            |e| e.server_name = "x".to_owned(),
            "server-name: means nothing",
        ),
        (
            Scheme::Http,
            |e| e.ca_pem = "x".to_owned(),
            "ca-pem: means nothing with scheme `http`",
        ),
        (
            Scheme::Http,
            |e| e.server_name = "x".to_owned(),
            "server-name: means nothing",
        ),
    ];
    for (scheme, change, said) in cases {
        let mut endpoint = endpoint(scheme, "api.internal", 80);
        change(&mut endpoint);
        wrong(&endpoint, said);
    }
}
