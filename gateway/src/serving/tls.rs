//! TLS with client certificates.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

/// Where the certificates are, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and its root.
    pub cert: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
    /// Certificates of the authorities that sign clients. `None`: clients
    /// need no certificate.
    pub client_ca: Option<PathBuf>,
}

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not what it should be.
    #[error("cannot use {what} {}: {reason}", file.display())]
    File {
        /// What it should be.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The files do not fit together.
    #[error("the TLS certificate and key cannot be used: {0}")]
    Mismatch(#[source] rustls::Error),
}

/// What accepts TLS connections; speaks HTTP/2 only.
///
/// # Errors
/// A file is missing or of no use.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let certs = certificates("the certificate", &files.cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| file_error("the private key", &files.key, error))?;
    // Named, because other parts of the process may bring another provider.
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Mismatch)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider)
                    .build()
                    .map_err(|error| file_error("the client CA", file, error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(certs, key)
        .map_err(TlsError::Mismatch)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("the client CA", file)? {
        roots
            .add(certificate)
            .map_err(|error| file_error("the client CA", file, error))?;
    }
    Ok(roots)
}

fn certificates(what: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let found: Vec<_> = read.map_err(|error| file_error(what, file, error))?;
    if found.is_empty() {
        let none = io::Error::other("it holds no certificate");
        return Err(file_error(what, file, none));
    }
    Ok(found)
}

fn file_error(what: &'static str, file: &Path, reason: impl ToString) -> TlsError {
    TlsError::File {
        what,
        file: file.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_certificate_with_its_key_is_accepted_and_another_key_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, content: String| {
            let file = dir.path().join(name);
            fs::write(&file, content).unwrap();
            file
        };
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::KeyPair::generate().unwrap();
        let mut files = TlsFiles {
            cert: write("cert.pem", own.cert.pem()),
            key: write("key.pem", own.signing_key.serialize_pem()),
            client_ca: Some(write("ca.pem", own.cert.pem())),
        };
        assert!(acceptor(&files).is_ok());

        files.key = write("other.pem", other.serialize_pem());
        assert!(matches!(acceptor(&files), Err(TlsError::Mismatch(_))));
    }

    #[test]
    fn a_file_that_is_of_no_use_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("empty.pem");
        fs::write(&file, "").unwrap();
        let files = TlsFiles {
            cert: file.clone(),
            key: file,
            client_ca: None,
        };
        let Err(error) = acceptor(&files) else {
            panic!("an empty file is no certificate");
        };
        assert!(error.to_string().contains("empty.pem"), "{error}");
    }
}
