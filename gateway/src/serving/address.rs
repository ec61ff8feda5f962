//! Where the gateway may listen.
//!
//! Whoever reaches the gateway can launch and terminate servers, so it serves
//! this machine only, unless clients must show a certificate or somebody said
//! plainly that they need not.

use std::net::SocketAddr;

/// Who may reach the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Processes on this machine.
    ThisMachine,
    /// Clients that show a certificate of our authority.
    Certified,
    /// Anybody who reaches the address. Worth a loud warning.
    Anybody,
}

/// The address would expose the gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address} is reachable from other machines, and anybody who reaches it could start a \
     recovery. Give tls.cert, tls.key and tls.client_ca (--tls-cert, --tls-key, \
     --tls-client-ca), listen on 127.0.0.1, or say listen.insecure = true (--insecure) if \
     something else protects it"
)]
pub struct AddressError {
    /// The address.
    pub address: SocketAddr,
}

/// Says who may reach an address, or refuses it.
///
/// # Errors
/// The address is not of this machine, clients need no certificate, and nobody
/// allowed that.
pub fn check(
    address: SocketAddr,
    client_certificates: bool,
    insecure: bool,
) -> Result<Exposure, AddressError> {
    if client_certificates {
        Ok(Exposure::Certified)
    } else if address.ip().to_canonical().is_loopback() {
        Ok(Exposure::ThisMachine)
    } else if insecure {
        Ok(Exposure::Anybody)
    } else {
        Err(AddressError { address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposure(address: &str, client_certificates: bool, insecure: bool) -> Option<Exposure> {
        check(address.parse().unwrap(), client_certificates, insecure).ok()
    }

    #[test]
    fn without_certificates_only_this_machine_is_served() {
        for own in [
            "127.0.0.1:0",
            "127.8.8.8:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert_eq!(
                exposure(own, false, false),
                Some(Exposure::ThisMachine),
                "{own}"
            );
        }
        for other in ["0.0.0.0:0", "[::]:0", "10.0.0.7:1", "[fe80::1]:1"] {
            assert_eq!(exposure(other, false, false), None, "{other}");
            assert_eq!(exposure(other, true, false), Some(Exposure::Certified));
            assert_eq!(exposure(other, false, true), Some(Exposure::Anybody));
        }
    }

    #[test]
    fn the_refusal_says_what_to_do() {
        let error = check("0.0.0.0:7070".parse().unwrap(), false, false).unwrap_err();
        for hint in [
            "0.0.0.0:7070",
            "tls.client_ca",
            "--tls-cert, --tls-key",
            "--tls-client-ca",
            "127.0.0.1",
            "listen.insecure",
            "--insecure",
        ] {
            assert!(error.to_string().contains(hint), "{error}");
        }
    }
}
