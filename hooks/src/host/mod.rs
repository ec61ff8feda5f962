//! Runs hooks.
//!
//! A [`Host`] holds what attempts share: the engine, the compiler, the cache
//! and the linkers. A [`Hook`] is a component that is inspected, compiled and
//! linked. Each attempt has a sandbox of its own, which nothing outlives but
//! its [`Tape`].
//!
//! The types of wasmtime stay in here.

mod artifact;
mod deadline;
mod failed;
mod limiter;
mod log;
mod prepare;
mod recorder;
mod sandbox;
mod state;
mod v1;
mod wasi;

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use wasmtime::{Engine, component::Linker};

pub use self::prepare::PrepareError;
use self::{
    sandbox::{Remains, Sandbox},
    state::State,
    wasi::{Fixed, Wasi},
};
use crate::{
    Answer, ArtifactCache, Compiler, Context, Digest, ENGINE, EngineError, Entries, Failure,
    FailureKind, Inspection, Limits, Manifest, Outcome, Probe, ProbeFailure, Probes, Problem,
    Profile, Report, Tape, engine::engine,
};

/// Runs any number of hooks, any number of attempts at once.
pub struct Host {
    engine: Engine,
    compiler: Compiler,
    cache: Option<Arc<ArtifactCache>>,
    plain: Linker<State>,
    wasi: Linker<State>,
}

/// A component that is ready to be asked. Clones are the same hook.
#[derive(Clone)]
pub struct Hook(Arc<Prepared>);

struct Prepared {
    inspection: Inspection,
    gate: Gate,
}

/// The contract that a hook speaks.
enum Gate {
    V1(v1::GatePre),
}

impl Hook {
    /// The name of its bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.0.inspection.digest
    }

    /// What was read off it before it was compiled.
    #[must_use]
    pub fn inspection(&self) -> &Inspection {
        &self.0.inspection
    }

    /// What it says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.0.inspection.manifest
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook")
            .field("digest", self.digest())
            .field("manifest", self.manifest())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Host {
    /// A host that compiles with this compiler and, if there is a cache,
    /// compiles nothing twice.
    ///
    /// # Errors
    /// If the engine does not run on this machine.
    pub fn new(compiler: Compiler, cache: Option<ArtifactCache>) -> Result<Self, EngineError> {
        let engine = engine()?;
        let mut plain = Linker::new(&engine);
        v1::add_to_linker(&mut plain).expect("the contract names nothing twice");
        let mut wasi = plain.clone();
        wasmtime_wasi::p2::add_to_linker_async(&mut wasi)
            .expect("WASI and the contract share no name");
        Ok(Self {
            engine,
            compiler,
            cache: cache.map(Arc::new),
            plain,
            wasi,
        })
    }

    /// Makes one attempt: asks the hook about this context, in a sandbox of
    /// its own. All that can go wrong is an outcome.
    ///
    /// Limits above the ceiling are taken down to it; probes and findings are
    /// then given [room for the servers](Limits::with_room_for) that may be
    /// probed. The tape has the limits that result. To be called within a
    /// tokio runtime whose time is enabled.
    pub async fn check(
        &self,
        hook: &Hook,
        limits: &Limits,
        context: &Context,
        probes: &dyn Probes,
    ) -> Tape {
        let limits = limits.clamped().with_room_for(context.probeable());
        self.record(hook, limits, context, probes).await
    }

    /// Makes an attempt again under the very limits that stand on its tape,
    /// as far as any attempt about its servers could have had them.
    pub(crate) async fn check_again(
        &self,
        hook: &Hook,
        limits: &Limits,
        context: &Context,
        probes: &dyn Probes,
    ) -> Tape {
        let ceiling = Limits::CEILING.with_room_for(context.probeable());
        let limits = limits.at_most(&ceiling);
        self.record(hook, limits, context, probes).await
    }

    async fn record(
        &self,
        hook: &Hook,
        limits: Limits,
        context: &Context,
        probes: &dyn Probes,
    ) -> Tape {
        let (decided, remains) = self.attempt(hook, &limits, context, probes).await;
        Tape {
            format: Tape::FORMAT,
            digest: *hook.digest(),
            engine: ENGINE.to_owned(),
            limits,
            context: context.clone(),
            exchanges: remains.exchanges,
            outcome: match decided {
                Ok(report) => Outcome::Report(report),
                Err(failure) => Outcome::Failure(failure),
            },
            log: remains.log,
            log_dropped: remains.log_dropped,
            usage: remains.usage,
            cut: String::new(),
        }
    }

    /// Asks the hook whether it can work with these parameters, under the
    /// same limits as a check. Probes are denied.
    ///
    /// # Errors
    /// With [`FailureKind::Error`] and the hook's own words if it cannot;
    /// with any other kind if it failed to say.
    pub async fn accepts(
        &self,
        hook: &Hook,
        limits: &Limits,
        parameters: &Entries,
    ) -> Result<(), Failure> {
        let limits = limits.clamped();
        let fixed = Fixed::timeless(hook.digest());
        let mut sandbox = self.sandbox(hook, &limits, &fixed)?;
        let Gate::V1(gate) = &hook.0.gate;
        let ask = |store| gate.accepts(store, parameters);
        let answered = sandbox.run(&NoProbes, ask).await;
        sandbox.end(answered).0
    }

    async fn attempt(
        &self,
        hook: &Hook,
        limits: &Limits,
        context: &Context,
        probes: &dyn Probes,
    ) -> (Result<Report, Failure>, Remains) {
        let sandbox = Fixed::of(hook.digest(), context)
            .ok_or_else(|| {
                let now = &context.now;
                let message = format!("the context's now, {now:?}, is not a time of RFC 3339");
                Failure::new(FailureKind::Host, message)
            })
            .and_then(|fixed| self.sandbox(hook, limits, &fixed));
        let mut sandbox = match sandbox {
            Ok(sandbox) => sandbox,
            Err(failure) => return (Err(failure), Remains::default()),
        };
        let Gate::V1(gate) = &hook.0.gate;
        let ask = |store| gate.check(store, context, limits.findings);
        let answered = sandbox.run(probes, ask).await;
        sandbox.end(answered)
    }

    fn sandbox(&self, hook: &Hook, limits: &Limits, fixed: &Fixed) -> Result<Sandbox, Failure> {
        let wasi = match hook.manifest().profile {
            Profile::Plain => None,
            Profile::Wasi => Some(|log: &log::Log| Wasi::new(fixed, log)),
        };
        Sandbox::new(&self.engine, limits, wasi)
            .map_err(|error| Failure::new(FailureKind::Host, error.to_string()))
    }
}

/// Denies.
struct NoProbes;

impl Probes for NoProbes {
    fn probe<'a>(&'a self, _: &'a Probe) -> BoxFuture<'a, Answer> {
        Box::pin(std::future::ready(Answer::Failed(ProbeFailure {
            problem: Problem::Denied,
            message: "parameters are accepted or not without asking the world".to_owned(),
        })))
    }
}
