//! Names: where they lead is judged once, all of it, and then dialled as it
//! was judged.

use std::{io, sync::Arc};

use tidegate_hooks::{Problem, Rule, Scheme, Setting, Stream};
use tokio::io::duplex;

use super::{world::World, *};

async fn probe(world: &Arc<World>, host: &str, setting: Setting) -> Answer {
    let grants = granting("x", endpoint(Scheme::Tcp, host, 443));
    world
        .probes(&grants, setting)
        .probe(&tcp_endpoint("x"))
        .await
}

#[tokio::test]
async fn a_name_that_leads_to_a_forbidden_address_is_denied_by_the_rule() {
    for (address, rule) in [
        ("127.0.0.1", Rule::Loopback),
        ("::1", Rule::Loopback),
        ("169.254.169.254", Rule::Metadata),
        ("fd00:ec2::254", Rule::Metadata),
        ("169.254.1.1", Rule::LinkLocal),
        ("fe80::1", Rule::LinkLocal),
        ("::ffff:127.0.0.1", Rule::Mapped),
        ("::ffff:169.254.169.254", Rule::Mapped),
        ("64:ff9b::169.254.169.254", Rule::Nat64),
        ("2002:7f00:1::", Rule::SixToFour),
        ("0.0.0.0", Rule::Unspecified),
        ("::", Rule::Unspecified),
        ("10.0.0.1", Rule::PrivateWithoutCidr),
        ("fd12::1", Rule::UniqueLocalWithoutCidr),
    ] {
        let world = Arc::new(World::silent().with_name("db.example", &[&[address]]));
        let message = failed(
            probe(&world, "db.example", Setting::Production).await,
            Problem::Denied,
        );
        assert_names(&message, rule);
        assert!(message.contains(&ip(address).to_string()), "{message}");
        assert!(world.dialled().is_empty());

        // The same, written down as an address.
        let message = failed(
            probe(&world, address, Setting::Production).await,
            Problem::Denied,
        );
        assert_names(&message, rule);
        assert!(world.dialled().is_empty());
        assert_eq!(world.resolved(), ["db.example"]);
    }
}

/// A denial names its rule; the one that a setting lifts, also the setting.
fn assert_names(message: &str, rule: Rule) {
    let text = format!("may not be reached: rule {rule}");
    let (_, rest) = message.split_once(&text).expect(message);
    let advises = rest.contains("hooks.allow_loopback = true") && rest.contains("--allow-loopback");
    assert_eq!(advises, rule == Rule::Loopback, "{message}");
    assert_eq!(rest.is_empty(), !advises, "{message}");
}

#[tokio::test]
async fn one_forbidden_address_among_several_forbids_them_all() {
    for several in [
        &["127.0.0.1", "1.1.1.1", "8.8.8.8"],
        &["1.1.1.1", "127.0.0.1", "8.8.8.8"],
        &["1.1.1.1", "8.8.8.8", "127.0.0.1"],
    ] {
        let world = Arc::new(World::silent().with_name("db.example", &[several]));
        let message = failed(
            probe(&world, "db.example", Setting::Production).await,
            Problem::Denied,
        );
        assert!(message.starts_with("127.0.0.1:443 "), "{message}");
        assert_names(&message, Rule::Loopback);
        assert!(world.dialled().is_empty());
    }
}

#[tokio::test]
async fn a_server_with_one_forbidden_address_is_denied() {
    let world = Arc::new(World::silent());
    let mut grants = Grants {
        ports: vec![80],
        ..Grants::default()
    };
    let addresses = vec![ip("10.0.0.1"), ip("169.254.169.254")];
    grants.servers.insert("s".to_owned(), addresses);
    let probes = world.probes(&grants, Setting::Production);
    let message = failed(probes.probe(&tcp(server("s", 80))).await, Problem::Denied);
    assert!(message.ends_with("rule metadata"), "{message}");
    assert!(world.dialled().is_empty());
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_asked_once_and_believed_once() {
    let world = World::silent().with_name("db.example", &[&["1.1.1.1"], &["169.254.169.254"]]);
    let world = Arc::new(world);
    connected(&probe(&world, "db.example", Setting::Production).await);
    assert_eq!(world.resolved(), ["db.example"]);
    assert_eq!(world.dialled(), ["1.1.1.1:443"]);
    // The next probe asks anew, judges anew, and dials nothing.
    failed(
        probe(&world, "db.example", Setting::Production).await,
        Problem::Denied,
    );
    assert_eq!(world.dialled(), ["1.1.1.1:443"]);
}

#[tokio::test]
async fn after_a_refusal_the_next_judged_address_is_tried_and_no_name_asked_again() {
    let refusing = |address: std::net::SocketAddr| match address.ip() {
        ip if ip == super::ip("1.1.1.1") => Err(io::ErrorKind::ConnectionRefused.into()),
        ip if ip == super::ip("8.8.8.8") => Err(io::ErrorKind::HostUnreachable.into()),
        _ => Ok(Box::new(duplex(1).0) as Stream),
    };
    let several: &[&str] = &["1.1.1.1", "8.8.8.8", "1.1.1.1", "2600::1", "9.9.9.9"];
    let world = World::new(Box::new(refusing))
        .with_name("db.example", &[several, &["127.0.0.1"]])
        .with_name("gone.example", &[&["1.1.1.1"]])
        .with_name("far.example", &[&["1.1.1.1", "8.8.8.8"]]);
    let world = Arc::new(world);
    connected(&probe(&world, "db.example", Setting::Production).await);
    assert_eq!(world.resolved(), ["db.example"]);
    assert_eq!(
        world.dialled(),
        ["1.1.1.1:443", "8.8.8.8:443", "[2600::1]:443"]
    );

    failed(
        probe(&world, "gone.example", Setting::Production).await,
        Problem::Refused,
    );
    failed(
        probe(&world, "far.example", Setting::Production).await,
        Problem::Unreachable,
    );
}

/// Never, as far as a probe is concerned.
const HOURS: Duration = Duration::from_secs(9_999);

/// Probes a name that leads to these addresses, of which some take their time,
/// and says after how many milliseconds there was an answer.
async fn staggered(addresses: &[&str], delays: &[(&str, Duration)]) -> (Arc<World>, Answer, u128) {
    let named = World::silent().with_name("db.example", &[addresses]);
    let delayed = delays.iter().fold(named, |world, (address, delay)| {
        world.with_delay(address, *delay)
    });
    let world = Arc::new(delayed);
    let grants = granting("x", endpoint(Scheme::Tcp, "db.example", 443));
    let probe = Probe {
        timeout_ms: 2_000,
        ..tcp_endpoint("x")
    };
    let started = tokio::time::Instant::now();
    let answer = world
        .probes(&grants, Setting::Production)
        .probe(&probe)
        .await;
    (world, answer, started.elapsed().as_millis())
}

#[tokio::test(start_paused = true)]
async fn an_address_that_does_not_answer_leaves_time_for_the_next() {
    let several = ["1.1.1.1", "2600::1", "8.8.8.8", "9.9.9.9"];
    let silent = [("1.1.1.1", HOURS), ("2600::1", HOURS)];
    let (world, answer, took) = staggered(&several, &silent).await;
    connected(&answer);
    assert_eq!(took, 500);
    assert_eq!(
        world.dialled(),
        ["1.1.1.1:443", "[2600::1]:443", "8.8.8.8:443"]
    );
    assert_eq!(world.resolved(), ["db.example"]);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_slow_is_still_waited_for_while_others_are_tried() {
    let slow = [("1.1.1.1", Duration::from_millis(700)), ("8.8.8.8", HOURS)];
    let (world, answer, took) = staggered(&["1.1.1.1", "8.8.8.8"], &slow).await;
    connected(&answer);
    assert_eq!(took, 700);
    assert_eq!(world.dialled(), ["1.1.1.1:443", "8.8.8.8:443"]);
}

#[tokio::test(start_paused = true)]
async fn where_no_address_answers_the_probe_times_out() {
    let silent = [("1.1.1.1", HOURS), ("8.8.8.8", HOURS)];
    let (_, answer, took) = staggered(&["1.1.1.1", "8.8.8.8"], &silent).await;
    failed(answer, Problem::TimedOut);
    assert_eq!(took, 2_000);
}

#[tokio::test(start_paused = true)]
async fn of_very_many_addresses_all_are_judged_and_some_tried() {
    let mut many: Vec<String> = (1..=20).map(|last| format!("8.8.8.{last}")).collect();
    let refusing = World::new(Box::new(|_| Err(io::ErrorKind::ConnectionRefused.into())));
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    let world = Arc::new(refusing.with_name("db.example", &[&names]));
    let answer = probe(&world, "db.example", Setting::Production).await;
    let message = failed(answer, Problem::Refused);
    assert!(message.starts_with("8.8.8.16:443"), "{message}");
    assert_eq!(world.dialled().len(), 16);

    many.push("127.0.0.1".to_owned());
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    let world = Arc::new(World::silent().with_name("db.example", &[&names]));
    let answer = probe(&world, "db.example", Setting::Production).await;
    failed(answer, Problem::Denied);
    assert!(world.dialled().is_empty());
}

#[tokio::test]
async fn a_name_without_an_address_is_unresolved() {
    let world = Arc::new(World::silent().with_name("empty.example", &[&[]]));
    for name in ["empty.example", "nowhere.example"] {
        let message = failed(
            probe(&world, name, Setting::Production).await,
            Problem::Unresolved,
        );
        assert!(message.contains(name), "{message}");
    }
}

/// What becomes of a spelling of the host.
enum Fate {
    /// It is not accepted, whatever it may mean to somebody.
    Refused,
    /// It is an address, and judged as one.
    Address(Rule),
    /// It is a name, and what it leads to is judged.
    Name,
}

use Fate::{Address, Name, Refused};

/// Hosts that mean, or that somebody may take for, a forbidden address.
const SPELLINGS: [(&str, Fate); 68] = [
    ("127.0.0.1", Address(Rule::Loopback)),
    ("127.255.255.254", Address(Rule::Loopback)),
    ("::1", Address(Rule::Loopback)),
    ("0:0:0:0:0:0:0:1", Address(Rule::Loopback)),
    ("::0001", Address(Rule::Loopback)),
    ("::ffff:127.0.0.1", Address(Rule::Mapped)),
    ("::FFFF:7F00:1", Address(Rule::Mapped)),
    ("0:0:0:0:0:ffff:a9fe:a9fe", Address(Rule::Mapped)),
    ("::127.0.0.1", Address(Rule::Compatible)),
    ("64:ff9b::7f00:1", Address(Rule::Nat64)),
    ("64:FF9B:0::169.254.169.254", Address(Rule::Nat64)),
    ("2002:a9fe:a9fe::", Address(Rule::SixToFour)),
    ("FD00:EC2::254", Address(Rule::Metadata)),
    ("0.0.0.0", Address(Rule::Unspecified)),
    ("::", Address(Rule::Unspecified)),
    ("localhost", Name),
    ("LOCALHOST", Name),
    ("LocalHost.LocalDomain", Name),
    ("ip6-localhost", Name),
    ("127.0.0.1.nip.io", Name),
    ("169-254-169-254.example", Name),
    ("metadata.google.internal", Name),
    ("0x7f000001.example", Name),
    ("localhost.", Refused),
    ("127.0.0.1.", Refused),
    ("127.1", Refused),
    ("127.0.1", Refused),
    ("0", Refused),
    ("0x7f.1", Refused),
    ("0X7F.0x1", Refused),
    ("0x7f000001", Refused),
    ("0x7f.0x0.0x0.0x1", Refused),
    ("2130706433", Refused),
    ("017700000001", Refused),
    ("0177.0.0.1", Refused),
    ("127.0.0.01", Refused),
    ("127.000.000.001", Refused),
    ("2852039166", Refused),
    ("0xa9fea9fe", Refused),
    ("0251.0376.0251.0376", Refused),
    ("169.254.43518", Refused),
    ("1.2.3.4.5", Refused),
    ("256.0.0.1", Refused),
    ("[::1]", Refused),
    ("[::ffff:127.0.0.1]", Refused),
    ("::1%lo", Refused),
    ("fe80::1%25eth0", Refused),
    ("%31%32%37.0.0.1", Refused),
    ("127.0.0.1%00.example", Refused),
    ("127.0.0.1\0.example", Refused),
    ("user@127.0.0.1", Refused),
    ("db.example@127.0.0.1", Refused),
    ("127.0.0.1:80", Refused),
    ("127.0.0.1/", Refused),
    ("127.0.0.1#db.example", Refused),
    ("127.0.0.1?db.example", Refused),
    ("http://127.0.0.1", Refused),
    ("127.0.0.1\\db.example", Refused),
    (" 127.0.0.1", Refused),
    ("127.0.0.1\n", Refused),
    ("127.0.0.1\tx", Refused),
    ("\u{ff11}27.0.0.1", Refused),
    ("\u{2460}\u{2461}\u{2466}.0.0.1", Refused),
    ("127\u{3002}0\u{3002}0\u{3002}1", Refused),
    ("ⓛocalhost", Refused),
    ("loc\u{ad}alhost", Refused),
    ("", Refused),
    (".", Refused),
];

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_gets_through() {
    for (spelling, fate) in SPELLINGS {
        let checked = endpoint(Scheme::Tcp, spelling, 443).check();
        let leads_home: &[&[&str]] = &[&["127.0.0.1"]];
        let lower = spelling.to_ascii_lowercase();
        let world = Arc::new(World::silent().with_name(&lower, leads_home));
        let (rule, resolved) = match fate {
            Refused => {
                let error = checked.expect_err(spelling).to_string();
                assert!(error.starts_with("host: "), "{spelling:?}: {error}");
                continue;
            }
            Address(rule) => (rule, Vec::new()),
            Name => (Rule::Loopback, vec![lower]),
        };
        checked.expect(spelling);
        let message = failed(
            probe(&world, spelling, Setting::Production).await,
            Problem::Denied,
        );
        assert_names(&message, rule);
        assert_eq!(world.resolved(), resolved, "{spelling:?}");
        assert!(world.dialled().is_empty(), "{spelling:?}");
    }
}

#[tokio::test]
async fn listed_networks_bind_what_a_name_leads_to() {
    let mut db = endpoint(Scheme::Tcp, "db.internal", 5432);
    db.cidrs = vec!["10.1.0.0/16".to_owned(), "fd12::/16".to_owned()];
    let grants = granting("db", db);
    for (address, rule) in [
        ("10.1.2.3", None),
        ("fd12::5", None),
        ("10.2.0.1", Some(Rule::PrivateWithoutCidr)),
        ("fd13::1", Some(Rule::UniqueLocalWithoutCidr)),
        ("8.8.8.8", Some(Rule::OutsideCidrs)),
        ("127.0.0.1", Some(Rule::Loopback)),
    ] {
        let world = Arc::new(World::silent().with_name("db.internal", &[&[address]]));
        let answer = world
            .probes(&grants, Setting::Production)
            .probe(&tcp_endpoint("db"))
            .await;
        match rule {
            None => connected(&answer),
            Some(rule) => {
                let message = failed(answer, Problem::Denied);
                assert_names(&message, rule);
            }
        }
        assert_eq!(world.dialled().is_empty(), rule.is_some());
    }
}
