//! `tidegate`: the one binary that people install.
//!
//! The client verbs know the gateway only through its gRPC API. What is shown
//! comes from there; nothing is decided here.

mod aws;
mod built_in;
mod command;
mod command_line;
mod completion;
mod connect;
mod demo;
mod drill;
mod emulator;
mod execution;
mod failure;
mod hook;
mod info;
mod instances;
mod logging;
mod names;
mod plan;
mod print;
mod recovery;
mod samples;
mod serve;
mod session;
mod signal;
mod start;
mod time;
mod watch;

use std::process::ExitCode;

/// Executions are many small values that change hands between threads, which
/// is where the system's allocator is slow.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything else: it takes limits on all that comes after.
    if hook::is_compiler() {
        return tidegate_hooks::compile_child();
    }
    command::main()
}
