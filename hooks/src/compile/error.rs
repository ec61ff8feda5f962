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

/// Reads it from the child's status: its own code where it could still choose
/// one, the kernel's signal where it used up its processor time. Only where
/// Rust aborts for want of memory does it take the last words as well: the
/// signal is that of every abort, and no code of ours runs any more.
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
        Some(ABORT) if starved(words) => Ending::Memory,
        Some(PROCESSOR_TIME) => Ending::Time,
        Some(signal) => Ending::Died(format!("it was ended by signal {signal}")),
        None => Ending::Died("it is neither ended nor running".to_owned()),
    }
}

/// Whether they are what Rust says when it is refused memory. They are
/// compared in full: the compiler may quote the component before it dies.
fn starved(words: &str) -> bool {
    let said = words.rsplit_once("memory allocation of ");
    let said = said.and_then(|(_, rest)| rest.split_once(" bytes failed"));
    said.is_some_and(|(bytes, _)| bytes.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABORTED: i32 = 6;

    fn ended(status: i32, words: &str) -> Ending {
        ending(&ExitStatus::from_raw(status), words)
    }

    #[test]
    fn want_of_memory_is_told_from_other_aborts() {
        let said = "memory allocation of 4096 bytes failed";
        assert!(matches!(ended(ABORTED, said), Ending::Memory));
        for other in [
            "",
            "thread 'main' has overflowed its stack",
            "panicked: the export \"memory allocation of\" is odd",
            "panicked: memory allocation of x bytes failed",
        ] {
            assert!(matches!(ended(ABORTED, other), Ending::Died(_)), "{other}");
        }
        // Words alone are no evidence.
        assert!(matches!(ended(9, said), Ending::Died(_)));
        assert!(matches!(ended(101 << 8, said), Ending::Died(_)));
    }

    #[test]
    fn a_code_and_a_signal_speak_for_themselves() {
        let code = |code: u8| i32::from(code) << 8;
        assert!(matches!(ended(code(0), ""), Ending::Good));
        assert!(matches!(ended(code(REFUSED), ""), Ending::Refused));
        assert!(matches!(ended(code(OUT_OF_MEMORY), ""), Ending::Memory));
        assert!(matches!(ended(24, ""), Ending::Time));
    }
}
