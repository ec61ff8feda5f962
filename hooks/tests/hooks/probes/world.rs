//! A network that is told what to say and remembers what it was asked.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use tidegate_hooks::{Connector, Grants, Limits, LiveProbes, Network, Resolver, Setting, Stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::mpsc,
};

use super::ip;

/// What stands at an address.
type Dial = Box<dyn Fn(SocketAddr) -> io::Result<Stream> + Send + Sync>;

/// Names, addresses, and a record.
pub(super) struct World {
    names: BTreeMap<String, Vec<Vec<IpAddr>>>,
    dial: Dial,
    delays: BTreeMap<IpAddr, Duration>,
    resolved: Mutex<Vec<String>>,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl World {
    /// A world in which each connection stands and nobody speaks.
    pub(super) fn silent() -> Self {
        Self::new(Box::new(|_| Ok(Box::new(duplex(64).0) as Stream)))
    }

    /// A world in which each connection is served by this.
    pub(super) fn served<F>(serve: impl Fn(DuplexStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::new(Box::new(move |_| {
            let (near, far) = duplex(1 << 10);
            tokio::spawn(serve(far));
            Ok(Box::new(near) as Stream)
        }))
    }

    /// A world in which each request is answered with these bytes, after
    /// which the connection is closed.
    pub(super) fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::served(move |mut far| {
            let bytes = bytes.clone();
            async move {
                read_head(&mut far).await;
                // Whoever has read enough does not wait for the rest.
                let _ = far.write_all(&bytes).await;
            }
        })
    }

    pub(super) fn new(dial: Dial) -> Self {
        Self {
            names: BTreeMap::new(),
            dial,
            delays: BTreeMap::new(),
            resolved: Mutex::default(),
            dialled: Mutex::default(),
        }
    }

    /// A name and what each resolution of it gives; the last for ever.
    pub(super) fn with_name(mut self, name: &str, resolutions: &[&[&str]]) -> Self {
        let parse = |addresses: &&[&str]| addresses.iter().map(|text| ip(text)).collect();
        self.names
            .insert(name.to_owned(), resolutions.iter().map(parse).collect());
        self
    }

    /// A world in which this address takes its time, whatever it then says.
    pub(super) fn with_delay(mut self, address: &str, delay: Duration) -> Self {
        self.delays.insert(ip(address), delay);
        self
    }

    pub(super) fn resolved(&self) -> Vec<String> {
        self.resolved.lock().unwrap().clone()
    }

    pub(super) fn dialled(&self) -> Vec<String> {
        let dialled = self.dialled.lock().unwrap();
        dialled.iter().map(SocketAddr::to_string).collect()
    }

    pub(super) fn probes(self: &Arc<Self>, grants: &Grants, setting: Setting) -> LiveProbes {
        let network = Network::new(self.clone(), self.clone());
        LiveProbes::new(grants, &Limits::DEFAULT, setting, network).unwrap()
    }
}

impl Resolver for World {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut resolved = self.resolved.lock().unwrap();
        let before = resolved.iter().filter(|one| *one == name).count();
        resolved.push(name.to_owned());
        let answer = self.names.get(name).and_then(|answers| {
            let answer = answers.get(before).or(answers.last())?;
            Some(answer.clone())
        });
        let answer = answer.ok_or_else(|| io::Error::other("no such name"));
        Box::pin(async move { answer })
    }
}

impl Connector for World {
    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<Stream>> {
        self.dialled.lock().unwrap().push(address);
        Box::pin(async move {
            if let Some(delay) = self.delays.get(&address.ip()) {
                tokio::time::sleep(*delay).await;
            }
            (self.dial)(address)
        })
    }
}

/// Reads a request, up to its end or the connection's.
pub(super) async fn read_head(stream: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Writes the beginning once and the rest for ever, until the other end is
/// closed; then says so, with the bytes that it took.
pub(super) fn endless(
    beginning: &'static str,
    rest: &'static str,
) -> (World, mpsc::UnboundedReceiver<usize>) {
    let (closed, ends) = mpsc::unbounded_channel();
    let world = World::served(move |mut far| {
        let closed = closed.clone();
        async move {
            read_head(&mut far).await;
            let mut taken = 0;
            let mut piece = beginning;
            while far.write_all(piece.as_bytes()).await.is_ok() {
                taken += piece.len();
                piece = rest;
            }
            // The test may have ended.
            let _ = closed.send(taken);
        }
    });
    (world, ends)
}
