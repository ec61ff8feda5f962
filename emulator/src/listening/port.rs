//! One open port: its task, and the connections that are its children.

use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::http::{self, Greeting};
use crate::emulator::Emulator;
use crate::model::{Protocol, SourceServerId, WorkloadState};

/// How long a connection may last, whatever is spoken on it.
const LIFE: Duration = Duration::from_secs(10);

/// How long to wait when the system has no more connections to give.
const PAUSE: Duration = Duration::from_millis(100);

/// An open port. Dropping it closes it, but not at once; see [`close`](Self::close).
#[derive(Debug)]
pub(super) struct Port {
    task: JoinHandle<()>,
}

/// Whose port it is.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) emulator: Emulator,
    pub(super) address: SocketAddrV4,
    pub(super) server: SourceServerId,
    pub(super) protocol: Protocol,
}

impl Port {
    /// Opens it.
    pub(super) async fn open(door: Door, connections: Arc<Semaphore>) -> io::Result<Self> {
        let listener = TcpListener::bind(door.address).await?;
        let task = tokio::spawn(accept(listener, door, connections));
        Ok(Self { task })
    }

    /// Closes it and its connections, and returns when they are closed.
    pub(super) async fn close(&mut self) {
        self.task.abort();
        // Cancelled, or panicked: closed in either case.
        drop((&mut self.task).await);
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts until it is aborted, which ends the connections too.
async fn accept(listener: TcpListener, door: Door, connections: Arc<Semaphore>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // One connection too many is closed at once.
                    if let Ok(permit) = Arc::clone(&connections).try_acquire_owned() {
                        open.spawn(serve(stream, door.clone(), permit));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, address = %door.address, "a connection was not accepted");
                    sleep(PAUSE).await;
                }
            },
            Some(_) = open.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, door: Door, _permit: OwnedSemaphorePermit) {
    let spoken = async {
        match door.protocol {
            Protocol::Tcp => door.hold(stream).await,
            Protocol::Http => door.answer(stream).await,
        }
    };
    match timeout(LIFE, spoken).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, address = %door.address, "a connection broke"),
        Err(_) => tracing::debug!(address = %door.address, "a connection lasted too long"),
    }
}

impl Door {
    /// What is said there now; nothing if the port should not be open.
    fn greeting(&self) -> Option<Greeting> {
        self.emulator.look(|model| {
            let served = model.workload(&self.server)?;
            let instance = served.instance?;
            let open = served.open().any(|(address, _)| address == self.address);
            open.then(|| Greeting {
                server: self.server.to_string(),
                hostname: served.server.spec.hostname.clone(),
                instance: instance.id.to_string(),
                healthy: served.state == WorkloadState::Healthy,
            })
        })
    }

    /// Says nothing, for as long as the caller stays.
    async fn hold(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut heard = [0; 1_024];
        while self.greeting().is_some() && stream.read(&mut heard).await? > 0 {}
        Ok(())
    }

    /// Answers one request.
    async fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut head = Vec::new();
        while !http::is_whole(&head) {
            if stream.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        if let Some(greeting) = self.greeting() {
            stream.write_all(&http::answer(&head, &greeting)).await?;
            stream.shutdown().await?;
        }
        Ok(())
    }
}
