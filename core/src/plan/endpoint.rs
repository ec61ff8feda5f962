//! Endpoints: what hooks may reach beside the plan's servers.

use alloc::{string::String, vec::Vec};
use core::{fmt, net::IpAddr, str::FromStr};

use super::Plan;
use crate::{EndpointIx, EndpointName};

/// Something outside the plan's servers that a use of a hook may be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointPlan {
    /// What hooks call it; unique in the plan.
    pub name: EndpointName,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// A DNS name, or an address without brackets.
    pub host: String,
    /// Not 0.
    pub port: u16,
    /// What the path of a request must lie below; `/` for all.
    pub path_prefix: String,
    /// Networks in which its addresses may lie; none for public ones only.
    pub cidrs: Vec<Cidr>,
    /// PEM of the authority that vouches for its certificate; always there
    /// with [`Scheme::Https`], and only there.
    pub ca_pem: Option<String>,
    /// The name in its certificate, if it is not `host`.
    pub server_name: Option<String>,
}

/// How an endpoint is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// A TCP connection and no more.
    #[default]
    Tcp,
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/1.1 over TLS.
    Https,
}

/// A network: an address and how many of its leading bits count. The bits
/// after them are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

/// The text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCidr;

impl Plan {
    /// The endpoints, in the order of the plan.
    #[must_use]
    pub fn endpoints(&self) -> &[EndpointPlan] {
        &self.endpoints
    }

    /// One endpoint.
    ///
    /// # Panics
    /// If the position is of another plan.
    #[must_use]
    pub fn endpoint(&self, endpoint: EndpointIx) -> &EndpointPlan {
        &self.endpoints[endpoint.index()]
    }

    /// The position of an endpoint.
    #[must_use]
    pub fn find_endpoint(&self, name: &str) -> Option<EndpointIx> {
        (0..)
            .map(EndpointIx)
            .zip(&self.endpoints)
            .find(|(_, endpoint)| endpoint.name.as_str() == name)
            .map(|(ix, _)| ix)
    }
}

impl Cidr {
    /// Its lowest address.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How many leading bits count.
    #[must_use]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }
}

impl FromStr for Cidr {
    type Err = NoCidr;

    fn from_str(text: &str) -> Result<Self, NoCidr> {
        let (address, prefix) = text.split_once('/').ok_or(NoCidr)?;
        let address: IpAddr = address.parse().map_err(|_| NoCidr)?;
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NoCidr);
        }
        let prefix: u8 = prefix.parse().map_err(|_| NoCidr)?;
        let (bits, length): (u128, u8) = match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let host_bits = length.checked_sub(prefix).ok_or(NoCidr)?;
        let below = 1_u128.checked_shl(u32::from(host_bits));
        let mask = below.map_or(u128::MAX, |below| below - 1);
        if bits & mask == 0 {
            Ok(Self { address, prefix })
        } else {
            Err(NoCidr)
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Display for NoCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an address, '/', and how many of its bits count, the rest zero")
    }
}

impl core::error::Error for NoCidr {}
