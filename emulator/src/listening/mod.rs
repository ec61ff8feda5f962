//! The workloads' listeners: one task that keeps the open ports as the model wants them.
//!
//! The model says what is open at a moment, and when that may next change; this opens and closes
//! real ports, and decides nothing. Every answer asks the model again, so that a listener that is
//! late by some milliseconds still tells the truth.

mod http;
mod network;
mod port;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use crate::emulator::Emulator;
use crate::model::{Model, Protocol, SourceServerId};
use network::Claim;
pub use network::free_loopback;
use port::{Door, Port};

/// Connections to all ports at once; one more is closed as soon as it is made.
const CONNECTIONS: usize = 256;

/// How long after a failure a port is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The open ports of an emulator. Dropping it closes them.
#[derive(Debug)]
pub(crate) struct Listening {
    emulator: Emulator,
    touches: watch::Receiver<u64>,
    connections: Arc<Semaphore>,
    ports: BTreeMap<SocketAddrV4, Port>,
    failed: BTreeMap<SocketAddrV4, String>,
    _claim: Claim,
}

/// What was reached, for those who wait for it and those who look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reached {
    /// The touch of the model after which the ports were last made right.
    pub(crate) touch: u64,
    /// The open ports.
    pub(crate) open: BTreeSet<SocketAddrV4>,
    /// The ports that should be open and are not, with the reason.
    pub(crate) failed: BTreeMap<SocketAddrV4, String>,
}

/// What the model wants at one moment.
struct Wanted {
    ports: BTreeMap<SocketAddrV4, (SourceServerId, Protocol)>,
    /// How long that stays so, in emulated time.
    lasts: Option<SignedDuration>,
}

impl Listening {
    /// Gets ready to listen, if the emulator's scenario wants that.
    pub(crate) async fn open(emulator: &Emulator) -> io::Result<Option<Self>> {
        let Some(claim) = claim(emulator)? else {
            return Ok(None);
        };
        let mut listening = Self {
            emulator: emulator.clone(),
            touches: emulator.touches(),
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            ports: BTreeMap::new(),
            failed: BTreeMap::new(),
            _claim: claim,
        };
        listening.reconcile().await;
        Ok(Some(listening))
    }

    /// Keeps the ports right for as long as it is polled.
    pub(crate) async fn run(&mut self) -> Infallible {
        loop {
            let lasts = self.reconcile().await;
            let nap = async {
                match lasts {
                    Some(lasts) => sleep(lasts).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The sender lives in the emulator that is held here.
                _ = self.touches.changed() => {}
                () = nap => {}
            }
        }
    }

    /// Closes every port, and returns when they are closed.
    pub(crate) async fn close(mut self) {
        self.close_all_but(&BTreeMap::new()).await;
    }

    /// Makes the ports right, and says how long that lasts.
    async fn reconcile(&mut self) -> Option<Duration> {
        let touch = *self.touches.borrow_and_update();
        let wanted = self.emulator.look(wanted);
        self.close_all_but(&wanted.ports).await;
        for (address, (server, protocol)) in wanted.ports {
            if !self.ports.contains_key(&address) {
                self.open_port(address, server, protocol).await;
            }
        }
        self.emulator.reached(Some(Reached {
            touch,
            open: self.ports.keys().copied().collect(),
            failed: self.failed.clone(),
        }));
        let late = self.emulator.next_late();
        let late = late.map(|next| next.duration_since(self.emulator.now()));
        let lasts = wanted.lasts.into_iter().chain(late).min();
        let lasts = lasts.and_then(|lasts| self.emulator.real(lasts));
        let retry = (!self.failed.is_empty()).then_some(RETRY);
        lasts.into_iter().chain(retry).min()
    }

    async fn close_all_but(&mut self, wanted: &BTreeMap<SocketAddrV4, (SourceServerId, Protocol)>) {
        self.failed
            .retain(|address, _| wanted.contains_key(address));
        let ports = self.ports.keys().copied();
        let unwanted: Vec<_> = ports.filter(|port| !wanted.contains_key(port)).collect();
        for address in unwanted {
            // Removed once it is closed, so that who gives up half way can close it again.
            if let Some(port) = self.ports.get_mut(&address) {
                port.close().await;
            }
            self.ports.remove(&address);
        }
    }

    async fn open_port(
        &mut self,
        address: SocketAddrV4,
        server: SourceServerId,
        protocol: Protocol,
    ) {
        let door = Door {
            emulator: self.emulator.clone(),
            address,
            server,
            protocol,
        };
        match Port::open(door, Arc::clone(&self.connections)).await {
            Ok(port) => {
                self.failed.remove(&address);
                self.ports.insert(address, port);
            }
            Err(error) => {
                let reason = error.to_string();
                if self.failed.insert(address, reason.clone()).is_none() {
                    tracing::error!(%address, reason, "a workload cannot listen");
                }
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Nobody waits for what is no longer kept right.
        self.emulator.reached(None);
    }
}

/// Takes the network of an emulator whose scenario wants to listen. Fails if the network is not
/// there or is taken, or if a port of a workload is taken on every address.
pub(crate) fn claim(emulator: &Emulator) -> io::Result<Option<Claim>> {
    let (loopback, servers, ports) = emulator.look(|model| {
        let ports = model
            .workloads()
            .flat_map(|served| served.workload.ports.keys());
        let ports: BTreeSet<u16> = ports.copied().collect();
        (model.loopback(), servers(model), ports)
    });
    loopback
        .map(|loopback| Claim::make(loopback, servers, &ports))
        .transpose()
}

fn wanted(model: &Model) -> Wanted {
    let open = model.workloads().flat_map(|served| {
        let server = &served.server.spec.id;
        let open: Vec<_> = served.open().collect();
        open.into_iter()
            .map(move |(address, protocol)| (address, (server.clone(), protocol)))
    });
    Wanted {
        ports: open.collect(),
        lasts: model
            .next_workload_change()
            .map(|next| next.duration_since(model.now())),
    }
}

fn servers(model: &Model) -> usize {
    let estates = model.places().filter_map(|place| model.estate(place).ok());
    estates.map(|estate| estate.source_servers().count()).sum()
}
