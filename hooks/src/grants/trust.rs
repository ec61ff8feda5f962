//! What an `https` endpoint is trusted by: the authorities that its plan
//! names and nothing that the machine has installed.

use std::{fmt, sync::Arc};

use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use thiserror::Error;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, client::Resumption, crypto::ring};

use super::host::Host;

/// How a certificate is judged.
#[derive(Clone)]
pub(crate) struct Trust {
    /// Its authorities.
    pub(crate) config: Arc<ClientConfig>,
    /// The name that it must have.
    pub(crate) name: ServerName<'static>,
}

/// Authorities that vouch for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadAuthority {
    /// No certificate in the text.
    #[error("`https` needs at least one certificate of an authority, as PEM")]
    None,
    /// Not PEM.
    #[error("not PEM: {0}")]
    Pem(String),
    /// A certificate that cannot be an authority.
    #[error("certificate {number} is no authority: {reason}")]
    Certificate {
        /// From 1.
        number: usize,
        /// Why.
        reason: String,
    },
}

impl Trust {
    /// Trusts these authorities for this name.
    pub(crate) fn new(ca_pem: &str, name: ServerName<'static>) -> Result<Self, BadAuthority> {
        let mut roots = RootCertStore::empty();
        for (index, certificate) in CertificateDer::pem_slice_iter(ca_pem.as_bytes()).enumerate() {
            let certificate = certificate.map_err(|error| BadAuthority::Pem(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|reason| BadAuthority::Certificate {
                    number: index + 1,
                    reason: reason.to_string(),
                })?;
        }
        if roots.is_empty() {
            return Err(BadAuthority::None);
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each probe is to see the certificate for itself.
        config.resumption = Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
            name,
        })
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The name that a certificate is checked for.
pub(crate) fn name_of(host: &Host) -> Option<ServerName<'static>> {
    match host {
        Host::Name(name) => ServerName::try_from(name.clone()).ok(),
        Host::Address(address) => Some(ServerName::IpAddress((*address).into())),
    }
}
