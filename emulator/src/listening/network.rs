//! The loopback network of one emulator: that it is there, and that nobody else has it.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddrV4, TcpListener};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::model::Loopback;

/// The port on which an emulator holds its network. Above the ports that Linux gives to clients.
const CLAIM_PORT: u16 = 61_271;

/// Holds a network against other emulators on this machine.
#[derive(Debug)]
pub(crate) struct Claim {
    _held: TcpListener,
}

/// Why workloads cannot listen at all.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("another emulator has the network {0}")]
    Taken(Loopback),
    #[error(
        "workloads cannot listen in {0}: {1}; Linux answers on all of 127.0.0.0/8, and other \
         systems may not"
    )]
    Absent(Loopback, io::Error),
    #[error(
        "workloads cannot listen on port {0}: {1}; does something listen there on every address?"
    )]
    Port(u16, io::Error),
    #[error("workloads cannot listen: {0} servers are more than a network has addresses for ({max})", max = Loopback::SERVERS)]
    TooManyServers(usize),
}

impl Claim {
    /// Takes the network, if so many servers and these ports can have their places in it.
    pub(super) fn make(
        loopback: Loopback,
        servers: usize,
        ports: &BTreeSet<u16>,
    ) -> io::Result<Self> {
        if servers > Loopback::SERVERS {
            let unusable = Unusable::TooManyServers(servers);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, unusable));
        }
        let held = bind(loopback, CLAIM_PORT, |error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                Unusable::Taken(loopback)
            } else {
                Unusable::Absent(loopback, error)
            }
        })?;
        for &port in ports {
            bind(loopback, port, |error| Unusable::Port(port, error))?;
        }
        Ok(Self { _held: held })
    }
}

fn bind(
    loopback: Loopback,
    port: u16,
    unusable: impl FnOnce(io::Error) -> Unusable,
) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddrV4::new(loopback.claim(), port))
        .map_err(|error| io::Error::new(error.kind(), unusable(error)))
}

/// A loopback network that no emulator on this machine has now. Another one within this process is
/// a different one.
pub fn free_loopback() -> io::Result<Loopback> {
    static GIVEN: AtomicU8 = AtomicU8::new(0);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for _ in 0..=u8::MAX {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        // Processes that start together begin at different places.
        let offset = std::process::id().wrapping_mul(41).to_le_bytes()[0];
        let Some(loopback) = Loopback::new(given.wrapping_add(offset)) else {
            continue;
        };
        match Claim::make(loopback, 0, &BTreeSet::new()) {
            Ok(_) => return Ok(loopback),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_belongs_to_one_emulator() {
        let loopback = free_loopback().unwrap();
        let claim = Claim::make(loopback, 1, &BTreeSet::new()).unwrap();
        let error = Claim::make(loopback, 1, &BTreeSet::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().contains(&loopback.to_string()), "{error}");
        drop(claim);
        Claim::make(loopback, 1, &BTreeSet::new()).unwrap();
    }

    #[test]
    fn a_port_that_is_taken_everywhere_is_named() {
        let loopback = free_loopback().unwrap();
        // Taken at the address that is tried for all stands for taken everywhere.
        let taken = TcpListener::bind((loopback.claim(), 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Claim::make(loopback, 1, &BTreeSet::from([port])).unwrap_err();
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    }

    #[test]
    fn a_fleet_that_is_too_large_is_refused() {
        let loopback = free_loopback().unwrap();
        let error = Claim::make(loopback, Loopback::SERVERS + 1, &BTreeSet::new()).unwrap_err();
        assert!(error.to_string().contains("8001"), "{error}");
    }
}
