//! Hooks as WebAssembly components: what is registered, what is ready to run,
//! and running it. All of it in terms of `tidegate-hooks`, whose types stay in
//! here.

mod answer;
mod arming;
mod catalogue;
mod context;
mod grants;
mod open;
mod ready;
mod rehearsal;
mod written;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use tidegate_core::{engine::HookAnswer, plan::Plan};
use tidegate_hooks::{
    CompileError, Digest, Failure, FailureKind, Host, LiveProbes, Network, PrepareError, Setting,
    Tape,
};

pub use self::open::{OpenError, Settings};
use self::{arming::Used, catalogue::Catalogue};
use crate::ports::{
    clock::Clock,
    hook_store::{HookStore, HookStoreError, StoredHook, TAPE_BYTES, TapeKey},
    hooks::{
        HookCall, HookInfo, Hooks, RegisterError, Rehearsal, RehearsalError, Rehearsed, Unarmed,
    },
    journal::ReadError,
};

/// What it takes to run hooks.
pub struct Parts {
    /// Where components and tapes are.
    pub store: Arc<dyn HookStore>,
    /// Runs components.
    pub host: Host,
    /// What live probes go through.
    pub network: Network,
    /// Whether servers may be on this machine.
    pub setting: Setting,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Runs registered components.
pub struct WasmHooks {
    parts: Parts,
    catalogue: Catalogue,
}

impl WasmHooks {
    /// Reads what is registered. A stored component that cannot be run any
    /// more is left where it is and said to be so when a plan needs it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn open(parts: Parts) -> Result<Self, ReadError> {
        let catalogue = Catalogue::read(&*parts.store).await?;
        Ok(Self { parts, catalogue })
    }

    async fn attempt(&self, call: &HookCall) -> Result<HookAnswer, Failure> {
        let Some(digest) = call.hook.digest.as_deref() else {
            return Err(Failure::new(
                FailureKind::DigestMismatch,
                "the plan pins no digest for this hook; apply the plan again",
            ));
        };
        let hook = self.prepared(digest).await?;
        let limits = arming::limits(call);
        let Some(context) = context::context(call, &limits) else {
            return Err(Failure::new(FailureKind::Host, "this command runs no hook"));
        };
        let grants = grants::grants(call, hook.manifest());
        let network = self.parts.network.clone();
        let probes = LiveProbes::new(&grants, &limits, self.parts.setting, network)
            .map_err(|error| Failure::new(FailureKind::Host, error.to_string()))?;
        let host = &self.parts.host;
        let tape = host.check(&hook, &limits, &context, &probes).await;
        let taped = self.keep(call, &tape).await;
        Ok(answer::answer(&tape, taped))
    }

    /// Stores a tape before its answer is heard, so that a recorded verdict
    /// can be shown again. A store that fails costs the tape, which the record
    /// then says, and not the recovery.
    async fn keep(&self, call: &HookCall, tape: &Tape) -> bool {
        let key = TapeKey {
            execution: call.execution.clone(),
            command: call.command,
        };
        let bytes = match written::tape(tape, TAPE_BYTES) {
            Ok(text) => Bytes::from(text),
            Err(error) => {
                tracing::error!(%error, "a tape cannot be written as JSON");
                return false;
            }
        };
        let stored = self.parts.store.put_tape(key, bytes).await;
        if let Err(error) = &stored {
            tracing::error!(execution = %call.execution, %error, "a tape was not stored");
        }
        stored.is_ok()
    }

    async fn unarmed(&self, used: Used<'_>) -> Vec<Unarmed> {
        let hook_use = used.site.hook_use;
        let Some(digest) = hook_use.digest.as_deref() else {
            let problem = format!(
                "there is no hook {:?} here; register it first (tidegate hook push)",
                hook_use.hook
            );
            return vec![used.unarmed("hook", problem)];
        };
        match self.prepared(digest).await {
            Ok(hook) => used.check(&self.parts.host, &hook).await,
            Err(unready) => vec![Unarmed {
                fault: unready.fault,
                ..used.unarmed("digest", unready.failure.message)
            }],
        }
    }
}

impl Hooks for WasmHooks {
    fn refresh(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        self.catalogue.refresh(&*self.parts.store).boxed()
    }

    fn newest(&self, name: &str) -> Option<String> {
        self.catalogue.newest(name)
    }

    fn arm<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<(), Vec<Unarmed>>> {
        async move {
            let mut wrong = arming::unusable_endpoints(plan, self.parts.setting);
            for site in plan.hook_uses() {
                wrong.extend(self.unarmed(Used { plan, site }).await);
            }
            if wrong.is_empty() { Ok(()) } else { Err(wrong) }
        }
        .boxed()
    }

    fn run(&self, call: HookCall) -> BoxFuture<'_, HookAnswer> {
        async move {
            let attempt = self.attempt(&call).await;
            attempt.unwrap_or_else(|failure| answer::not_run(&failure))
        }
        .boxed()
    }

    fn register(
        &self,
        digest: String,
        component: Bytes,
    ) -> BoxFuture<'_, Result<(HookInfo, bool), RegisterError>> {
        async move {
            let found = Digest::of(&component).to_string();
            if found != digest {
                return Err(RegisterError::Digest {
                    announced: digest,
                    found,
                });
            }
            let hook = self.parts.host.prepare(&component).await;
            let hook = hook.map_err(|error| unregistrable(&error))?;
            let stored = StoredHook {
                digest,
                size: component.len() as u64,
                created_at: self.parts.clock.now(),
            };
            let created = self.parts.store.put(stored.clone(), component).await?;
            Ok((self.catalogue.add(&stored, hook), created))
        }
        .boxed()
    }

    fn list(&self) -> Vec<HookInfo> {
        self.catalogue.list()
    }

    fn component<'a>(&'a self, digest: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, ReadError>> {
        self.parts.store.get(digest)
    }

    fn delete<'a>(
        &'a self,
        digest: &'a str,
        shelf: u64,
    ) -> BoxFuture<'a, Result<bool, HookStoreError>> {
        async move {
            let deleted = self.parts.store.delete(digest, shelf).await?;
            self.catalogue.remove(digest);
            Ok(deleted)
        }
        .boxed()
    }

    fn rehearse(&self, rehearsal: Rehearsal) -> BoxFuture<'_, Result<Rehearsed, RehearsalError>> {
        rehearsal::rehearse(self, rehearsal).boxed()
    }
}

impl fmt::Debug for WasmHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmHooks").finish_non_exhaustive()
    }
}

fn unregistrable(error: &PrepareError) -> RegisterError {
    let text = error.to_string();
    match error {
        PrepareError::Inspect(_)
        | PrepareError::Link(_)
        | PrepareError::Compile(
            CompileError::TooLong { .. }
            | CompileError::TooMuchMemory { .. }
            | CompileError::ArtifactTooLarge { .. }
            | CompileError::Refused(_),
        ) => RegisterError::NotAHook(text),
        PrepareError::Compile(
            CompileError::Start { .. } | CompileError::Died { .. } | CompileError::Wait(_),
        )
        | PrepareError::Load(_) => RegisterError::Unavailable(text),
    }
}
