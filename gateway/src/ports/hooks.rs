//! Hooks, as the driver needs them.

use futures::future::BoxFuture;
use tidegate_core::{
    ExecutionId,
    engine::{CommandId, Execution, HookAnswer},
    plan::HookUse,
};

/// Runs hooks. A hook reads and judges; running one twice does no harm.
pub trait Hooks: Send + Sync + 'static {
    /// Whether a hook of this name can be run. A plan that uses another one is
    /// refused when it is stored.
    fn knows(&self, hook: &str) -> bool;

    /// Runs a hook. Whatever goes wrong is an answer, too.
    fn run(&self, call: HookCall) -> BoxFuture<'_, HookAnswer>;
}

/// One run of a hook.
#[derive(Clone, Debug)]
pub struct HookCall {
    /// For which execution.
    pub execution: ExecutionId,
    /// The command that it answers: wave, side, hook, attempt.
    pub command: CommandId,
    /// How the plan uses it.
    pub hook: HookUse,
    /// The execution as it was when the hook was wanted.
    pub state: Execution,
}
