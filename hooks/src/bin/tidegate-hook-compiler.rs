//! Compiles one component, from standard input to standard output, under
//! limits.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate_hooks::compile_child()
}
