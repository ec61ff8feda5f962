//! What the gateway listens on.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::{Gateway, StartError};
use crate::{
    config::Config,
    serving::{self, Exposure, Operations},
};

/// A bound socket, and what is spoken on it.
pub(super) struct Socket {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) tls: Option<tokio_rustls::TlsAcceptor>,
    pub(super) operations: Option<Operations>,
}

impl Socket {
    pub(super) async fn bind(config: &Config) -> Result<Self, StartError> {
        let address = config.listen.address;
        match Gateway::exposure(config)? {
            Exposure::ThisMachine | Exposure::Certified => {}
            Exposure::Anybody => tracing::warn!(
                %address,
                "INSECURE: anybody who reaches this address can start a recovery and terminate \
                 servers; clients need no certificate"
            ),
        }
        let files = config.tls.files()?;
        let tls = files.as_ref().map(serving::acceptor).transpose()?;
        let bind_error = |source| StartError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        let operations = match config.operations.listen {
            Some(address) => Some(Operations::bind(address, config.operations.insecure).await?),
            None => None,
        };
        Ok(Self {
            address: listener.local_addr().map_err(bind_error)?,
            listener,
            tls,
            operations,
        })
    }
}
