//! Runs hooks: checks that users write, in the language of their choice, as
//! WebAssembly components that can do nothing but what they are granted.
//!
//! 1. [`inspect`] reads a component without compiling it: its contract, its
//!    [`Manifest`], what it imports.
//! 2. [`Host::prepare`] compiles it in a child process under limits, or takes
//!    the artifact from an authenticated cache.
//! 3. [`Host::check`] runs one attempt in a sandbox of its own, under a
//!    deadline, with counted instructions and memory, and gives the [`Tape`]
//!    of it: what the hook was told, asked, was answered and decided.
//! 4. [`replay`] shows the decision on a tape again.
//!
//! The guest contract is `wit/v1`; once published it is frozen. This crate
//! knows nothing of plans, executions or gRPC.

mod cache;
mod compile;
mod context;
mod digest;
mod engine;
mod failure;
mod grants;
mod host;
mod inspect;
mod limits;
mod manifest;
mod probe;
mod project;
mod report;
mod tape;
mod vectors;

pub use cache::{ArtifactCache, CacheError, CacheKey, EngineSettings, KeyError};
pub use compile::{CompileError, CompileLimits, Compiler, compile_child};
pub use context::{Context, Earlier, Entries, Launch, Mode, Phase, Server};
pub use digest::{BadDigest, Digest};
pub use engine::{ENGINE, EngineError};
pub use failure::{Failure, FailureKind};
pub use grants::{
    BadAuthority, BadCidr, BadHost, BadPath, CheckedEndpoint, Cidr, Endpoint, EndpointError,
    Grants, Scheme, Unreachable,
};
pub use host::{Hook, Host, PrepareError};
pub use inspect::{Bound, Contract, InspectError, Inspection, inspect};
pub use limits::{COMPONENT_BYTES, Limits};
pub use manifest::{
    Manifest, ManifestError, Need, NeedTarget, ProbeKind, Profile, SECTION, attach,
};
pub use probe::{
    Answer, CLAUSES, Clause, Connector, Duplex, GrantError, LiveProbes, Matcher, Method, Network,
    Probe, ProbeFailure, Probes, Problem, Request, Resolver, Response, Rule, Setting, Stream,
    Subject, Target, judge, judge_by, judge_network,
};
pub use project::{
    Build, BuildError, EncodeError, Language, PROJECT_FILE, Project, ProjectError, encode,
};
pub use report::{Finding, Level, LogLine, Report, Severity, Verdict};
pub use tape::{
    Difference, Exchange, Extent, Flip, Influence, Outcome, Replay, Sensitivity, Standing, Tape,
    Usage, replay, sensitivity,
};
pub use vectors::{
    Discrepancy, Expected, ExpectedFinding, ExpectedVerdict, Mismatch, ScriptedProbes, Vector,
    VectorFile, VectorFileError, VectorRun,
};
