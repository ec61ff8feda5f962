//! From what a plan names to a connection.
//!
//! A name is resolved once. Every address that comes of it is judged, and one
//! that is forbidden forbids them all: a name that leads both to a database
//! and to this machine is not a name to follow. What is dialled is an address
//! that was judged, never the name again.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures::{
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{
    ProbeFailure, Problem,
    policy::{Rule, Setting, Subject, judge},
};

/// How long an address is waited for before the next is tried beside it: the
/// Connection Attempt Delay that RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// Addresses of one destination that are tried. All are judged.
const TRIED: usize = 16;

/// Turns names into addresses.
pub trait Resolver: Send + Sync {
    /// All addresses of a name.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// Turns addresses into connections.
pub trait Connector: Send + Sync {
    /// Connects to exactly this address.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<Stream>>;
}

/// Bytes both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection. Dropping it closes it.
pub type Stream = Box<dyn Duplex>;

/// The way out.
#[derive(Clone)]
pub struct Network {
    resolver: Arc<dyn Resolver>,
    connector: Arc<dyn Connector>,
}

/// Why an address is not dialled. One rule can be lifted where a hook runs,
/// and whoever tries things out on one machine looks for how.
fn denied(address: SocketAddr, rule: Rule) -> String {
    let advice = if rule == Rule::Loopback {
        " (to try things out, a gateway allows it with hooks.allow_loopback = true, \
         `hook run` with --allow-loopback)"
    } else {
        ""
    };
    format!("{address} may not be reached: rule {rule}{advice}")
}

/// What is to be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) port: u16,
    pub(crate) subject: Subject<'a>,
}

/// Where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// Somebody has to be asked.
    Name(&'a str),
    /// It is known.
    Addresses(&'a [IpAddr]),
}

impl Network {
    /// A way out of these parts.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolver>, connector: Arc<dyn Connector>) -> Self {
        Self {
            resolver,
            connector,
        }
    }

    /// The machine's own. A resolution that is no longer waited for ends in
    /// the background.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Arc::new(System), Arc::new(System))
    }

    /// Resolves, judges, connects.
    pub(crate) async fn reach(
        &self,
        setting: Setting,
        destination: Destination<'_>,
    ) -> Result<(Stream, SocketAddr), ProbeFailure> {
        let candidates = self.candidates(destination).await?;
        for address in &candidates {
            judge(setting, *address, destination.subject)
                .map_err(|rule| ProbeFailure::new(Problem::Denied, denied(*address, rule)))?;
        }
        self.connect(&candidates).await
    }

    async fn candidates(
        &self,
        destination: Destination<'_>,
    ) -> Result<Vec<SocketAddr>, ProbeFailure> {
        let unresolved = |text: String| ProbeFailure::new(Problem::Unresolved, text);
        let resolved;
        let addresses = match destination.place {
            Place::Addresses(addresses) => addresses,
            Place::Name(name) => {
                resolved = self
                    .resolver
                    .resolve(name)
                    .await
                    .map_err(|reason| unresolved(format!("`{name}`: {reason}")))?;
                if resolved.is_empty() {
                    return Err(unresolved(format!("`{name}` has no address")));
                }
                &resolved
            }
        };
        let mut candidates: Vec<SocketAddr> = Vec::with_capacity(addresses.len());
        for address in addresses {
            let candidate = SocketAddr::new(*address, destination.port);
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
        Ok(candidates)
    }

    /// Tries one after the other, the next as soon as one fails or has had its
    /// head start, so that an address that never answers does not take the
    /// time of those after it. The first connection that stands is the one,
    /// and the others are given up. Of several failures the last is told.
    async fn connect(
        &self,
        candidates: &[SocketAddr],
    ) -> Result<(Stream, SocketAddr), ProbeFailure> {
        let mut untried = candidates.iter().copied().take(TRIED);
        let mut attempts = FuturesUnordered::new();
        let mut last = ProbeFailure::new(Problem::Unresolved, "there is no address");
        loop {
            attempts.extend(untried.next().map(|address| self.dial(address)));
            let ended = if untried.len() == 0 {
                attempts.next().await
            } else {
                match timeout(HEAD_START, attempts.next()).await {
                    Ok(ended) => ended,
                    Err(_) => continue,
                }
            };
            match ended {
                Some(Ok(connected)) => return Ok(connected),
                Some(Err(failure)) => last = failure,
                None => return Err(last),
            }
        }
    }

    async fn dial(&self, address: SocketAddr) -> Result<(Stream, SocketAddr), ProbeFailure> {
        match self.connector.connect(address).await {
            Ok(stream) => Ok((stream, address)),
            Err(reason) => {
                let text = format!("{address}: {reason}");
                Err(ProbeFailure::new(problem_of(&reason), text))
            }
        }
    }
}

/// What a broken or missing connection means to a hook.
pub(crate) fn problem_of(error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        Problem::Refused
    } else if error.kind() == io::ErrorKind::TimedOut {
        Problem::TimedOut
    } else {
        Problem::Unreachable
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

/// The operating system's resolver and its sockets.
struct System;

impl Resolver for System {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            // The lookup wants a port and does nothing with it.
            let found = lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

impl Connector for System {
    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            Ok(Box::new(stream) as Stream)
        })
    }
}
