//! Tells the ways in which an attempt fails apart.
//!
//! wasmtime says for certain only what a trap was. Whether a guest that
//! trapped had run out of memory or of table entries is known to our own
//! [`Limiter`], whether it was denied a probe to the [`Recorder`].

use thiserror::Error;
use wasmtime::{Trap, component::ResourceTableError};
use wasmtime_wasi::I32Exit;

use super::{limiter::Limiter, recorder::Recorder};
use crate::{Failure, FailureKind, Level, LogLine};

/// How a call to a guest ended, if not with what the contract promises.
#[derive(Debug)]
pub(super) enum Ended {
    /// By an error while it was instantiated, or in a start function.
    Instantiated(wasmtime::Error),
    /// By an error in the call, in a host function, in its allocator or when
    /// it cleaned up.
    Called(wasmtime::Error),
    /// With an error of its own.
    Answered(String),
    /// With what breaks the bounds of the contract.
    Broken(Broken),
    /// Not before its deadline.
    Late,
}

/// What a guest gave is out of bounds.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Broken(String);

impl Broken {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// The failure that an attempt is.
///
/// A denied probe outranks all else: a plan that lets traps pass must not let
/// through a hook that reached for what it was not granted.
pub(super) fn failure(ended: Ended, limiter: &Limiter, recorder: &Recorder) -> Failure {
    let failure = match ended {
        Ended::Late => Failure::new(FailureKind::Timeout, recorder.waiting()),
        Ended::Broken(broken) => Failure::new(FailureKind::BadOutput, broken.to_string()),
        Ended::Answered(error) => starved(limiter, &format!("it answered: {error}"))
            .unwrap_or_else(|| Failure::new(FailureKind::Error, error)),
        Ended::Instantiated(error) => {
            trapped(&error, limiter).unwrap_or_else(|| not_instantiated(&error))
        }
        Ended::Called(error) => trapped(&error, limiter)
            .unwrap_or_else(|| Failure::new(FailureKind::BadOutput, root(&error))),
    };
    match recorder.denied() {
        Some(denied) => Failure::new(
            FailureKind::ProbeDenied,
            format!("{denied}; then it ended with {failure}"),
        ),
        None => failure,
    }
}

/// The failure of a guest that reported, if a probe of it was denied.
pub(super) fn denied(recorder: &Recorder) -> Option<Failure> {
    let denied = recorder.denied()?;
    Some(Failure::new(FailureKind::ProbeDenied, denied))
}

fn trapped(error: &wasmtime::Error, limiter: &Limiter) -> Option<Failure> {
    if let Some(broken) = error.downcast_ref::<Broken>() {
        return Some(Failure::new(FailureKind::BadOutput, broken.to_string()));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => {
            return Some(Failure::new(
                FailureKind::Fuel,
                "it used up its instructions",
            ));
        }
        Some(Trap::StackOverflow) => {
            return Some(Failure::new(FailureKind::Stack, "its stack is exhausted"));
        }
        Some(_) | None => {}
    }
    let text = root(error);
    if let Some(failure) = starved(limiter, &format!("it ended with: {text}")) {
        return Some(failure);
    }
    let of_the_guest = error.is::<Trap>() || error.is::<ResourceTableError>();
    if of_the_guest {
        return Some(Failure::new(FailureKind::Trap, text));
    }
    error.downcast_ref::<I32Exit>().map(|I32Exit(code)| {
        Failure::new(
            FailureKind::Trap,
            format!("it called exit({code}) instead of giving a verdict"),
        )
    })
}

/// The failure of a guest that was denied memory or table entries, in
/// whichever way it ended after that.
fn starved(limiter: &Limiter, end: &str) -> Option<Failure> {
    let (kind, what, pool) = if limiter.memory.denied() {
        (FailureKind::Memory, "bytes of memory", &limiter.memory)
    } else if limiter.tables.denied() {
        (FailureKind::Table, "table entries", &limiter.tables)
    } else {
        return None;
    };
    let limit = pool.limit;
    let message = format!("it asked for more than its {limit} {what}; {end}");
    Some(Failure::new(kind, message))
}

/// What is wrong with a component that neither trapped nor was denied
/// anything and still could not be instantiated. wasmtime has no type for
/// having counted too many instances, memories or tables.
fn not_instantiated(error: &wasmtime::Error) -> Failure {
    let text = root(error);
    let kind = if text.starts_with("resource limit exceeded") {
        FailureKind::Memory
    } else {
        FailureKind::Host
    };
    Failure::new(kind, text)
}

/// The innermost reason. What wasmtime wraps around it is about its own
/// inside.
fn root(error: &wasmtime::Error) -> String {
    let text = error.root_cause().to_string();
    text.strip_prefix("wasm trap: ").unwrap_or(&text).to_owned()
}

/// The guest SDK logs a panic as its last line before it traps, with file and
/// line; that says more than the trap.
pub(super) fn in_its_words(failure: Failure, log: &[LogLine]) -> Failure {
    match log.last() {
        Some(line)
            if failure.kind == FailureKind::Trap
                && line.level == Level::Error
                && line.message.starts_with("panicked at ") =>
        {
            Failure::new(failure.kind, &*line.message)
        }
        Some(_) | None => failure,
    }
}
