//! How a compilation ends without an artifact.

use std::{
    io, os::unix::process::ExitStatusExt as _, path::PathBuf, process::ExitStatus, time::Duration,
};

use thiserror::Error;

use super::child::{OUT_OF_MEMORY, REFUSED};

/// Why there is no artifact.
#[derive(Debug, Error)]
pub enum CompileError {
    /// The compiler's process does not start.
    #[error("the compiler {} does not start: {source}", program.display())]
    Start {
        /// What was to run.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It took longer than it may.
    #[error("compiling took longer than {after:?}; the component has too much or too odd code")]
    TooLong {
        /// Its limit.
        after: Duration,
    },
    /// It needed more memory than it may have.
    #[error(
        "compiling needs more than {} MiB of memory; the component has too much or too odd code",
        most >> 20
    )]
    TooMuchMemory {
        /// Its limit.
        most: u64,
    },
    /// The artifact is larger than it may be.
    #[error("the compiled component is larger than {} MiB", most >> 20)]
    ArtifactTooLarge {
        /// Its limit.
        most: usize,
    },
    /// The compiler says that it is not a component that it can compile.
    #[error("the component does not compile: {0}")]
    Refused(String),
    /// The compiler died.
    #[error("the compiler died: {how}. Its last words: {said:?}")]
    Died {
        /// By which signal, or with which code.
        how: String,
        /// The beginning of what it said.
        said: String,
    },
    /// Nothing can be heard from the compiler.
    #[error("the compiler does not answer: {0}")]
    Wait(#[source] io::Error),
}

/// How the child ended.
pub(super) enum Ending {
    Good,
    Refused,
    Memory,
    Time,
    Died(String),
}

/// Reads it from the child's status, and from its last words where Rust aborts
/// without an answer of ours: out of memory it says so and raises SIGABRT.
pub(super) fn ending(status: &ExitStatus, words: &str) -> Ending {
    const ABORT: i32 = 6;
    const PROCESSOR_TIME: i32 = 24;
    if let Some(code) = status.code() {
        return match code {
            0 => Ending::Good,
            code if code == i32::from(REFUSED) => Ending::Refused,
            code if code == i32::from(OUT_OF_MEMORY) => Ending::Memory,
            code => Ending::Died(format!("it ended with code {code}")),
        };
    }
    match status.signal() {
        Some(ABORT) if words.contains("memory allocation of") => Ending::Memory,
        Some(PROCESSOR_TIME) => Ending::Time,
        Some(signal) => Ending::Died(format!("it was ended by signal {signal}")),
        None => Ending::Died("it is neither ended nor running".to_owned()),
    }
}
