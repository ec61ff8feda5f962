//! Connections that can be severed from within: a request's handler makes its own connection end
//! with a reset, which HTTP has no word for.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Accepts connections that can be severed.
pub(super) struct Door {
    listener: TcpListener,
    closing: watch::Receiver<bool>,
}

impl Door {
    /// `closing` turns true when the emulator is to end.
    pub(super) fn new(listener: TcpListener, closing: watch::Receiver<bool>) -> Self {
        Self { listener, closing }
    }
}

impl Listener for Door {
    type Io = Severable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let connection = Connection {
            severed: Arc::new(AtomicBool::new(false)),
            closing: self.closing.clone(),
        };
        (Severable { stream, connection }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A request's word on the connection that it came by.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    severed: Arc<AtomicBool>,
    closing: watch::Receiver<bool>,
}

impl Connection {
    /// Nothing more is written from now on: the next write fails, and the connection is reset.
    pub(super) fn sever(&self) {
        self.severed.store(true, Ordering::Release);
    }

    /// Whether the emulator is to end.
    pub(super) fn is_closing(&self) -> bool {
        *self.closing.borrow() || self.closing.has_changed().is_err()
    }

    /// Waits until the emulator is to end.
    pub(super) async fn closing(&self) {
        // An error means that whoever would say so is gone, which is the same.
        drop(self.closing.clone().wait_for(|closing| *closing).await);
    }

    fn check(&self) -> io::Result<()> {
        if self.severed.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, Door>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().connection.clone()
    }
}

/// A stream that fails once its connection is severed.
pub(super) struct Severable {
    stream: TcpStream,
    connection: Connection,
}

impl Drop for Severable {
    fn drop(&mut self) {
        if self.connection.check().is_err() {
            // Closed without lingering, a socket sends RST instead of FIN. Where that cannot be
            // set, the caller sees the end of the stream in the middle of an answer.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Severable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Severable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A shutdown would say FIN first.
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
