//! WASI 0.2 for languages whose runtime cannot do without: everything denied,
//! a clock that stands still and random bytes that are none, so that a replay
//! is equal. Output goes to the attempt's log.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtx,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
    random::Deterministic,
};

use super::log::Log;
use crate::{Context, Digest, Level};

/// Random bytes before they repeat.
const RANDOM: usize = 4096;
/// Random bytes that a guest gets at once.
const RANDOM_AT_ONCE: u64 = 64 << 10;
/// Bytes of a line of output; what is longer becomes several.
const LINE: usize = 1024;

/// WASI for one attempt.
pub(super) struct Wasi {
    pub(super) context: WasiCtx,
    outputs: [Output; 2],
}

/// What an attempt sees of time and chance.
pub(super) struct Fixed {
    /// Since 1970.
    now: Duration,
    seed: [u8; 32],
}

impl Fixed {
    /// For an attempt of `check`. Nothing if the context's `now` is no time.
    pub(super) fn of(digest: &Digest, context: &Context) -> Option<Self> {
        let now: jiff::Timestamp = context.now.parse().ok()?;
        let now = now.duration_since(jiff::Timestamp::UNIX_EPOCH);
        let seed = Sha256::new()
            .chain_update(digest.as_bytes())
            .chain_update(context.execution.as_bytes())
            .chain_update(context.attempt.to_le_bytes())
            .finalize();
        Some(Self {
            now: now.unsigned_abs(),
            seed: seed.into(),
        })
    }

    /// For `accepts`, which knows no time.
    pub(super) fn timeless(digest: &Digest) -> Self {
        Self {
            now: Duration::ZERO,
            seed: *digest.as_bytes(),
        }
    }

    /// The seed drawn out to as many bytes as are given before they repeat.
    fn random(&self, purpose: &[u8]) -> Vec<u8> {
        let blocks = 0..(RANDOM / self.seed.len()) as u32;
        let block = |number: u32| {
            Sha256::new()
                .chain_update(self.seed)
                .chain_update(purpose)
                .chain_update(number.to_le_bytes())
                .finalize()
        };
        blocks.flat_map(block).collect()
    }
}

impl Wasi {
    pub(super) fn new(fixed: &Fixed, log: &Log) -> Self {
        let outputs = [Output::new(log), Output::new(log)];
        let mut insecure_seed = [0; 16];
        insecure_seed.copy_from_slice(&fixed.random(b"insecure seed")[..16]);
        // Standard input, arguments, environment and directories are empty
        // unless something is put there.
        let context = WasiCtx::builder()
            .stdout(outputs[0].clone())
            .stderr(outputs[1].clone())
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .wall_clock(Frozen(fixed.now))
            .monotonic_clock(Frozen(Duration::ZERO))
            .secure_random(Deterministic::new(fixed.random(b"secure")))
            .insecure_random(Deterministic::new(fixed.random(b"insecure")))
            .insecure_random_seed(u128::from_le_bytes(insecure_seed))
            .max_random_size(RANDOM_AT_ONCE)
            .build();
        Self { context, outputs }
    }

    /// Puts what was written without a line's end into the log.
    pub(super) fn finish(&self) {
        for output in &self.outputs {
            output.finish();
        }
    }
}

/// A clock that stands still. A guest that sleeps sleeps in real time, and
/// its deadline comes.
struct Frozen(Duration);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Frozen {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

/// Standard output or error. Clones write to the same line.
#[derive(Clone)]
struct Output {
    log: Log,
    line: Arc<Mutex<Vec<u8>>>,
}

impl Output {
    fn new(log: &Log) -> Self {
        Self {
            log: log.clone(),
            line: Arc::default(),
        }
    }

    fn push(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for &byte in bytes {
            if byte != b'\n' {
                line.push(byte);
            }
            if byte == b'\n' || line.len() == LINE {
                self.log
                    .write(Level::Debug, &String::from_utf8_lossy(&line));
                line.clear();
            }
        }
    }

    fn finish(&self) {
        let unfinished = !self
            .line
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty();
        if unfinished {
            self.push(b"\n");
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE)
    }
}

impl Pollable for Output {
    fn ready<'this, 'future>(&'this mut self) -> BoxFuture<'future, ()>
    where
        'this: 'future,
        Self: 'future,
    {
        Box::pin(std::future::ready(()))
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
