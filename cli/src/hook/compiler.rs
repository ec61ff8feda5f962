//! The compiler of components: this program again, as a child under limits.

use std::{env, ffi::OsStr};

use tidegate_hooks::{Compiler, Host};

use crate::failure::Failure;

/// The argument that makes a compiler of this program. It is in no help: what
/// it reads and writes is a component and native code.
const ARGUMENT: &str = "hook-compiler";

/// Whether this process was started as a compiler.
pub(crate) fn is_compiler() -> bool {
    let mut arguments = env::args_os().skip(1);
    arguments.next().as_deref() == Some(OsStr::new(ARGUMENT)) && arguments.next().is_none()
}

/// A compiler that is this program.
pub(super) fn compiler() -> Result<Compiler, Failure> {
    let program = env::current_exe()
        .map_err(|error| Failure::Other(format!("this program cannot find itself: {error}")))?;
    Ok(Compiler::new(program).arguments([ARGUMENT]))
}

/// What runs hooks. Nothing compiled is kept: a verb runs once.
pub(super) fn host() -> Result<Host, Failure> {
    Host::new(compiler()?, None).map_err(|error| Failure::Other(error.to_string()))
}
