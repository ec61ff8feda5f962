//! The use of a hook by a wave: what it is, what it may reach and use, and
//! what a failure of the hook itself means.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;

use super::{Plan, WavePlan};
use crate::{EndpointIx, HookIx, HookName, Span, WaveIx};

/// The use of a hook by a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookUse {
    /// Registered name.
    pub hook: HookName,
    /// Digest of the component that is run: `sha256:` and 64 hexadecimal
    /// digits.
    ///
    /// A draft need not name one. Whoever stores a plan looks up the digest
    /// that the name has at that moment and writes it into what is stored,
    /// for each of [`Plan::hook_uses`] that has none; so a stored revision
    /// always runs the same bytes, whatever is registered later.
    pub digest: Option<String>,
    /// Parameters.
    pub config: BTreeMap<String, String>,
    /// Ports that it may probe of the servers of this wave and of those that
    /// it waits for.
    pub ports: Vec<u16>,
    /// Endpoints of the plan that it may probe.
    pub endpoints: Vec<EndpointIx>,
    /// Whether it may import WASI, with everything in it denied.
    pub allow_wasi: bool,
    /// All attempts together: none begins later than this after the first.
    pub timeout: Span,
    /// How often it is asked again, because it said *retry* or because the
    /// plan answers its failure so.
    pub retries: u32,
    /// One attempt, from instantiation to teardown.
    pub attempt_timeout: Span,
    /// Instructions of one attempt, roughly.
    pub fuel: u64,
    /// Memory of one attempt, in MiB.
    pub memory_mib: u32,
    /// What a failure of the hook itself means.
    pub on_failure: OnFailure,
}

/// What failures of a hook itself mean, by their kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnFailure {
    /// Where `kinds` says nothing. Never [`HookFailure::Waive`].
    pub default: HookFailure,
    /// What the plan says of single kinds.
    pub kinds: BTreeMap<HookFailureKind, HookFailure>,
}

/// What a failure of the hook itself means. It is never a verdict *proceed*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookFailure {
    /// Pause for a person.
    #[default]
    Hold,
    /// Fail the wave.
    Abort,
    /// Ask the hook again, as though it had said so.
    Retry,
    /// Go on, and show it: the wave ends with warnings.
    Waive,
}

/// The ways in which a hook fails to give a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookFailureKind {
    /// It answered with an error of its own.
    Error,
    /// It trapped, or exited.
    Trap,
    /// Its stack was exhausted.
    Stack,
    /// It used up its instructions.
    Fuel,
    /// It took longer than it may: one attempt, all of its attempts (in time
    /// or in number), or all hooks of the phase together.
    Timeout,
    /// It wanted more memory than it may have.
    Memory,
    /// It wanted a larger table than it may have.
    Table,
    /// What it returned breaks the contract or its bounds.
    BadOutput,
    /// The component is of a contract that is not run here.
    ContractMismatch,
    /// The stored component is not the one that the plan pins.
    DigestMismatch,
    /// It asked for a probe that the plan does not grant.
    ProbeDenied,
    /// It could not be run, and the hook is not to blame.
    Host,
}

/// Which side of the launch a hook is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookPhase {
    /// Before the launch.
    PreWave,
    /// After the launch.
    PostWave,
}

/// A use of a hook, and where the plan has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookSite<'a> {
    /// Path as in a [`super::PlanError`], for example `spec.waves[2].verify[0]`.
    pub field: String,
    /// The wave that uses it.
    pub wave: WaveIx,
    /// On which side of the launch.
    pub phase: HookPhase,
    /// Which of that side's hooks.
    pub hook: HookIx,
    /// The use.
    pub hook_use: &'a HookUse,
}

impl Plan {
    /// Every use of a hook, in the order of the plan: all that must be there
    /// before an execution can run without fetching anything.
    pub fn hook_uses(&self) -> impl Iterator<Item = HookSite<'_>> {
        (0..)
            .map(WaveIx)
            .zip(&self.waves)
            .flat_map(|(wave, plan)| plan.hook_sites(wave))
    }
}

impl WavePlan {
    /// The hooks of one phase.
    #[must_use]
    pub fn hooks(&self, phase: HookPhase) -> &[HookUse] {
        match phase {
            HookPhase::PreWave => &self.check,
            HookPhase::PostWave => &self.verify,
        }
    }

    /// One hook.
    #[must_use]
    pub fn hook(&self, phase: HookPhase, hook: HookIx) -> Option<&HookUse> {
        self.hooks(phase).get(hook.index())
    }

    fn hook_sites(&self, wave: WaveIx) -> impl Iterator<Item = HookSite<'_>> {
        let phases = [HookPhase::PreWave, HookPhase::PostWave];
        phases.into_iter().flat_map(move |phase| {
            let uses = (0..).map(HookIx).zip(self.hooks(phase));
            uses.map(move |(hook, hook_use)| HookSite {
                field: format!("spec.waves[{}].{}[{}]", wave.0, phase.name(), hook.0),
                wave,
                phase,
                hook,
                hook_use,
            })
        })
    }
}

impl HookPhase {
    /// As a plan names the list of its hooks.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreWave => "check",
            Self::PostWave => "verify",
        }
    }
}

impl OnFailure {
    /// The same answer to every kind.
    #[must_use]
    pub const fn always(default: HookFailure) -> Self {
        Self {
            default,
            kinds: BTreeMap::new(),
        }
    }

    /// What a failure of this kind means.
    #[must_use]
    pub fn answer(&self, kind: HookFailureKind) -> HookFailure {
        self.kinds.get(&kind).copied().unwrap_or(self.default)
    }

    /// What it means when the hook cannot be asked again any more: never
    /// [`HookFailure::Retry`], and no waiver that the plan does not write for
    /// this very kind.
    #[must_use]
    pub fn last_answer(&self, kind: HookFailureKind) -> HookFailure {
        match (self.answer(kind), self.default) {
            (HookFailure::Retry, HookFailure::Retry | HookFailure::Waive) => HookFailure::Hold,
            (HookFailure::Retry, default) => default,
            (answer @ (HookFailure::Hold | HookFailure::Abort | HookFailure::Waive), _) => answer,
        }
    }
}

impl HookFailure {
    /// As it is written in a plan.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Abort => "abort",
            Self::Retry => "retry",
            Self::Waive => "waive",
        }
    }
}

impl HookFailureKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Error,
        Self::Trap,
        Self::Stack,
        Self::Fuel,
        Self::Timeout,
        Self::Memory,
        Self::Table,
        Self::BadOutput,
        Self::ContractMismatch,
        Self::DigestMismatch,
        Self::ProbeDenied,
        Self::Host,
    ];

    /// As it is written in a plan.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Trap => "trap",
            Self::Stack => "stack",
            Self::Fuel => "fuel",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Table => "table",
            Self::BadOutput => "bad-output",
            Self::ContractMismatch => "contract-mismatch",
            Self::DigestMismatch => "digest-mismatch",
            Self::ProbeDenied => "probe-denied",
            Self::Host => "host",
        }
    }

    /// Whether a plan may waive it. Where the component is not the one that
    /// was checked, nothing is known of what was skipped.
    #[must_use]
    pub const fn is_waivable(self) -> bool {
        !matches!(self, Self::ContractMismatch | Self::DigestMismatch)
    }
}

impl fmt::Display for HookFailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for HookFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
