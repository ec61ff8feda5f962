//! A host that compiles with this crate's own compiler, and whom its guests
//! ask.

use futures::future::BoxFuture;
use tidegate_hooks::{
    Answer, Compiler, Context, Entries, Hook, Host, Limits, Mode, Phase, Probe, ProbeFailure,
    Probes, Problem, Server,
};

pub(crate) fn host() -> Host {
    let compiler = Compiler::new(env!("CARGO_BIN_EXE_tidegate-hook-compiler"));
    Host::new(compiler, None).expect("the engine runs here")
}

/// Prepares a guest, and names it if that fails.
pub(crate) async fn prepare(host: &Host, name: &str, component: &[u8]) -> Hook {
    match host.prepare(component).await {
        Ok(hook) => hook,
        Err(error) => panic!("{name}: {error}"),
    }
}

/// A wave with one server, before its launch.
pub(crate) fn context() -> Context {
    Context {
        plan: "shop".to_owned(),
        execution: "01JD".to_owned(),
        wave: "database".to_owned(),
        phase: Phase::PreWave,
        mode: Mode::Drill,
        attempt: 1,
        now: "2026-11-22T10:00:00Z".to_owned(),
        deadline: "2026-11-22T10:00:10Z".to_owned(),
        remaining_ms: 10_000,
        servers: vec![Server {
            id: "s-11111111111111111".to_owned(),
            hostname: "db".to_owned(),
            launch: tidegate_hooks::Launch::Pending,
            tags: Entries::new(),
            facts: Entries::from([("wave".to_owned(), "database".to_owned())]),
        }],
        upstream: Vec::new(),
        parameters: Entries::from([("port".to_owned(), "5432".to_owned())]),
        facts: Entries::new(),
        earlier: Vec::new(),
    }
}

/// Limits that a test can reach quickly.
pub(crate) fn limits() -> Limits {
    Limits {
        wall: std::time::Duration::from_secs(20),
        memory: 4 << 20,
        table_elements: 1000,
        ..Limits::DEFAULT
    }
}

/// A world in which every probe is answered alike.
#[derive(Clone, Copy, Debug)]
pub(crate) enum World {
    Connects,
    Fails(Problem),
    /// Never answers.
    Silent,
}

impl World {
    /// What it answers, if it does.
    ///
    /// # Panics
    /// If it is silent.
    pub(crate) fn answer(self) -> Answer {
        match self {
            Self::Connects => Answer::Connected { elapsed_ms: 3 },
            Self::Fails(problem) => Answer::Failed(ProbeFailure {
                problem,
                message: "rule 7".to_owned(),
            }),
            Self::Silent => panic!("it never answers"),
        }
    }
}

impl Probes for World {
    fn probe<'a>(&'a self, _: &'a Probe) -> BoxFuture<'a, Answer> {
        match self {
            Self::Silent => Box::pin(std::future::pending()),
            Self::Connects | Self::Fails(_) => Box::pin(std::future::ready(self.answer())),
        }
    }
}
