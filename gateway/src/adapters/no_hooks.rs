//! A gateway without a hook host: it knows no hook, so no plan that uses one
//! is accepted.

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, ready};
use tidegate_core::{
    engine::{HookAnswer, HookVerdict},
    plan::{HookFailureKind, Plan},
};

use crate::ports::{
    hook_store::HookStoreError,
    hooks::{
        Fault, HookCall, HookInfo, Hooks, RegisterError, Rehearsal, RehearsalError, Rehearsed,
        Unarmed,
    },
    journal::ReadError,
};

/// Knows no hook.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn newest(&self, _name: &str) -> Option<String> {
        None
    }

    fn arm<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<(), Vec<Unarmed>>> {
        let unarmed: Vec<Unarmed> = plan
            .hook_uses()
            .map(|site| Unarmed {
                field: format!("{}.hook", site.field),
                problem: format!("this gateway cannot run hook {}", site.hook_use.hook),
                fault: Fault::Plan,
            })
            .collect();
        let armed = if unarmed.is_empty() {
            Ok(())
        } else {
            Err(unarmed)
        };
        ready(armed).boxed()
    }

    fn run(&self, call: HookCall) -> BoxFuture<'_, HookAnswer> {
        let message = format!("this gateway cannot run hook {}", call.hook.hook);
        let verdict = HookVerdict::Failed {
            kind: HookFailureKind::Host,
        };
        ready(HookAnswer::bare(verdict, message)).boxed()
    }

    fn register(
        &self,
        _digest: String,
        _component: Bytes,
    ) -> BoxFuture<'_, Result<(HookInfo, bool), RegisterError>> {
        let why = "this gateway runs no hooks".to_owned();
        ready(Err(RegisterError::Unavailable(why))).boxed()
    }

    fn list(&self) -> Vec<HookInfo> {
        Vec::new()
    }

    fn component<'a>(
        &'a self,
        _digest: &'a str,
    ) -> BoxFuture<'a, Result<Option<Bytes>, ReadError>> {
        ready(Ok(None)).boxed()
    }

    fn delete<'a>(
        &'a self,
        _digest: &'a str,
        _shelf: u64,
    ) -> BoxFuture<'a, Result<bool, HookStoreError>> {
        ready(Ok(false)).boxed()
    }

    fn rehearse(&self, rehearsal: Rehearsal) -> BoxFuture<'_, Result<Rehearsed, RehearsalError>> {
        ready(Err(RehearsalError::NoHook(rehearsal.digest))).boxed()
    }
}
