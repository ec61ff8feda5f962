//! Loopback networks: the addresses of recovery instances that really listen.
//!
//! Linux answers on all of 127.0.0.0/8, so every instance can have an address, and a port 5432, of
//! its own. Other systems know 127.0.0.1 only.

use std::fmt;
use std::net::Ipv4Addr;

use super::id::InvalidId;

/// One network of 127.0.0.0/8: 127.N.0.0/16. N is never 0: there are the machine's own services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loopback(u8);

impl Default for Loopback {
    /// 127.80.0.0/16
    fn default() -> Self {
        Self(80)
    }
}

impl Loopback {
    /// How many servers have addresses in one network.
    pub const SERVERS: usize = 8_000;

    /// Addresses of one server. Its launches take them in turn, so that what still knows the
    /// address of an older instance does not reach a newer one.
    const TURNS: u32 = 8;

    /// The network 127.N.0.0/16; `None` for 0.
    pub fn new(n: u8) -> Option<Self> {
        (n > 0).then_some(Self(n))
    }

    /// Reads `127.N.0.0/16`.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        text.strip_prefix("127.")
            .and_then(|rest| rest.strip_suffix(".0.0/16"))
            .and_then(|n| n.parse().ok())
            .and_then(Self::new)
            .ok_or_else(|| InvalidId {
                value: text.to_owned(),
                expected: "127.N.0.0/16 with N from 1 to 255",
            })
    }

    /// The address that stands for the whole network; no instance has it.
    pub fn claim(self) -> Ipv4Addr {
        Ipv4Addr::new(127, self.0, 255, 254)
    }

    /// The addresses of the server with that number; `None` beyond [`SERVERS`](Self::SERVERS).
    pub(super) fn berth(self, number: usize) -> Option<Berth> {
        let number = u32::try_from(number).ok()?;
        let fits = (number as usize) < Self::SERVERS;
        fits.then_some(Berth {
            loopback: self,
            first: (number + 1) * Self::TURNS,
        })
    }
}

impl fmt::Display for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "127.{}.0.0/16", self.0)
    }
}

/// The addresses of one server's instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Berth {
    loopback: Loopback,
    first: u32,
}

impl Berth {
    /// The address of the n-th launch.
    pub fn address(self, launch: u32) -> Ipv4Addr {
        let [.., high, low] = (self.first + launch % Loopback::TURNS).to_be_bytes();
        Ipv4Addr::new(127, self.loopback.0, high, low)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_network_is_written_as_it_is_read() {
        let loopback = Loopback::parse("127.80.0.0/16").unwrap();
        assert_eq!(loopback, Loopback::default());
        assert_eq!(loopback.to_string(), "127.80.0.0/16");
        for text in [
            "127.0.0.0/16",
            "127.256.0.0/16",
            "10.1.0.0/16",
            "127.1.0.0/8",
            "",
        ] {
            assert!(Loopback::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_two_servers_and_no_two_successive_launches_share_an_address() {
        let loopback = Loopback::default();
        let mut seen = BTreeSet::from([loopback.claim()]);
        for number in 0..Loopback::SERVERS {
            let berth = loopback.berth(number).unwrap();
            for launch in 0..Loopback::TURNS {
                assert!(seen.insert(berth.address(launch)), "{number}, {launch}");
            }
        }
        assert!(
            seen.iter()
                .all(|address| address.octets()[..2] == [127, 80])
        );
        assert_eq!(loopback.berth(Loopback::SERVERS), None);
    }
}
