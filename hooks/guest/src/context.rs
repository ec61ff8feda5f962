//! What a hook is told.

use crate::{
    Entries, Parameters, bindings::generated::tidegate::hooks::types as contract, probe::Target,
};

pub use contract::{Mode, Phase};

/// All that a hook knows.
#[derive(Clone, Debug)]
pub struct Context {
    /// The plan's name.
    pub plan: String,
    /// The execution's id.
    pub execution: String,
    /// The wave's name.
    pub wave: String,
    /// Which side of the wave's launch the hook is on.
    pub phase: Phase,
    /// Whether this is a drill or the real thing.
    pub mode: Mode,
    /// How often this hook was asked in this phase of this wave, from 1.
    pub attempt: u32,
    /// The instant of the question, RFC 3339 in UTC.
    pub now: String,
    /// When this attempt is stopped, RFC 3339 in UTC.
    pub deadline: String,
    /// Milliseconds from `now` to `deadline`.
    pub remaining_ms: u32,
    /// The servers of this wave, sorted by id.
    pub servers: Vec<Server>,
    /// The servers of the waves that this one depends on, sorted by id.
    pub upstream: Vec<Server>,
    /// What the plan configures.
    pub parameters: Parameters,
    /// What is known about the execution. Names in use: `rto-seconds`,
    /// `rpo-seconds`, `elapsed-seconds`, `traceparent` (W3C Trace Context).
    pub facts: Entries,
    /// What other hooks of the same wave and phase have answered, in the order
    /// in which they ran.
    pub earlier: Vec<Earlier>,
}

/// A server of a wave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// The id of its DRS source server.
    pub id: String,
    /// As DRS reports it; may be empty.
    pub hostname: String,
    /// What became of its launch.
    pub launch: Launch,
    /// Tags of the source server.
    pub tags: Entries,
    /// What is known about it. Names in use: `wave`, `snapshot-time`
    /// (RFC 3339), `snapshot-age-seconds`, `lag-seconds`,
    /// `replication-state`. A name that is not known is not there.
    pub facts: Entries,
}

/// What became of a server's launch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Launch {
    /// Not asked for yet, or still under way.
    #[default]
    Pending,
    /// It runs; this is the id of its recovery instance.
    Launched(String),
    /// It did not come up; this is why.
    Failed(String),
}

/// What another hook has answered before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its name.
    pub hook: String,
    /// `proceed`, `hold` and so on; `waived` if it failed and the plan says
    /// that this may be passed over.
    pub outcome: String,
    /// Its reason.
    pub reason: String,
}

impl Server {
    /// How people call it: its host name or, without one, its id.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.hostname.is_empty() {
            &self.id
        } else {
            &self.hostname
        }
    }

    /// This port of it, to be probed.
    #[must_use]
    pub fn port(&self, port: u16) -> Target {
        Target::server(&self.id, port)
    }

    fn from_contract(server: contract::Server) -> Self {
        Self {
            id: server.id,
            hostname: server.hostname,
            launch: match server.launch {
                contract::Launch::Pending => Launch::Pending,
                contract::Launch::Launched(instance) => Launch::Launched(instance),
                contract::Launch::Failed(reason) => Launch::Failed(reason),
            },
            tags: Entries::from_contract(server.tags),
            facts: Entries::from_contract(server.facts),
        }
    }
}

impl Context {
    pub(crate) fn from_contract(context: contract::Context) -> Self {
        let servers =
            |list: Vec<contract::Server>| list.into_iter().map(Server::from_contract).collect();
        Self {
            plan: context.plan,
            execution: context.execution,
            wave: context.wave,
            phase: context.phase,
            mode: context.mode,
            attempt: context.attempt,
            now: context.now,
            deadline: context.deadline,
            remaining_ms: context.remaining_ms,
            servers: servers(context.servers),
            upstream: servers(context.upstream),
            parameters: Parameters::from_contract(context.parameters),
            facts: Entries::from_contract(context.facts),
            earlier: context
                .earlier
                .into_iter()
                .map(|earlier| Earlier {
                    hook: earlier.hook,
                    outcome: earlier.outcome,
                    reason: earlier.reason,
                })
                .collect(),
        }
    }
}

/// A first attempt after the launch of a drill, without servers: where a test
/// begins.
impl Default for Context {
    fn default() -> Self {
        Self {
            plan: "plan".to_owned(),
            execution: "execution".to_owned(),
            wave: "wave".to_owned(),
            phase: Phase::PostWave,
            mode: Mode::Drill,
            attempt: 1,
            now: "2026-01-01T00:00:00Z".to_owned(),
            deadline: "2026-01-01T00:00:10Z".to_owned(),
            remaining_ms: 10_000,
            servers: Vec::new(),
            upstream: Vec::new(),
            parameters: Parameters::default(),
            facts: Entries::default(),
            earlier: Vec::new(),
        }
    }
}
