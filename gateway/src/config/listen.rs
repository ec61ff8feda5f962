//! `[listen]` and `[tls]`: who reaches the gateway.

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;

use super::HumanDuration;
use crate::serving::TlsFiles;

/// Where the gateway serves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// Allows an exposed address without certificates.
    pub insecure: bool,
    /// How long a client may take for TLS and the greeting of HTTP/2.
    pub handshake_timeout: HumanDuration,
    /// How often an idle client is asked whether it lives.
    pub keepalive_interval: HumanDuration,
    /// How long it may take to answer.
    pub keepalive_timeout: HumanDuration,
}

/// Certificates, in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate.
    #[serde(default)]
    pub cert: Option<PathBuf>,
    /// Its private key.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// The authority that signs clients.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

/// Some of the TLS files are given, and others that they need are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncompleteTls {
    /// One of the two.
    #[error("tls.cert and tls.key are needed together")]
    CertAndKey,
    /// Without the server's own certificate.
    #[error("tls.client_ca needs tls.cert and tls.key")]
    OnlyClientCa,
}

impl Tls {
    /// The files to serve TLS with; `None` for no TLS.
    ///
    /// # Errors
    /// Some are missing.
    pub fn files(&self) -> Result<Option<TlsFiles>, IncompleteTls> {
        match (&self.cert, &self.key, &self.client_ca) {
            (Some(cert), Some(key), client_ca) => Ok(Some(TlsFiles {
                cert: cert.clone(),
                key: key.clone(),
                client_ca: client_ca.clone(),
            })),
            (None, None, None) => Ok(None),
            (None, None, Some(_)) => Err(IncompleteTls::OnlyClientCa),
            (Some(_), None, _) | (None, Some(_), _) => Err(IncompleteTls::CertAndKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_complete_or_absent() {
        let file = || Some(PathBuf::from("x.pem"));
        let mut tls = Tls::default();
        assert_eq!(tls.files(), Ok(None));
        tls.client_ca = file();
        assert_eq!(tls.files(), Err(IncompleteTls::OnlyClientCa));
        tls.cert = file();
        assert_eq!(tls.files(), Err(IncompleteTls::CertAndKey));
        tls.key = file();
        assert!(
            tls.files()
                .unwrap()
                .is_some_and(|files| files.client_ca.is_some())
        );
    }
}
