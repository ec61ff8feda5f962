//! The table of rules.
//!
//! The ranges are those of the IANA special-purpose address registries for
//! IPv4 and IPv6. Of IPv6 everything outside 2000::/3 and fc00::/7 is
//! forbidden: what is assigned there some day stays forbidden until somebody
//! looks at it.

use std::net::{IpAddr, SocketAddr};

use super::{Rule, Setting, Subject};
use crate::Cidr;

/// One rule and the addresses it speaks of.
#[derive(Clone, Copy, Debug)]
pub struct Clause<'a> {
    /// Its name.
    pub rule: Rule,
    /// When it forbids.
    pub matcher: Matcher<'a>,
}

/// When a rule forbids.
#[derive(Clone, Copy, Debug)]
pub enum Matcher<'a> {
    /// The port is 0.
    PortZero,
    /// The address lies here, whoever asks and whatever is granted.
    Never(&'a [Cidr]),
    /// The address lies here, and is an endpoint's that lists no network
    /// around it.
    Unlisted(&'a [Cidr]),
    /// The address is an endpoint's that lists networks, none around it.
    OutsideCidrs,
}

impl Clause<'_> {
    pub(super) fn forbids(
        &self,
        setting: Setting,
        address: SocketAddr,
        subject: Subject<'_>,
    ) -> bool {
        let ip = address.ip();
        let listed = match subject {
            Subject::Server => true,
            Subject::Endpoint(cidrs) => within(cidrs, ip),
        };
        match self.matcher {
            Matcher::PortZero => address.port() == 0,
            Matcher::Never(networks) => {
                let excused = setting == Setting::Development && within(LOOPBACK, ip);
                within(networks, ip) && !excused
            }
            Matcher::Unlisted(networks) => within(networks, ip) && !listed,
            Matcher::OutsideCidrs => match subject {
                Subject::Server | Subject::Endpoint([]) => false,
                Subject::Endpoint(_) => !listed,
            },
        }
    }
}

fn within(networks: &[Cidr], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

const fn never<'a>(rule: Rule, networks: &'a [Cidr]) -> Clause<'a> {
    Clause {
        rule,
        matcher: Matcher::Never(networks),
    }
}

const fn unlisted<'a>(rule: Rule, networks: &'a [Cidr]) -> Clause<'a> {
    Clause {
        rule,
        matcher: Matcher::Unlisted(networks),
    }
}

/// All rules, the narrow ones first: where two speak of an address, the one
/// that says more is named.
pub const CLAUSES: &[Clause<'static>] = &[
    Clause {
        rule: Rule::PortZero,
        matcher: Matcher::PortZero,
    },
    never(Rule::Metadata, METADATA),
    never(
        Rule::Unspecified,
        &[Cidr::v4([0, 0, 0, 0], 32), v6([0; 8], 128)],
    ),
    never(Rule::ThisNetwork, &[Cidr::v4([0, 0, 0, 0], 8)]),
    never(Rule::Loopback, LOOPBACK),
    never(
        Rule::LinkLocal,
        &[Cidr::v4([169, 254, 0, 0], 16), high(0xfe80, 0, 10)],
    ),
    never(Rule::Broadcast, &[Cidr::v4([255, 255, 255, 255], 32)]),
    never(
        Rule::Multicast,
        &[Cidr::v4([224, 0, 0, 0], 4), high(0xff00, 0, 8)],
    ),
    never(Rule::Mapped, &[v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96)]),
    never(Rule::Translated, &[v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96)]),
    never(Rule::Compatible, &[v6([0; 8], 96)]),
    never(
        Rule::Nat64,
        &[
            high(0x64, 0xff9b, 96),
            v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
        ],
    ),
    never(
        Rule::SixToFour,
        &[high(0x2002, 0, 16), Cidr::v4([192, 88, 99, 0], 24)],
    ),
    never(Rule::Teredo, &[high(0x2001, 0, 32)]),
    never(
        Rule::Documentation,
        &[
            Cidr::v4([192, 0, 2, 0], 24),
            Cidr::v4([198, 51, 100, 0], 24),
            Cidr::v4([203, 0, 113, 0], 24),
            high(0x2001, 0xdb8, 32),
            high(0x3fff, 0, 20),
        ],
    ),
    never(
        Rule::Benchmarking,
        &[Cidr::v4([198, 18, 0, 0], 15), high(0x2001, 2, 48)],
    ),
    never(Rule::SiteLocal, &[high(0xfec0, 0, 10)]),
    never(Rule::Reserved, RESERVED),
    unlisted(
        Rule::PrivateWithoutCidr,
        &[
            Cidr::v4([10, 0, 0, 0], 8),
            Cidr::v4([172, 16, 0, 0], 12),
            Cidr::v4([192, 168, 0, 0], 16),
        ],
    ),
    unlisted(Rule::SharedWithoutCidr, &[Cidr::v4([100, 64, 0, 0], 10)]),
    unlisted(Rule::UniqueLocalWithoutCidr, &[high(0xfc00, 0, 7)]),
    Clause {
        rule: Rule::OutsideCidrs,
        matcher: Matcher::OutsideCidrs,
    },
];

pub(super) const LOOPBACK: &[Cidr] = &[
    Cidr::v4([127, 0, 0, 0], 8),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128),
];

/// Where clouds keep credentials of the machine, and its settings. Most lie
/// within ranges that are forbidden anyway; they stand here so that a denial
/// says what was tried.
const METADATA: &[Cidr] = &[
    // EC2, and with it Azure, Google, Oracle, IBM, DigitalOcean, OpenStack.
    Cidr::v4([169, 254, 169, 254], 32),
    // EC2's own services over IPv6: metadata at ::254, pod identity at ::23.
    high(0xfd00, 0x0ec2, 32),
    // ECS task credentials, EKS pod identity.
    Cidr::v4([169, 254, 170, 2], 32),
    Cidr::v4([169, 254, 170, 23], 32),
    // Google over IPv6.
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
    // Azure WireServer, a public address that is none.
    Cidr::v4([168, 63, 129, 16], 32),
    // Alibaba, in the shared range.
    Cidr::v4([100, 100, 100, 200], 32),
    // Oracle, the classic address and IPv6.
    Cidr::v4([192, 0, 0, 192], 32),
    v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128),
    // OpenStack over IPv6.
    v6([0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128),
    // Scaleway.
    Cidr::v4([169, 254, 42, 42], 32),
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128),
    // Tencent.
    Cidr::v4([169, 254, 0, 23], 32),
];

const RESERVED: &[Cidr] = &[
    // IETF protocol assignments (RFC 6890).
    Cidr::v4([192, 0, 0, 0], 24),
    // For future use (RFC 1112).
    Cidr::v4([240, 0, 0, 0], 4),
    // IETF protocol assignments (RFC 2928): ORCHID, drone ids, anycast.
    high(0x2001, 0, 23),
    // All of IPv6 that is neither 2000::/3 nor fc00::/7.
    high(0x0000, 0, 3),
    high(0x4000, 0, 2),
    high(0x8000, 0, 2),
    high(0xc000, 0, 3),
    high(0xe000, 0, 4),
    high(0xf000, 0, 5),
    high(0xf800, 0, 6),
    high(0xfe00, 0, 7),
];

const fn v6(segments: [u16; 8], prefix: u8) -> Cidr {
    Cidr::v6(segments, prefix)
}

/// A network whose bits are all in the first two groups.
const fn high(first: u16, second: u16, prefix: u8) -> Cidr {
    Cidr::v6([first, second, 0, 0, 0, 0, 0, 0], prefix)
}
