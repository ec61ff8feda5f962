//! Endpoints.

use super::{hooks::using, *};
use crate::EndpointIx;

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

#[test]
fn a_use_is_granted_endpoints_by_their_names() {
    let mut draft = using(DraftHook {
        endpoints: vec!["vault".to_string()],
        ..DraftHook::default()
    });
    draft.endpoints = vec![tcp("dns"), https("vault")];
    let plan = check(&draft).unwrap();
    let granted = plan.wave(WaveIx(0)).check[0].endpoints[0];
    assert_eq!(granted, EndpointIx(1));
    assert_eq!(plan.find_endpoint("vault"), Some(granted));
    let endpoint = plan.endpoint(granted);
    assert_eq!(endpoint.path_prefix, "/");
    assert_eq!(endpoint.ca_pem.as_deref(), Some(PEM));
    assert_eq!(endpoint.cidrs[0].to_string(), "10.1.0.0/16");

    draft.waves[0].check[0].endpoints = vec!["valt".to_string(), "mail".to_string()];
    assert_eq!(
        mistakes(&draft),
        [
            "spec.waves[0].check[0].endpoints[0]: there is no endpoint \"valt\"; did you mean \"vault\"?",
            "spec.waves[0].check[0].endpoints[1]: there is no endpoint \"mail\" in this plan",
        ]
    );
}

#[test]
fn the_name_of_an_endpoint_occurs_once() {
    assert_eq!(
        mistakes(&declaring(vec![tcp("dns"), tcp("dns")])),
        ["spec.endpoints[1].name: another endpoint is named \"dns\"; rename one of them"]
    );
    assert_eq!(
        mistakes(&declaring((0..51).map(|n| tcp(&format!("e{n}"))).collect())),
        ["spec.endpoints: 51 are above the limit of 50"]
    );
}

#[test]
fn https_needs_an_authority_and_nothing_else_has_one() {
    let bare = DraftEndpoint {
        ca_pem: String::new(),
        ..https("vault")
    };
    let plain = DraftEndpoint {
        scheme: Scheme::Http,
        server_name: "vault".to_string(),
        ..https("vault")
    };
    assert_eq!(
        mistakes(&declaring(vec![bare])),
        ["spec.endpoints[0].ca_pem: must be given"]
    );
    assert_eq!(
        mistakes(&declaring(vec![plain])),
        [
            "spec.endpoints[0].ca_pem: means nothing for scheme Http; leave it out",
            "spec.endpoints[0].server_name: means nothing for scheme Http; leave it out",
        ]
    );
}

#[test]
fn an_authority_is_a_certificate_without_a_key() {
    let with = |ca_pem: String| {
        declaring(vec![DraftEndpoint {
            ca_pem,
            ..https("vault")
        }])
    };
    let key = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
    for bad in [
        "MIIB".to_string(),
        "-----BEGIN CERTIFICATE-----".to_string(),
        key.to_string(),
        format!("{PEM}{key}"),
    ] {
        assert_eq!(
            mistakes(&with(bad)),
            [
                "spec.endpoints[0].ca_pem: is not a certificate; begin with \"-----BEGIN CERTIFICATE-----\", and give no key"
            ]
        );
    }
    assert!(check(&with(PEM.repeat(2))).is_ok());
    let long = PEM.repeat(64 * 1024 / PEM.len() + 1);
    let length = long.len();
    assert_eq!(
        mistakes(&with(long)),
        [format!(
            "spec.endpoints[0].ca_pem: {length} characters are above the limit of 65536"
        )]
    );
}

#[test]
fn hosts_are_names_or_addresses_that_mean_one_thing() {
    let with = |host: &str| {
        declaring(vec![DraftEndpoint {
            host: host.to_string(),
            ..tcp("dns")
        }])
    };
    for good in [
        "db",
        "db.example.com",
        "_x.a-b.example",
        "10.0.0.1",
        "fd00::1",
    ] {
        assert!(check(&with(good)).is_ok(), "{good}");
    }
    for bad in [
        "",
        "127.1",
        "0x7f000001",
        "2130706433",
        "-a",
        "a..b",
        "a.",
        "a b",
        "[::1]",
        "a:80",
        "user@db",
        "db/x",
        "dé",
    ] {
        assert!(check(&with(bad)).is_err(), "{bad}");
    }
}

#[test]
fn networks_have_nothing_after_their_prefix() {
    for good in [
        "10.1.0.0/16",
        "0.0.0.0/0",
        "10.1.2.3/32",
        "fd00::/8",
        "::1/128",
        "::/0",
    ] {
        assert_eq!(good.parse::<Cidr>().unwrap().to_string(), good);
    }
    for bad in [
        "",
        "10.1.0.0",
        "10.1.0.1/16",
        "10.1.0.0/33",
        "10.1/16",
        "fd00::/129",
        "fd00::1/8",
        "10.1.0.0/+16",
        "10.1.0.0/",
        "a/8",
        "10.1.0.0/16/2",
    ] {
        assert_eq!(bad.parse::<Cidr>(), Err(NoCidr), "{bad}");
    }
    let draft = declaring(vec![DraftEndpoint {
        cidrs: vec!["10.1.0.1/16".to_string()],
        ..tcp("dns")
    }]);
    assert_eq!(
        mistakes(&draft),
        [
            "spec.endpoints[0].cidrs[0]: \"10.1.0.1/16\" is not a network; use for example \"10.1.0.0/16\", with zeros after the prefix"
        ]
    );
}

#[test]
fn paths_stay_below_their_prefix() {
    let with = |path_prefix: &str| {
        declaring(vec![DraftEndpoint {
            path_prefix: path_prefix.to_string(),
            ..https("vault")
        }])
    };
    for good in ["", "/", "/v1/health", "/v1/"] {
        assert!(check(&with(good)).is_ok(), "{good}");
    }
    for bad in [
        "v1",
        "/a?b",
        "/a#b",
        "/../a",
        "/a/.",
        "/%2e%2e/a",
        "/a b",
        "/é",
        "/a\\b",
    ] {
        assert!(check(&with(bad)).is_err(), "{bad}");
    }
    let tcp = DraftEndpoint {
        path_prefix: "/v1".to_string(),
        ..tcp("dns")
    };
    assert_eq!(
        mistakes(&declaring(vec![tcp])),
        ["spec.endpoints[0].path_prefix: means nothing for scheme Tcp; leave it out"]
    );
}

fn declaring(endpoints: Vec<DraftEndpoint>) -> PlanDraft {
    PlanDraft {
        endpoints,
        ..plan(vec![wave("db", &[], 1)])
    }
}

pub(super) fn tcp(name: &str) -> DraftEndpoint {
    DraftEndpoint {
        name: name.to_string(),
        host: "db.example.com".to_string(),
        port: 53,
        ..DraftEndpoint::default()
    }
}

fn https(name: &str) -> DraftEndpoint {
    DraftEndpoint {
        scheme: Scheme::Https,
        port: 8_200,
        cidrs: vec!["10.1.0.0/16".to_string()],
        ca_pem: PEM.to_string(),
        ..tcp(name)
    }
}
