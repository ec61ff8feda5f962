//! Which addresses a probe may reach. A pure function of an address and of
//! what is probed there: no name, no resolver, no connection.
//!
//! The rules are a table, tried from the top; the first that speaks against
//! an address is named. Names are resolved elsewhere, once, and every address
//! that comes of it is judged here before any is dialled.

mod clauses;
mod networks;

use std::{fmt, net::SocketAddr};

pub use clauses::{CLAUSES, Clause, Matcher};
pub use networks::judge_network;

use crate::Cidr;

/// Where a gateway runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting {
    /// Nothing on the gateway's own machine can be reached.
    #[default]
    Production,
    /// Tests and the demo, whose servers are on 127.0.0.0/8 and `::1`. No
    /// other rule is relaxed.
    Development,
}

/// What is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A server of the plan. DRS says where it is.
    Server,
    /// An endpoint, with the networks in which its addresses may lie.
    Endpoint(&'a [Cidr]),
}

/// Why an address may not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Port 0.
    PortZero,
    /// Credentials and settings of the machine, at each cloud's address.
    Metadata,
    /// No address at all; to most systems, this machine.
    Unspecified,
    /// 0.0.0.0/8, "this network" (RFC 791).
    ThisNetwork,
    /// This machine.
    Loopback,
    /// This link.
    LinkLocal,
    /// Everyone on this network.
    Broadcast,
    /// A group.
    Multicast,
    /// IPv4 in IPv6, `::ffff:a.b.c.d` (RFC 4291).
    Mapped,
    /// IPv4 in IPv6, `::ffff:0:a.b.c.d` (RFC 2765).
    Translated,
    /// IPv4 in IPv6, `::a.b.c.d` (RFC 4291, deprecated).
    Compatible,
    /// IPv4 behind a translator (RFC 6052, RFC 8215).
    Nat64,
    /// IPv4 in IPv6, `2002:…` (RFC 3056), and its relays.
    SixToFour,
    /// IPv4 in IPv6, `2001:0:…` (RFC 4380).
    Teredo,
    /// For examples in texts (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// For measuring networks (RFC 2544, RFC 5180).
    Benchmarking,
    /// `fec0::/10` (RFC 3879, deprecated).
    SiteLocal,
    /// Assigned to nothing that can be probed.
    Reserved,
    /// A private address (RFC 1918) that no listed network holds.
    PrivateWithoutCidr,
    /// An address of a carrier's (RFC 6598) that no listed network holds.
    SharedWithoutCidr,
    /// A unique local address (RFC 4193) that no listed network holds.
    UniqueLocalWithoutCidr,
    /// The endpoint lists networks, and none holds this address.
    OutsideCidrs,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 22] = [
        Self::PortZero,
        Self::Metadata,
        Self::Unspecified,
        Self::ThisNetwork,
        Self::Loopback,
        Self::LinkLocal,
        Self::Broadcast,
        Self::Multicast,
        Self::Mapped,
        Self::Translated,
        Self::Compatible,
        Self::Nat64,
        Self::SixToFour,
        Self::Teredo,
        Self::Documentation,
        Self::Benchmarking,
        Self::SiteLocal,
        Self::Reserved,
        Self::PrivateWithoutCidr,
        Self::SharedWithoutCidr,
        Self::UniqueLocalWithoutCidr,
        Self::OutsideCidrs,
    ];

    /// As a denial names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PortZero => "port-zero",
            Self::Metadata => "metadata",
            Self::Unspecified => "unspecified",
            Self::ThisNetwork => "this-network",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Broadcast => "broadcast",
            Self::Multicast => "multicast",
            Self::Mapped => "mapped",
            Self::Translated => "translated",
            Self::Compatible => "compatible",
            Self::Nat64 => "nat64",
            Self::SixToFour => "6to4",
            Self::Teredo => "teredo",
            Self::Documentation => "documentation",
            Self::Benchmarking => "benchmarking",
            Self::SiteLocal => "site-local",
            Self::Reserved => "reserved",
            Self::PrivateWithoutCidr => "private-without-cidr",
            Self::SharedWithoutCidr => "shared-without-cidr",
            Self::UniqueLocalWithoutCidr => "unique-local-without-cidr",
            Self::OutsideCidrs => "outside-cidrs",
        }
    }

    /// Whether a plan can lift it, by listing a network.
    #[must_use]
    pub const fn is_grantable(self) -> bool {
        matches!(
            self,
            Self::PrivateWithoutCidr
                | Self::SharedWithoutCidr
                | Self::UniqueLocalWithoutCidr
                | Self::OutsideCidrs
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Judges one address.
///
/// # Errors
/// Names the rule that forbids it.
pub fn judge(setting: Setting, address: SocketAddr, subject: Subject<'_>) -> Result<(), Rule> {
    judge_by(CLAUSES, setting, address, subject)
}

/// Judges by another table than [`CLAUSES`]: how a test shows that each rule
/// of it is needed.
#[doc(hidden)]
pub fn judge_by(
    clauses: &[Clause<'_>],
    setting: Setting,
    address: SocketAddr,
    subject: Subject<'_>,
) -> Result<(), Rule> {
    clauses
        .iter()
        .find(|clause| clause.forbids(setting, address, subject))
        .map_or(Ok(()), |clause| Err(clause.rule))
}
