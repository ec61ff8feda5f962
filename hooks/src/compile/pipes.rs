//! Talks to the child: all three pipes at once, each within a bound, because
//! a child that waits for one of them waits for ever otherwise.

use std::{io, process::ExitStatus};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStdin},
};

use super::CompileError;

/// Bytes of reason that are kept.
const REASON_BYTES: usize = 4 << 10;

/// What a child had to say.
pub(super) struct Said {
    /// One byte more than allowed if it said too much.
    pub(super) artifact: Vec<u8>,
    pub(super) reason: String,
    pub(super) status: ExitStatus,
}

pub(super) async fn converse(
    child: &mut Child,
    component: &[u8],
    most: usize,
) -> Result<Said, CompileError> {
    let pipe = "the pipe was asked for and not yet taken";
    let stdin = child.stdin.take().expect(pipe);
    let stdout = child.stdout.take().expect(pipe);
    let stderr = child.stderr.take().expect(pipe);
    let (written, artifact, reason) = tokio::join!(
        write(stdin, component),
        // Closing the pipe ends a child that goes on writing.
        read(stdout, most + 1),
        read_and_drain(stderr, REASON_BYTES),
    );
    written.map_err(CompileError::Wait)?;
    Ok(Said {
        artifact: artifact.map_err(CompileError::Wait)?,
        reason: line(&reason.map_err(CompileError::Wait)?),
        status: child.wait().await.map_err(CompileError::Wait)?,
    })
}

/// A child that ends before it has read everything has its reason, which it
/// tells by its status.
async fn write(mut to: ChildStdin, component: &[u8]) -> io::Result<()> {
    match to.write_all(component).await {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

async fn read(from: impl AsyncRead + Unpin, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most as u64).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

async fn read_and_drain(mut from: impl AsyncRead + Unpin, most: usize) -> io::Result<Vec<u8>> {
    let bytes = read(&mut from, most).await?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    Ok(bytes)
}

/// Words of the child as one line: they quote the component, which may hold
/// anything.
fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let printable = text.trim().chars();
    printable
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
