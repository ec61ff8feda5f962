//! Hooks whose answers are written down beforehand.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use futures::future::{BoxFuture, FutureExt as _, ready};
use tidegate_core::engine::HookAnswer;
use tidegate_gateway::ports::hooks::{HookCall, Hooks};

/// Answers from a script per hook; after its end, *proceed*.
#[derive(Debug, Default)]
pub struct ScriptedHooks {
    scripts: Mutex<BTreeMap<String, VecDeque<HookAnswer>>>,
}

impl ScriptedHooks {
    /// Makes a hook known, with its next answers.
    #[must_use]
    pub fn with(self, hook: &str, answers: impl IntoIterator<Item = HookAnswer>) -> Self {
        self.scripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(hook.to_owned(), answers.into_iter().collect());
        self
    }
}

impl Hooks for ScriptedHooks {
    fn knows(&self, hook: &str) -> bool {
        let scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        scripts.contains_key(hook)
    }

    fn run(&self, call: HookCall) -> BoxFuture<'_, HookAnswer> {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        let script = scripts.get_mut(call.hook.hook.as_str());
        let next = script.and_then(VecDeque::pop_front);
        ready(next.unwrap_or(HookAnswer::Proceed {
            message: "scripted".into(),
        }))
        .boxed()
    }
}
