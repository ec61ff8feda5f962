//! A gateway without a hook host: it knows no hook, so no plan that uses one
//! is accepted.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _, ready};
use tidegate_core::engine::HookAnswer;

use crate::ports::hooks::{HookCall, Hooks};

/// Knows no hook.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn knows(&self, _hook: &str) -> bool {
        false
    }

    fn run(&self, call: HookCall) -> BoxFuture<'_, HookAnswer> {
        let message = format!("this gateway cannot run hook {}", call.hook.hook);
        ready(HookAnswer::Failed {
            message: Arc::from(message),
        })
        .boxed()
    }
}
