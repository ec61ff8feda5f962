//! What is refused at admission, so that nothing has to be refused in the
//! middle of a recovery.

/// Bounds of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Waves in a plan.
    pub waves: u32,
    /// Servers named by id in a plan, and servers of one execution.
    pub servers: u32,
    /// Hooks of one phase of one wave.
    pub hooks: u32,
    /// Tags of a selection, labels of a plan, parameters of a hook.
    pub entries: u32,
    /// Characters of a text.
    pub text: usize,
    /// Automatic retries of a wave.
    pub retries: u32,
    /// Retries of a hook.
    pub hook_retries: u32,
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
        }
    }
}
