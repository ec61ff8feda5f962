//! Hooks whose answers are written down beforehand.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, ready};
use tidegate_core::{
    Timestamp,
    engine::{HookAnswer, HookVerdict},
    plan::{HookPhase, Plan},
};
use tidegate_gateway::ports::{
    hook_store::HookStoreError,
    hooks::{
        Fault, HookCall, HookInfo, Hooks, RegisterError, Rehearsal, RehearsalError, Rehearsed,
        Unarmed,
    },
    journal::ReadError,
};

/// Answers from a script per hook; after its end, *proceed*. Only hooks with a
/// script are there, and none can be added by a client. Which component a plan
/// pins does not matter.
#[derive(Debug, Default)]
pub struct ScriptedHooks {
    scripts: Mutex<BTreeMap<String, VecDeque<HookAnswer>>>,
}

impl ScriptedHooks {
    /// Makes a hook known, with its next answers.
    #[must_use]
    pub fn with(self, hook: &str, answers: impl IntoIterator<Item = HookAnswer>) -> Self {
        self.lock()
            .insert(hook.to_owned(), answers.into_iter().collect());
        self
    }

    /// The digest by which a hook of this name is pinned: the name's bytes in
    /// hexadecimal, as many as there is room for.
    #[must_use]
    pub fn digest(hook: &str) -> String {
        let digits: String = hook.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{digits:0<64.64}")
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, VecDeque<HookAnswer>>> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hooks for ScriptedHooks {
    fn newest(&self, name: &str) -> Option<String> {
        self.lock().contains_key(name).then(|| Self::digest(name))
    }

    fn arm<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<(), Vec<Unarmed>>> {
        let scripts = self.lock();
        let unarmed: Vec<Unarmed> = plan
            .hook_uses()
            .filter(|site| !scripts.contains_key(site.hook_use.hook.as_str()))
            .map(|site| Unarmed {
                field: format!("{}.hook", site.field),
                problem: format!("hook {} has no script", site.hook_use.hook),
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
        let mut scripts = self.lock();
        let script = scripts.get_mut(call.hook.hook.as_str());
        let next = script.and_then(VecDeque::pop_front);
        let proceed = || HookAnswer::bare(HookVerdict::Proceed, "scripted");
        ready(next.unwrap_or_else(proceed)).boxed()
    }

    fn register(
        &self,
        _digest: String,
        _component: Bytes,
    ) -> BoxFuture<'_, Result<(HookInfo, bool), RegisterError>> {
        let why = "hooks with a script are known beforehand".to_owned();
        ready(Err(RegisterError::Unavailable(why))).boxed()
    }

    fn list(&self) -> Vec<HookInfo> {
        let info = |name: &String| HookInfo {
            name: name.clone(),
            version: "1.0.0".to_owned(),
            digest: Self::digest(name),
            description: "answers from a script".to_owned(),
            phases: vec![HookPhase::PreWave, HookPhase::PostWave],
            needs: Vec::new(),
            wasi: false,
            contract: "tidegate:hooks@1.0.0".to_owned(),
            imports: Vec::new(),
            size: 0,
            created_at: Timestamp::from_millis(0),
        };
        self.lock().keys().map(info).collect()
    }

    fn component<'a>(
        &'a self,
        _digest: &'a str,
    ) -> BoxFuture<'a, Result<Option<Bytes>, ReadError>> {
        ready(Ok(None)).boxed()
    }

    fn delete<'a>(
        &'a self,
        digest: &'a str,
        _shelf: u64,
    ) -> BoxFuture<'a, Result<bool, HookStoreError>> {
        let mut scripts = self.lock();
        let before = scripts.len();
        scripts.retain(|name, _| Self::digest(name) != digest);
        ready(Ok(scripts.len() < before)).boxed()
    }

    fn rehearse(&self, rehearsal: Rehearsal) -> BoxFuture<'_, Result<Rehearsed, RehearsalError>> {
        ready(Err(RehearsalError::NoHook(rehearsal.digest))).boxed()
    }
}
