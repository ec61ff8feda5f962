//! `[operations]`: the port for those who run the gateway.

use std::net::SocketAddr;

use serde::Deserialize;

/// Metrics and health over plain HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// The address; port 0 takes a free one. Off without it.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// Allows an address that other machines reach.
    pub insecure: bool,
}
