//! Hooks, as the driver and the API need them.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use bytes::Bytes;
use futures::{
    FutureExt as _,
    future::{BoxFuture, ready},
};
use tidegate_core::{
    ExecutionId, SourceServerId, Span, Timestamp,
    engine::{CommandId, Execution, HookAnswer},
    plan::{HookPhase, HookUse, Plan},
};

use super::{hook_store::HookStoreError, journal::ReadError};

/// Runs hooks, and knows which there are. A hook reads and judges; running one
/// twice does no harm.
pub trait Hooks: Send + Sync + 'static {
    /// Looks what others that share the store have registered or deleted. What
    /// is asked of this value afterwards knows of it.
    fn refresh(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        ready(Ok(())).boxed()
    }

    /// The digest by which the newest hook of this name is pinned; `None` if
    /// there is none.
    fn newest(&self, name: &str) -> Option<String>;

    /// Makes everything ready that this plan's hooks need, so that running
    /// them takes no registry, no compiler and no network: verified against
    /// the digests that the plan pins, inspected, compiled, granted what they
    /// need, and content with their parameters. Quick if it was done before.
    fn arm<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<(), Vec<Unarmed>>>;

    /// Runs a hook of an armed plan. Whatever goes wrong is an answer, too.
    fn run(&self, call: HookCall) -> BoxFuture<'_, HookAnswer>;

    /// Stores a hook after it was inspected and compiled; says whether it was
    /// not there before.
    fn register(
        &self,
        digest: String,
        component: Bytes,
    ) -> BoxFuture<'_, Result<(HookInfo, bool), RegisterError>>;

    /// Every registered hook, by name, the newest of a name first.
    fn list(&self) -> Vec<HookInfo>;

    /// The bytes of a registered hook.
    fn component<'a>(&'a self, digest: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, ReadError>>;

    /// Deletes a hook; says whether there was one. Whether it is in use is
    /// the caller's matter, who looked since the store's shelf had this number.
    fn delete<'a>(
        &'a self,
        digest: &'a str,
        shelf: u64,
    ) -> BoxFuture<'a, Result<bool, HookStoreError>>;

    /// Runs a registered hook without a network and without an execution.
    fn rehearse(&self, rehearsal: Rehearsal) -> BoxFuture<'_, Result<Rehearsed, RehearsalError>>;
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
    /// When the attempt begins.
    pub now: Timestamp,
    /// What DRS says of the servers of the wave and of the waves that it
    /// depends on. A server that DRS says nothing of is not there.
    pub servers: BTreeMap<SourceServerId, ServerFacts>,
}

/// What DRS says of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// Host name, or empty.
    pub hostname: String,
    /// Tags of the source server.
    pub tags: BTreeMap<String, String>,
    /// Replication state as DRS spells it.
    pub replication_state: String,
    /// Replication lag.
    pub lag: Option<Span>,
    /// When its newest recovery point was taken; for a launched server, the
    /// one that it was launched from if DRS says it.
    pub snapshot_time: Option<Timestamp>,
    /// Addresses of its recovery instance, the primary one first.
    pub addresses: Vec<IpAddr>,
}

/// Why a use of a hook is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unarmed {
    /// Path of the field in the plan, such as `spec.waves[1].verify[0].hook`.
    pub field: String,
    /// What is wrong and what to do.
    pub problem: String,
    /// Who can put it right.
    pub fault: Fault,
}

/// Who can put right what is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Whoever wrote the plan, or has to register a hook: until then it stays
    /// as it is.
    Plan,
    /// Whoever runs this gateway. Nothing is known to be wrong with the plan,
    /// and trying again may help.
    Host,
    /// The same, for want of memory, time, processes or files.
    Exhausted,
}

/// What is known of a registered hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookInfo {
    /// What plans call it.
    pub name: String,
    /// The author's version.
    pub version: String,
    /// Over its bytes.
    pub digest: String,
    /// One line about it.
    pub description: String,
    /// Where it can be used.
    pub phases: Vec<HookPhase>,
    /// What it must be granted.
    pub needs: Vec<HookNeed>,
    /// Whether it imports WASI.
    pub wasi: bool,
    /// The contract that it is built against.
    pub contract: String,
    /// Everything that it imports, sorted.
    pub imports: Vec<String>,
    /// Bytes.
    pub size: u64,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A probe that a hook makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookNeed {
    /// Which kind.
    pub probe: ProbeKind,
    /// Of what.
    pub target: NeedTarget,
    /// Why.
    pub reason: String,
}

/// The kinds of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// A TCP connection.
    Tcp,
    /// An HTTP request.
    Http,
}

/// What a hook probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeedTarget {
    /// This port of the servers.
    Port(u16),
    /// The port of the servers that this parameter names.
    PortParameter(String),
    /// The endpoint that this parameter names.
    EndpointParameter(String),
}

/// Why a hook was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The bytes are not those that were announced.
    #[error("the bytes have digest {found}, not {announced}")]
    Digest {
        /// What was announced.
        announced: String,
        /// What the bytes have.
        found: String,
    },
    /// It cannot be run here.
    #[error("{0}")]
    NotAHook(String),
    /// Nothing is wrong with the hook.
    #[error("{0}")]
    Unavailable(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] HookStoreError),
}

/// What to run without a network.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The hook.
    pub digest: String,
    /// On what.
    pub subject: RehearsalSubject,
}

/// On what a hook is run.
#[derive(Clone, Debug)]
pub enum RehearsalSubject {
    /// A vector: a context and scripted answers, YAML or JSON.
    Vector(String),
    /// A tape, JSON.
    Tape(String),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// What the hook answered.
    pub answer: HookAnswer,
    /// The name of the wave in the context.
    pub wave: String,
    /// The phase in the context.
    pub phase: HookPhase,
    /// The attempt in the context.
    pub attempt: u32,
    /// The tape of this run, JSON.
    pub tape: Arc<str>,
    /// Where it differs from what was expected.
    pub differences: Vec<String>,
}

/// Why a hook was not run.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// There is no such hook.
    #[error("there is no hook {0}; register it first")]
    NoHook(String),
    /// The subject cannot be read.
    #[error("{0}")]
    BadSubject(String),
    /// The hook cannot be made ready.
    #[error("{problem}")]
    Unready {
        /// What is wrong and what to do.
        problem: String,
        /// Who can put it right; [`Fault::Plan`] is whoever registered it.
        fault: Fault,
    },
}
