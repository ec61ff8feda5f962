//! What a plan allows one attempt to reach.
//!
//! An [`Endpoint`] is what a person wrote. [`Endpoint::check`] makes of it
//! what can be asked, once, where the plan is accepted.

mod cidr;
mod host;
mod path;
mod reach;
mod trust;

use std::{collections::BTreeMap, fmt, net::IpAddr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use cidr::{BadCidr, Cidr};
pub use host::BadHost;
pub(crate) use host::Host;
pub use path::BadPath;
pub(crate) use path::PathPrefix;
pub use reach::Unreachable;
pub use trust::BadAuthority;
pub(crate) use trust::Trust;

/// What an attempt may probe. Everything that is not in here is denied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Servers of this wave and of the waves that it depends on, by id, with
    /// the addresses of their recovery instances. A server that has none yet
    /// is here with an empty list.
    pub servers: BTreeMap<String, Vec<IpAddr>>,
    /// Ports of those servers.
    pub ports: Vec<u16>,
    /// Endpoints, by the name that the hook uses.
    pub endpoints: BTreeMap<String, Endpoint>,
}

/// Something outside the plan's servers that a plan lets a hook reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Endpoint {
    /// How it is spoken to. `tcp` endpoints cannot be asked by HTTP.
    pub scheme: Scheme,
    /// A DNS name or an address.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
    /// What the path of a request must begin with; `/` for all.
    #[serde(default)]
    pub path_prefix: String,
    /// Networks in which its addresses may lie, as `10.0.0.0/8` or
    /// `fd00::/8`. Without any, only public addresses are allowed.
    #[serde(default)]
    pub cidrs: Vec<String>,
    /// The authority that vouches for its certificate, PEM. Required with
    /// `https`: a recovery must not hang on what the machine trusts.
    #[serde(default)]
    pub ca_pem: String,
    /// The name in its certificate, if it is not `host`.
    #[serde(default)]
    pub server_name: String,
}

/// How an endpoint is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// A TCP connection and no more.
    Tcp,
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/1.1 over TLS.
    Https,
}

/// An endpoint in which everything means something.
#[derive(Clone, Debug)]
pub struct CheckedEndpoint {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) cidrs: Vec<Cidr>,
    pub(crate) service: Service,
}

/// What is asked of an endpoint.
#[derive(Clone, Debug)]
pub(crate) enum Service {
    /// To accept a connection.
    Tcp,
    /// To answer below this path.
    Http(PathPrefix),
    /// The same, behind a certificate.
    Https(PathPrefix, Trust),
}

/// What is wrong with an endpoint, by the field in which it is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// Neither a name nor an address.
    #[error("host: {0}")]
    Host(BadHost),
    /// Port 0.
    #[error("port: 0 is no port; write 1 to 65535")]
    Port,
    /// Not a path.
    #[error("path-prefix: {0}")]
    PathPrefix(BadPath),
    /// Not a network.
    #[error("cidrs: {0}")]
    Cidrs(BadCidr),
    /// No authority.
    #[error("ca-pem: {0}")]
    CaPem(BadAuthority),
    /// Not a name that a certificate can have.
    #[error("server-name: `{0}` cannot stand in a certificate")]
    ServerName(String),
    /// A field that would change nothing: whoever wrote it expects something
    /// that does not happen.
    #[error("{field}: means nothing with scheme `{scheme}`")]
    Idle {
        /// The field.
        field: &'static str,
        /// The scheme.
        scheme: Scheme,
    },
}

impl Endpoint {
    /// Makes what can be asked of what was written. Whether its addresses may
    /// be reached is another question: [`CheckedEndpoint::unreachable`] asks it
    /// of what was written, and every probe of the address that it comes to.
    ///
    /// # Errors
    /// Names the first field that cannot be used.
    pub fn check(&self) -> Result<CheckedEndpoint, EndpointError> {
        let host = Host::parse(&self.host).map_err(EndpointError::Host)?;
        if self.port == 0 {
            return Err(EndpointError::Port);
        }
        let cidrs = self
            .cidrs
            .iter()
            .map(|text| text.parse::<Cidr>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(EndpointError::Cidrs)?;
        Ok(CheckedEndpoint {
            service: self.service(&host)?,
            host,
            port: self.port,
            cidrs,
        })
    }

    fn service(&self, host: &Host) -> Result<Service, EndpointError> {
        let prefix = || PathPrefix::parse(&self.path_prefix).map_err(EndpointError::PathPrefix);
        match self.scheme {
            Scheme::Tcp => {
                self.idle("path-prefix", &self.path_prefix)?;
                self.without_trust()?;
                Ok(Service::Tcp)
            }
            Scheme::Http => {
                self.without_trust()?;
                Ok(Service::Http(prefix()?))
            }
            Scheme::Https => Ok(Service::Https(prefix()?, self.trust(host)?)),
        }
    }

    fn without_trust(&self) -> Result<(), EndpointError> {
        self.idle("ca-pem", &self.ca_pem)?;
        self.idle("server-name", &self.server_name)
    }

    fn idle(&self, field: &'static str, value: &str) -> Result<(), EndpointError> {
        if value.is_empty() {
            Ok(())
        } else {
            Err(EndpointError::Idle {
                field,
                scheme: self.scheme,
            })
        }
    }

    fn trust(&self, host: &Host) -> Result<Trust, EndpointError> {
        let named = match self.server_name.as_str() {
            "" => Some(host.clone()),
            text => Host::parse(text).ok(),
        };
        let name = named.as_ref().and_then(trust::name_of).ok_or_else(|| {
            let written = [&self.server_name, &self.host];
            let text = written.into_iter().find(|text| !text.is_empty());
            EndpointError::ServerName(text.cloned().unwrap_or_default())
        })?;
        Trust::new(&self.ca_pem, name).map_err(EndpointError::CaPem)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}
