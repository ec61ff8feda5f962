//! The signals that ask a server to stop, and the one that must not end it.

use std::io;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn stop() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// From now on, a write beyond the limit on the size of files (`RLIMIT_FSIZE`)
/// fails as one to a full disk does. Without a handler its signal, SIGXFSZ,
/// ends the process, and nobody hears why. Nobody waits for the signal: the
/// handler stays for the life of the process, which is all that is wanted.
///
/// # Errors
/// The operating system refuses the handler.
pub(crate) fn let_large_writes_fail() -> io::Result<()> {
    let too_large = SignalKind::from_raw(Signal::XFSZ.as_raw());
    signal(too_large).map(drop)
}
