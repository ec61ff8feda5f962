//! The policy as a table of answers, and the proof that each rule of it is
//! needed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;
use tidegate_hooks::{CLAUSES, Cidr, Clause, Matcher, Rule, Setting, Subject, judge, judge_by};

/// Addresses that nothing grants, under the rule that says so. First and last
/// address of each range are among them.
const NEVER: &[(Rule, &[&str])] = &[
    (
        Rule::Metadata,
        &[
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "169.254.42.42",
            "169.254.0.23",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "fe80::a9fe:a9fe",
            "fd00:42::42",
        ],
    ),
    (Rule::Unspecified, &["0.0.0.0", "::"]),
    (Rule::ThisNetwork, &["0.0.0.1", "0.255.255.255"]),
    (
        Rule::Loopback,
        &[
            "127.0.0.0",
            "127.0.0.1",
            "127.1.2.3",
            "127.255.255.255",
            "::1",
        ],
    ),
    (
        Rule::LinkLocal,
        &[
            "169.254.0.0",
            "169.254.169.253",
            "169.254.255.255",
            "fe80::",
            "fe80::1",
            "febf:ffff::1",
        ],
    ),
    (Rule::Broadcast, &["255.255.255.255"]),
    (
        Rule::Multicast,
        &[
            "224.0.0.0",
            "239.255.255.255",
            "ff00::",
            "ff02::1",
            "ffff::1",
        ],
    ),
    (
        Rule::Mapped,
        &[
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0.0.0.0",
        ],
    ),
    (
        Rule::Translated,
        &["::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"],
    ),
    (
        Rule::Compatible,
        &["::127.0.0.1", "::169.254.169.254", "::8.8.8.8", "::2"],
    ),
    (
        Rule::Nat64,
        &[
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::",
            "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        ],
    ),
    (
        Rule::SixToFour,
        &[
            "2002::",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:ffff::",
            "192.88.99.0",
            "192.88.99.255",
        ],
    ),
    (Rule::Teredo, &["2001::", "2001:0:ffff::1"]),
    (
        Rule::Documentation,
        &[
            "192.0.2.0",
            "192.0.2.255",
            "198.51.100.7",
            "203.0.113.255",
            "2001:db8::1",
            "3fff:fff::1",
        ],
    ),
    (
        Rule::Benchmarking,
        &["198.18.0.0", "198.19.255.255", "2001:2::1"],
    ),
    (Rule::SiteLocal, &["fec0::", "feff:ffff::1"]),
    (
        Rule::Reserved,
        &[
            "192.0.0.0",
            "192.0.0.255",
            "240.0.0.0",
            "255.255.255.254",
            "2001:1::1",
            "2001:20::1",
            "2001:1ff:ffff::",
            "100::1",
            "1fff:ffff::",
            "4000::",
            "7fff::1",
            "8000::1",
            "bfff::1",
            "c000::1",
            "dfff::1",
            "e000::1",
            "f000::1",
            "f800::1",
            "fbff:ffff::1",
            "fe00::1",
            "fe7f:ffff::1",
        ],
    ),
];

/// Addresses that an endpoint reaches only within a listed network, and such
/// a network.
const UNLISTED: &[(Rule, &str, &str)] = &[
    (Rule::PrivateWithoutCidr, "10.0.0.0", "10.0.0.0/8"),
    (Rule::PrivateWithoutCidr, "10.255.255.255", "10.255.0.0/16"),
    (Rule::PrivateWithoutCidr, "172.16.0.0", "172.16.0.0/12"),
    (
        Rule::PrivateWithoutCidr,
        "172.31.255.255",
        "172.31.255.255/32",
    ),
    (Rule::PrivateWithoutCidr, "192.168.0.0", "192.168.0.0/16"),
    (Rule::PrivateWithoutCidr, "192.168.255.255", "0.0.0.0/0"),
    (Rule::SharedWithoutCidr, "100.64.0.0", "100.64.0.0/10"),
    (Rule::SharedWithoutCidr, "100.127.255.255", "100.127.0.0/16"),
    (Rule::UniqueLocalWithoutCidr, "fc00::", "fc00::/7"),
    (Rule::UniqueLocalWithoutCidr, "fdff:ffff::1", "fd00::/8"),
];

/// Public addresses, most of them neighbours of a range in the table.
const PUBLIC: &[&str] = &[
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2000::",
    "2001:200::",
    "2001:db7:ffff::1",
    "2001:db9::",
    "2003::",
    "2600:1f00::1",
    "3ffe:ffff::1",
    "3fff:1000::",
];

/// One question of the suite and its answer.
struct Case {
    setting: Setting,
    address: SocketAddr,
    /// None for a server of the plan.
    cidrs: Option<Vec<Cidr>>,
    expected: Result<(), Rule>,
}

impl Case {
    fn new(setting: Setting, ip: &str, cidrs: Option<&[&str]>, expected: Result<(), Rule>) -> Self {
        let parse = |text: &&str| text.parse().unwrap();
        Self {
            setting,
            address: SocketAddr::new(ip.parse().unwrap(), 443),
            cidrs: cidrs.map(|cidrs| cidrs.iter().map(parse).collect()),
            expected,
        }
    }

    fn answer(&self, clauses: &[Clause<'_>]) -> Result<(), Rule> {
        let subject = self
            .cidrs
            .as_deref()
            .map_or(Subject::Server, Subject::Endpoint);
        judge_by(clauses, self.setting, self.address, subject)
    }
}

const ALL: &[&str] = &["0.0.0.0/0", "::/0"];

fn suite() -> Vec<Case> {
    use Setting::{Development, Production};
    let mut suite = Vec::new();
    for (rule, addresses) in NEVER {
        for ip in *addresses {
            for cidrs in [None, Some(&[][..]), Some(ALL)] {
                let development = if *rule == Rule::Loopback {
                    Ok(())
                } else {
                    Err(*rule)
                };
                suite.push(Case::new(Production, ip, cidrs, Err(*rule)));
                suite.push(Case::new(Development, ip, cidrs, development));
            }
        }
    }
    for setting in [Production, Development] {
        for (rule, ip, cidr) in UNLISTED {
            suite.push(Case::new(setting, ip, None, Ok(())));
            suite.push(Case::new(setting, ip, Some(&[]), Err(*rule)));
            suite.push(Case::new(
                setting,
                ip,
                Some(&["1.0.0.0/8", "2000::/3"]),
                Err(*rule),
            ));
            suite.push(Case::new(setting, ip, Some(&["1.0.0.0/8", cidr]), Ok(())));
        }
        for ip in PUBLIC {
            let outside = Err(Rule::OutsideCidrs);
            suite.push(Case::new(setting, ip, None, Ok(())));
            suite.push(Case::new(setting, ip, Some(&[]), Ok(())));
            suite.push(Case::new(setting, ip, Some(ALL), Ok(())));
            suite.push(Case::new(
                setting,
                ip,
                Some(&["10.0.0.0/8", "fd00::/8"]),
                outside,
            ));
        }
        for ip in ["10.0.0.1", "1.0.0.0", "127.0.0.1"] {
            let mut case = Case::new(setting, ip, None, Err(Rule::PortZero));
            case.address.set_port(0);
            suite.push(case);
        }
    }
    // Networks that are listed bind a developer's endpoints too.
    let outside = Err(Rule::OutsideCidrs);
    suite.push(Case::new(
        Development,
        "127.0.0.1",
        Some(&["10.0.0.0/8"]),
        outside,
    ));
    suite.push(Case::new(
        Development,
        "127.0.0.1",
        Some(&["127.0.0.0/8"]),
        Ok(()),
    ));
    suite
}

fn answers(suite: &[Case], clauses: &[Clause<'_>]) -> Vec<Result<(), Rule>> {
    suite.iter().map(|case| case.answer(clauses)).collect()
}

#[test]
fn every_address_is_allowed_or_refused_for_the_rule_that_says_most() {
    let suite = suite();
    for case in &suite {
        let Case {
            setting,
            address,
            cidrs,
            expected,
        } = case;
        assert_eq!(
            case.answer(CLAUSES),
            *expected,
            "{setting:?} {address} {cidrs:?}"
        );
    }
    let refused = suite.iter().filter(|case| case.expected.is_err()).count();
    println!("{} cases, {refused} of them refused", suite.len());
}

#[test]
fn the_table_has_every_rule_once() {
    let rules: Vec<Rule> = CLAUSES.iter().map(|clause| clause.rule).collect();
    assert_eq!(rules, Rule::ALL);
}

#[test]
fn without_any_one_rule_the_suite_gives_another_answer() {
    let suite = suite();
    let baseline = answers(&suite, CLAUSES);
    let mut covered = Vec::new();
    for (index, dropped) in CLAUSES.iter().enumerate() {
        let mut clauses = CLAUSES.to_vec();
        clauses.remove(index);
        let mutated = answers(&suite, &clauses);
        assert_ne!(
            mutated, baseline,
            "nothing misses the rule {}",
            dropped.rule
        );
        let mut pairs = baseline.iter().zip(&mutated);
        if !pairs.any(|(before, after)| before.is_err() && after.is_ok()) {
            covered.push(dropped.rule);
        }
    }
    // Without one of these, a wider rule still refuses; without any other,
    // something forbidden would be dialled.
    let narrow = [
        Rule::Unspecified,
        Rule::Broadcast,
        Rule::Mapped,
        Rule::Translated,
        Rule::Compatible,
        Rule::Nat64,
        Rule::Teredo,
        Rule::SiteLocal,
    ];
    assert_eq!(covered, narrow);
}

#[test]
fn without_any_one_range_the_suite_gives_another_answer() {
    let suite = suite();
    let baseline = answers(&suite, CLAUSES);
    let mut ranges = 0;
    for (index, clause) in CLAUSES.iter().enumerate() {
        let (networks, rebuild): (_, fn(&[Cidr]) -> Matcher<'_>) = match clause.matcher {
            Matcher::Never(networks) => (networks, |networks| Matcher::Never(networks)),
            Matcher::Unlisted(networks) => (networks, |networks| Matcher::Unlisted(networks)),
            Matcher::PortZero | Matcher::OutsideCidrs => continue,
        };
        for dropped in networks {
            let rest: Vec<Cidr> = networks
                .iter()
                .copied()
                .filter(|one| one != dropped)
                .collect();
            let mut clauses = CLAUSES.to_vec();
            clauses[index].matcher = rebuild(&rest);
            let mutated = answers(&suite, &clauses);
            assert_ne!(
                mutated, baseline,
                "nothing misses {dropped} of the rule {}",
                clause.rule
            );
            ranges += 1;
        }
    }
    println!("{} rules and {ranges} ranges, each missed", CLAUSES.len());
}

#[test]
fn a_rule_is_grantable_only_if_it_speaks_of_listed_networks() {
    for clause in CLAUSES {
        let grantable = match clause.matcher {
            Matcher::PortZero | Matcher::Never(_) => false,
            Matcher::Unlisted(_) | Matcher::OutsideCidrs => true,
        };
        assert_eq!(clause.rule.is_grantable(), grantable, "{}", clause.rule);
    }
}

proptest! {
    #[test]
    fn no_ipv4_address_is_reached_in_the_clothes_of_ipv6(bits: u32, development: bool, server: bool) {
        let bits = u128::from(bits);
        let setting = if development { Setting::Development } else { Setting::Production };
        let all = [Cidr::v4([0; 4], 0), Cidr::v6([0; 8], 0)];
        let subject = if server { Subject::Server } else { Subject::Endpoint(&all) };
        let forms = [
            (0xffff_u128 << 32) | bits,
            (0xffff_u128 << 48) | bits,
            (0x0064_ff9b_u128 << 96) | bits,
            (0x0064_ff9b_0001_u128 << 80) | bits,
            (0x2002_u128 << 112) | (bits << 80),
            (0x2001_0000_u128 << 96) | (!bits & 0xffff_ffff),
        ];
        for form in forms {
            let address = SocketAddr::new(Ipv6Addr::from_bits(form).into(), 80);
            prop_assert!(judge(setting, address, subject).is_err(), "{address}");
        }
        let compatible = SocketAddr::new(Ipv6Addr::from_bits(bits).into(), 80);
        prop_assert!(judge(Setting::Production, compatible, subject).is_err(), "{compatible}");
    }

    #[test]
    fn in_production_what_is_reached_is_neither_this_machine_nor_this_link(bits: u128, v4: bool) {
        let ip: IpAddr = if v4 {
            Ipv4Addr::from_bits(bits as u32).into()
        } else {
            Ipv6Addr::from_bits(bits).into()
        };
        let all = [Cidr::v4([0; 4], 0), Cidr::v6([0; 8], 0)];
        for subject in [Subject::Server, Subject::Endpoint(&all), Subject::Endpoint(&[])] {
            if judge(Setting::Production, SocketAddr::new(ip, 80), subject).is_ok() {
                prop_assert!(!ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast(), "{ip}");
                match ip {
                    IpAddr::V4(v4) => {
                        prop_assert!(!v4.is_link_local() && !v4.is_broadcast() && !v4.is_documentation(), "{ip}");
                    }
                    IpAddr::V6(v6) => {
                        prop_assert!(v6.is_unique_local() || v6.segments()[0] >> 13 == 1, "{ip}");
                        prop_assert!(v6.to_ipv4().is_none(), "{ip}");
                    }
                }
            }
        }
    }
}
