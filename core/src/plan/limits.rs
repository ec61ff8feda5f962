//! What is refused at admission, so that nothing has to be refused in the
//! middle of a recovery.

use crate::Span;

/// Bounds of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Waves in a plan.
    pub waves: u32,
    /// Servers named by id in a plan, and servers of one execution.
    pub servers: u32,
    /// Hooks of one phase of one wave.
    pub hooks: u32,
    /// Tags of a selection, labels of a plan, parameters and ports of a hook,
    /// networks of an endpoint.
    pub entries: u32,
    /// Characters of a text.
    pub text: usize,
    /// Automatic retries of a wave.
    pub retries: u32,
    /// Retries of a hook.
    pub hook_retries: u32,
    /// One attempt of a hook.
    pub hook_attempt: Span,
    /// Instructions of one attempt of a hook.
    pub hook_fuel: u64,
    /// Memory of one attempt of a hook, in MiB.
    pub hook_memory_mib: u32,
    /// Endpoints of a plan.
    pub endpoints: u32,
    /// Bytes of an authority's PEM.
    pub pem: usize,
}

impl Limits {
    /// No limits: for a plan that was within them when it was accepted.
    pub const NONE: Self = Self {
        waves: u32::MAX,
        servers: u32::MAX,
        hooks: u32::MAX,
        entries: u32::MAX,
        text: usize::MAX,
        retries: u32::MAX,
        hook_retries: u32::MAX,
        hook_attempt: Span::from_millis(u64::MAX),
        hook_fuel: u64::MAX,
        hook_memory_mib: u32::MAX,
        endpoints: u32::MAX,
        pem: usize::MAX,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            waves: 200,
            servers: 5_000,
            hooks: 16,
            entries: 50,
            text: 1_024,
            retries: 10,
            hook_retries: 1_000,
            hook_attempt: Span::from_secs(120),
            hook_fuel: 100_000_000_000,
            hook_memory_mib: 256,
            endpoints: 50,
            pem: 64 * 1024,
        }
    }
}
