//! What the child process does: limits itself, reads a component, compiles
//! it, writes the artifact.

use std::{
    env, fs,
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::CompileLimits;
use crate::{COMPONENT_BYTES, engine::engine};

/// The exit code for a component that the compiler does not want.
pub(super) const REFUSED: u8 = 3;

/// The exit code for memory that the system does not give, where that did not
/// end in an abort.
pub(super) const OUT_OF_MEMORY: u8 = 4;

/// The exit code for everything that the component is not to blame for.
const BROKEN: u8 = 5;

/// Bytes of address space.
const MEMORY: &str = "TIDEGATE_COMPILE_MEMORY";

/// Seconds of processor time.
const SECONDS: &str = "TIDEGATE_COMPILE_SECONDS";

/// All of the child's environment.
///
/// An allocator that reserves address space when it starts would have it
/// counted as used before the limit is taken.
pub(super) fn environment(limits: &CompileLimits) -> [(&'static str, String); 3] {
    [
        ("MIMALLOC_ARENA_RESERVE", "65536".to_owned()),
        (MEMORY, limits.memory.to_string()),
        (SECONDS, seconds(limits).to_string()),
    ]
}

/// The kernel counts processor time in whole seconds.
fn seconds(limits: &CompileLimits) -> u64 {
    limits.wall.as_secs() + u64::from(limits.wall.subsec_nanos() > 0)
}

/// The whole of the compiler's process: reads a component from standard
/// input, writes the artifact to standard output or the reason why there is
/// none to standard error. To be called before anything else is done in the
/// process, from its only thread.
#[must_use]
pub fn compile_child() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            let (code, reason) = failed.told();
            // Where nobody listens any more, the code alone has to do.
            let _ = io::stderr().write_all(reason.as_bytes());
            ExitCode::from(code)
        }
    }
}

enum Failed {
    Refused(String),
    Memory,
    Broken(String),
}

impl Failed {
    fn told(self) -> (u8, String) {
        match self {
            Self::Refused(reason) => (REFUSED, reason),
            Self::Memory => (OUT_OF_MEMORY, "out of memory".to_owned()),
            Self::Broken(reason) => (BROKEN, reason),
        }
    }
}

fn run() -> Result<(), Failed> {
    limit().map_err(broken("the limits cannot be set"))?;
    let component = read().map_err(broken("the component cannot be read"))?;
    let engine = engine().map_err(|error| Failed::Broken(error.to_string()))?;
    let artifact = engine
        .precompile_component(&component)
        .map_err(|error| refused(&error))?;
    let mut out = io::stdout().lock();
    out.write_all(&artifact)
        .and_then(|()| out.flush())
        .map_err(broken("the artifact cannot be written"))
}

fn broken(what: &'static str) -> impl Fn(io::Error) -> Failed {
    move |error| {
        if error.kind() == io::ErrorKind::OutOfMemory {
            return Failed::Memory;
        }
        Failed::Broken(format!("{what}: {error}"))
    }
}

fn refused(error: &wasmtime::Error) -> Failed {
    let starved = error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory)
            || cause.is::<wasmtime::error::OutOfMemory>()
    });
    if starved {
        Failed::Memory
    } else {
        Failed::Refused(format!("{error:#}"))
    }
}

/// Without a word from the parent the default applies.
fn limit() -> io::Result<()> {
    let told = |name| env::var(name).ok().and_then(|text| text.parse().ok());
    let memory = told(MEMORY).unwrap_or(CompileLimits::DEFAULT.memory);
    let seconds = told(SECONDS).unwrap_or(seconds(&CompileLimits::DEFAULT));
    // The processor's second chance: at the first limit the kernel says so
    // (SIGXCPU), at the second it kills without a word.
    hold(Resource::Cpu, seconds, seconds + 1)?;
    let space = address_space()?.saturating_add(memory);
    hold(Resource::As, space, space)?;
    // No core file of somebody's component, and no file at all.
    hold(Resource::Core, 0, 0)?;
    hold(Resource::Fsize, 0, 0)
}

/// Never above what this process was given.
fn hold(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let given = getrlimit(resource).maximum;
    let within = |most: u64| Some(given.map_or(most, |given| given.min(most)));
    let limit = Rlimit {
        current: within(current),
        maximum: within(maximum),
    };
    Ok(setrlimit(resource, limit)?)
}

/// Bytes of address space in use.
fn address_space() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib: Option<u64> = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.parse().ok());
    kib.map(|kib| kib << 10)
        .ok_or_else(|| io::Error::other("/proc/self/status has no VmSize"))
}

fn read() -> io::Result<Vec<u8>> {
    let mut component = Vec::new();
    let most = COMPONENT_BYTES as u64 + 1;
    io::stdin().lock().take(most).read_to_end(&mut component)?;
    if component.len() > COMPONENT_BYTES {
        return Err(io::Error::other("it is too large"));
    }
    Ok(component)
}
