//! What is not granted is denied before anything is resolved or dialled.

use std::sync::Arc;

use tidegate_hooks::{Grants, Problem, Scheme, Setting};

use super::{world::World, *};

const WEB: &str = "s-0123456789abcdef0";
const NEW: &str = "s-0123456789abcdef1";

fn grants() -> Grants {
    let mut grants = Grants {
        ports: vec![80, 5432],
        ..Grants::default()
    };
    grants.servers.insert(WEB.to_owned(), vec![ip("10.0.0.7")]);
    grants.servers.insert(NEW.to_owned(), Vec::new());
    let mut api = endpoint(Scheme::Http, "api.internal", 8080);
    api.path_prefix = "/api".to_owned();
    api.cidrs = vec!["10.0.0.0/8".to_owned()];
    let mut mail = endpoint(Scheme::Tcp, "mail.internal", 25);
    mail.cidrs.clone_from(&api.cidrs);
    grants.endpoints.insert("api".to_owned(), api);
    grants.endpoints.insert("mail".to_owned(), mail);
    grants
}

#[tokio::test]
async fn a_granted_server_is_reached_at_its_own_address() {
    let world = Arc::new(World::silent());
    let probes = world.probes(&grants(), Setting::Production);
    connected(&probes.probe(&tcp(server(WEB, 5432))).await);
    assert_eq!(world.dialled(), ["10.0.0.7:5432"]);
    assert!(world.resolved().is_empty());
}

#[tokio::test]
async fn what_is_not_granted_is_denied_and_nothing_is_asked_of_the_network() {
    let world = Arc::new(World::silent());
    let probes = world.probes(&grants(), Setting::Production);
    for (probe, said) in [
        (
            tcp(server("s-0123456789abcdef9", 80)),
            "server `s-0123456789abcdef9`",
        ),
        (tcp(server("", 80)), "server ``"),
        (tcp(server("10.0.0.7", 80)), "server `10.0.0.7`"),
        (tcp(server(WEB, 0)), "port 0 "),
        (tcp(server(WEB, 22)), "port 22 "),
        (tcp(server(WEB, 65_536 + 80)), "port 65616 "),
        (tcp(server(WEB, u32::MAX)), "port 4294967295 "),
        (tcp(server(NEW, 22)), "port 22 "),
        (get(server(WEB, 80), "health"), "begins with `/`"),
        (get(server(WEB, 80), "//evil.example/"), "`//`"),
        (get(server(WEB, 80), "/../"), "`..`"),
        (get(server(WEB, 80), "/a\r\nX-Evil: 1"), "'\\r'"),
        (
            get(server(WEB, 80), "http://169.254.169.254/"),
            "begins with `/`",
        ),
        (tcp_endpoint("db"), "endpoint `db`"),
        (tcp_endpoint("api.internal"), "endpoint `api.internal`"),
        (get_endpoint("mail", "/"), "by HTTP"),
        (get_endpoint("api", "/"), "below `/api`"),
        (get_endpoint("api", "/apix"), "below `/api`"),
        (get_endpoint("api", "/api/%2e%2e/admin"), "`..`"),
        (get_endpoint("api", "/api/..%2fadmin"), "`..`"),
        (get_endpoint("api", "/api#x"), "'#'"),
        (get_endpoint("api", ""), "begins with `/`"),
    ] {
        let message = failed(probes.probe(&probe).await, Problem::Denied);
        assert!(message.contains(said), "{message} for {probe:?}");
    }
    assert!(world.resolved().is_empty());
    assert!(world.dialled().is_empty());
}

#[tokio::test]
async fn port_zero_is_denied_even_where_a_plan_lists_it() {
    let world = Arc::new(World::silent());
    let mut grants = grants();
    grants.ports.push(0);
    let probes = world.probes(&grants, Setting::Production);
    let message = failed(probes.probe(&tcp(server(WEB, 0))).await, Problem::Denied);
    assert_eq!(message, "port 0 of servers is not granted");
    assert!(world.dialled().is_empty());
}

#[tokio::test]
async fn a_server_that_has_no_address_yet_is_unresolved() {
    let world = Arc::new(World::silent());
    let probes = world.probes(&grants(), Setting::Production);
    failed(
        probes.probe(&tcp(server(NEW, 80))).await,
        Problem::Unresolved,
    );
    failed(
        probes.probe(&get(server(NEW, 80), "/")).await,
        Problem::Unresolved,
    );
}

#[tokio::test]
async fn any_endpoint_can_be_asked_for_a_connection_alone() {
    let world = World::silent()
        .with_name("api.internal", &[&["10.0.0.8"]])
        .with_name("mail.internal", &[&["10.0.0.9"]]);
    let world = Arc::new(world);
    let probes = world.probes(&grants(), Setting::Production);
    connected(&probes.probe(&tcp_endpoint("api")).await);
    connected(&probes.probe(&tcp_endpoint("mail")).await);
    assert_eq!(world.dialled(), ["10.0.0.8:8080", "10.0.0.9:25"]);
}

#[test]
fn grants_with_an_unusable_endpoint_make_no_probes_and_name_it() {
    let world = Arc::new(World::silent());
    let grants = granting("odd", endpoint(Scheme::Tcp, "127.1", 80));
    let network = tidegate_hooks::Network::new(world.clone(), world);
    let limits = tidegate_hooks::Limits::DEFAULT;
    let error = tidegate_hooks::LiveProbes::new(&grants, &limits, Setting::Production, network)
        .unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("endpoint `odd`: host: `127.1`"), "{text}");
}
