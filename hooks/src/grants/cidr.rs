//! A network in CIDR notation.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use thiserror::Error;

/// An address and the number of its leading bits that count. The other bits
/// are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

/// Not a network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadCidr {
    /// Not an address, a slash and a number.
    #[error("`{0}` is no network: write it as `10.0.0.0/8` or `fd00::/8`")]
    Form(String),
    /// More bits than an address has.
    #[error("`{0}` has more bits than an address of its kind")]
    Prefix(String),
    /// An address within the network, where the network's own is expected.
    /// Somebody meant either fewer addresses or more.
    #[error("`{text}` is an address within a network: write `{network}` for all of it")]
    HostBits {
        /// As it was written.
        text: String,
        /// The network that it lies in.
        network: Cidr,
    },
}

impl Cidr {
    /// A network of IPv4. Bits beyond the prefix are cleared.
    ///
    /// # Panics
    /// With a prefix beyond 32.
    #[must_use]
    pub const fn v4(octets: [u8; 4], prefix: u8) -> Self {
        assert!(prefix <= 32, "an IPv4 address has 32 bits");
        let bits = Ipv4Addr::from_octets(octets).to_bits() & mask4(prefix);
        Self {
            network: IpAddr::V4(Ipv4Addr::from_bits(bits)),
            prefix,
        }
    }

    /// A network of IPv6. Bits beyond the prefix are cleared.
    ///
    /// # Panics
    /// With a prefix beyond 128.
    #[must_use]
    pub const fn v6(segments: [u16; 8], prefix: u8) -> Self {
        assert!(prefix <= 128, "an IPv6 address has 128 bits");
        let bits = Ipv6Addr::from_segments(segments).to_bits() & mask6(prefix);
        Self {
            network: IpAddr::V6(Ipv6Addr::from_bits(bits)),
            prefix,
        }
    }

    /// Whether the address lies in it. An IPv4 address never lies in a
    /// network of IPv6, nor the other way round, however it is embedded.
    #[must_use]
    pub const fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()) & mask4(self.prefix) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()) & mask6(self.prefix) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// Its first address.
    #[must_use]
    pub const fn first(&self) -> IpAddr {
        self.network
    }

    /// Whether every address of the other one lies in it. Of two networks that
    /// share an address, one covers the other.
    #[must_use]
    pub const fn covers(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.network)
    }

    /// Its lower and its upper half; `None` for a single address.
    #[must_use]
    pub fn halves(&self) -> Option<[Self; 2]> {
        let prefix = self.prefix + 1;
        let upper = match self.network {
            IpAddr::V4(first) if prefix <= 32 => {
                Ipv4Addr::from_bits(first.to_bits() | 1 << (32 - prefix)).into()
            }
            IpAddr::V6(first) if prefix <= 128 => {
                Ipv6Addr::from_bits(first.to_bits() | 1 << (128 - prefix)).into()
            }
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        Some([self.network, upper].map(|network| Self { network, prefix }))
    }
}

const fn mask4(prefix: u8) -> u32 {
    match prefix {
        0 => 0,
        bits => u32::MAX << (32 - bits),
    }
}

const fn mask6(prefix: u8) -> u128 {
    match prefix {
        0 => 0,
        bits => u128::MAX << (128 - bits),
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl FromStr for Cidr {
    type Err = BadCidr;

    fn from_str(text: &str) -> Result<Self, BadCidr> {
        let form = || BadCidr::Form(text.to_owned());
        let (address, bits) = text.split_once('/').ok_or_else(form)?;
        let address: IpAddr = address.parse().map_err(|_| form())?;
        // `u8::from_str` would take `+8` and `008`.
        let plain = bits == "0" || bits.starts_with(|digit| matches!(digit, '1'..='9'));
        if !plain || !bits.bytes().all(|digit| digit.is_ascii_digit()) || bits.len() > 3 {
            return Err(form());
        }
        let too_long = || BadCidr::Prefix(text.to_owned());
        let prefix: u8 = bits.parse().map_err(|_| too_long())?;
        let network = match address {
            IpAddr::V4(v4) if prefix <= 32 => Self::v4(v4.octets(), prefix),
            IpAddr::V6(v6) if prefix <= 128 => Self::v6(v6.segments(), prefix),
            IpAddr::V4(_) | IpAddr::V6(_) => return Err(too_long()),
        };
        if network.network == address {
            Ok(network)
        } else {
            Err(BadCidr::HostBits {
                text: text.to_owned(),
                network,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_its_first_and_last_address_and_not_their_neighbours() {
        for (network, first, last, before, after) in [
            (
                "10.0.0.0/8",
                "10.0.0.0",
                "10.255.255.255",
                "9.255.255.255",
                "11.0.0.0",
            ),
            (
                "172.16.0.0/12",
                "172.16.0.0",
                "172.31.255.255",
                "172.15.255.255",
                "172.32.0.0",
            ),
            (
                "192.0.2.7/32",
                "192.0.2.7",
                "192.0.2.7",
                "192.0.2.6",
                "192.0.2.8",
            ),
            (
                "fd00::/8",
                "fd00::",
                "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "fcff::",
                "fe00::",
            ),
            (
                "2001:db8::1/128",
                "2001:db8::1",
                "2001:db8::1",
                "2001:db8::",
                "2001:db8::2",
            ),
        ] {
            let cidr: Cidr = network.parse().unwrap();
            assert_eq!(cidr.to_string(), network);
            for inside in [first, last] {
                assert!(cidr.contains(address(inside)), "{network} {inside}");
            }
            for outside in [before, after] {
                assert!(!cidr.contains(address(outside)), "{network} {outside}");
            }
        }
    }

    #[test]
    fn a_network_is_its_two_halves() {
        let cidr = |text: &str| text.parse::<Cidr>().unwrap();
        for (whole, lower, upper) in [
            ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"),
            ("10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9"),
            ("192.0.2.6/31", "192.0.2.6/32", "192.0.2.7/32"),
            ("::/0", "::/1", "8000::/1"),
            ("fd00::/127", "fd00::/128", "fd00::1/128"),
        ] {
            let halves = [cidr(lower), cidr(upper)];
            assert_eq!(cidr(whole).halves(), Some(halves), "{whole}");
            assert!(halves.iter().all(|half| cidr(whole).covers(half)));
            assert!(!halves.iter().any(|half| half.covers(&cidr(whole))));
            assert!(!halves[0].covers(&halves[1]), "{whole}");
        }
        assert_eq!(cidr("192.0.2.7/32").halves(), None);
        assert_eq!(cidr("fd00::1/128").halves(), None);
        assert!(!cidr("0.0.0.0/0").covers(&cidr("::/0")));
    }

    #[test]
    fn a_network_of_all_addresses_is_still_of_one_family() {
        let (all4, all6): (Cidr, Cidr) = ("0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap());
        let (v4, v6, mapped) = (
            address("10.1.2.3"),
            address("fd00::1"),
            address("::ffff:10.1.2.3"),
        );
        assert!(all4.contains(v4) && !all4.contains(v6) && !all4.contains(mapped));
        assert!(all6.contains(v6) && all6.contains(mapped) && !all6.contains(v4));
    }

    #[test]
    fn what_is_not_exactly_a_network_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0",
            "10.0.0.0/",
            "/8",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/ 8",
            "10.0.0.0/8 ",
            "10/8",
            "010.0.0.0/8",
            "0xa.0.0.0/8",
            "10.0.0.0/255.0.0.0",
            "10.0.0.0/0008",
            "fd00::/",
            "[fd00::]/8",
            "fe80::%eth0/10",
            "10.0.0.0/-1",
        ] {
            assert_eq!(
                text.parse::<Cidr>(),
                Err(BadCidr::Form(text.to_owned())),
                "{text}"
            );
        }
        for text in ["10.0.0.0/33", "fd00::/129", "10.0.0.0/999"] {
            assert_eq!(
                text.parse::<Cidr>(),
                Err(BadCidr::Prefix(text.to_owned())),
                "{text}"
            );
        }
        let error = "10.1.2.3/8".parse::<Cidr>().unwrap_err();
        assert!(error.to_string().contains("`10.0.0.0/8`"), "{error}");
    }
}
