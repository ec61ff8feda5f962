//! `[hooks]`: how hooks are compiled and what they may reach.

use std::{num::NonZeroUsize, path::PathBuf};

use serde::Deserialize;

use super::HumanDuration;

/// How hooks are compiled and what they may reach.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// Program that compiles, called with the argument `hook-compiler`;
    /// `None` for the running program.
    #[serde(default)]
    pub compiler: Option<PathBuf>,
    /// Compilations at a time.
    pub compilations: NonZeroUsize,
    /// How long one may take.
    pub compile_timeout: HumanDuration,
    /// MiB that one may use beyond what the program starts with.
    pub compile_memory_mib: u32,
    /// Whether servers on this machine's loopback addresses may be probed.
    pub allow_loopback: bool,
}
