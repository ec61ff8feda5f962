//! What a client says before anything else: the preface of HTTP/2, and its
//! settings.
//!
//! hyper waits for them for as long as it takes. Here they are watched as they
//! pass by, and not judged: bytes that are no HTTP/2 are hyper's to refuse.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

/// Bytes of the preface (RFC 9113, section 3.4).
const PREFACE: usize = 24;
/// Bytes before a frame's payload, of which three are its length (section 4.1).
const FRAME_HEAD: usize = 9;

/// A connection of which is known whether its client has greeted.
#[derive(Debug)]
pub(super) struct Greeted<Io> {
    io: Io,
    /// `None` once it was heard.
    greeting: Option<Greeting>,
    heard: CancellationToken,
}

impl<Io> Greeted<Io> {
    /// A connection of which nothing was read, and what is cancelled when the
    /// whole greeting was.
    pub(super) fn new(io: Io) -> (Self, CancellationToken) {
        let heard = CancellationToken::new();
        let greeted = Self {
            io,
            greeting: Some(Greeting::default()),
            heard: heard.clone(),
        };
        (greeted, heard)
    }

    fn hear(&mut self, bytes: &[u8]) {
        if let Some(greeting) = &mut self.greeting
            && greeting.is_whole_with(bytes)
        {
            self.greeting = None;
            self.heard.cancel();
        }
    }
}

/// How much of a greeting was heard.
#[derive(Debug, Default)]
struct Greeting {
    bytes: usize,
    /// What the first frame says of its length.
    payload: usize,
}

impl Greeting {
    fn is_whole_with(&mut self, bytes: &[u8]) -> bool {
        const LENGTH: std::ops::Range<usize> = PREFACE..PREFACE + 3;
        for (at, &byte) in (self.bytes..LENGTH.end).zip(bytes) {
            if LENGTH.contains(&at) {
                self.payload = self.payload << 8 | usize::from(byte);
            }
        }
        self.bytes += bytes.len();
        self.bytes >= PREFACE + FRAME_HEAD + self.payload
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Greeted<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        self.hear(&buffer.filled()[before..]);
        read
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Greeted<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    /// A preface and a SETTINGS frame with one setting.
    const WHOLE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
                           \x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64";

    #[tokio::test]
    async fn a_greeting_is_heard_with_its_last_byte_however_it_comes() {
        for piece in 1..=WHOLE.len() {
            let (mut io, heard) = Greeted::new(WHOLE);
            let mut buffer = vec![0; piece];
            let mut read = 0;
            while read < WHOLE.len() {
                assert!(!heard.is_cancelled(), "after {read} bytes");
                read += io.read(&mut buffer).await.unwrap();
            }
            assert!(heard.is_cancelled(), "in pieces of {piece}");
        }
    }

    #[tokio::test]
    async fn what_follows_a_greeting_passes_as_it_is() {
        let bytes = [WHOLE, b"more"].concat();
        let (mut io, heard) = Greeted::new(&bytes[..]);
        let mut read = Vec::new();
        io.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, bytes);
        assert!(heard.is_cancelled());
    }
}
