//! TLS to an endpoint, on the terms of its plan.

use std::io;

use tokio_rustls::{TlsConnector, rustls};

use super::{
    ProbeFailure, Problem,
    network::{Stream, problem_of},
};
use crate::grants::Trust;

/// Secures a connection, or says why its other end is not to be trusted.
pub(super) async fn secure(stream: Stream, trust: &Trust) -> Result<Stream, ProbeFailure> {
    let connector = TlsConnector::from(trust.config.clone());
    match connector.connect(trust.name.clone(), stream).await {
        Ok(secured) => Ok(Box::new(secured)),
        Err(error) => Err(failure(&error, trust)),
    }
}

fn failure(error: &io::Error, trust: &Trust) -> ProbeFailure {
    let source = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<rustls::Error>());
    match source {
        None => ProbeFailure::new(problem_of(error), format!("TLS handshake: {error}")),
        Some(source) => {
            let name = trust.name.to_str();
            let text = format!(
                "expected a certificate for `{name}` from an authority in the endpoint's `ca-pem`: {source}"
            );
            ProbeFailure::new(Problem::Tls, text)
        }
    }
}
