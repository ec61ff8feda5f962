//! One execution with its journal, driven by hand.

use std::sync::Arc;

use tidegate_core::{
    ExecutionId, HookIx, InstanceId, JobId, LaunchIx, OwnerId, ServerIx, Span, Timestamp, WaveIx,
    engine::{
        Change, CommandId, Event, Execution, ExecutionState, Genesis, HookAnswer, HookVerdict,
        JobReport, Kind, LaunchAnswer, Looked, Quota, SelectedServer, ServerReport, ServerState,
        Settings, WaveState, Why,
    },
    plan::{HookFailureKind, HookPhase, Limits, Plan, PlanDraft},
};

use crate::{drafts::server_id, lines};

/// When every test begins.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_millis(1_000_000_000);

pub(crate) struct Run {
    pub(crate) execution: Execution,
    pub(crate) now: Timestamp,
    genesis: Genesis,
    settings: Settings,
    /// Whether every launch has its turn at once, in the same record.
    pub(crate) admits: bool,
    journal: Vec<(Timestamp, Change)>,
}

impl Run {
    /// A drill, not begun.
    pub(crate) fn new(draft: &PlanDraft) -> Self {
        Self::of(Kind::Drill, draft, Settings::default())
    }

    pub(crate) fn of(kind: Kind, draft: &PlanDraft, settings: Settings) -> Self {
        let plan = Plan::check(draft, &Limits::default()).expect("the test's plan is right");
        let genesis = Genesis {
            id: ExecutionId::from("01jd0000000000000000000000"),
            kind,
            plan: Arc::new(plan),
            created_at: BEGINNING,
        };
        Self {
            execution: Execution::new(genesis.clone(), settings),
            now: BEGINNING,
            genesis,
            settings,
            admits: true,
            journal: Vec::new(),
        }
    }

    /// A drill, begun, whose launches wait for their turn.
    pub(crate) fn queueing(draft: &PlanDraft) -> Self {
        let mut run = Self::new(draft);
        run.admits = false;
        run.hear(Event::Start);
        run
    }

    /// A drill, begun.
    pub(crate) fn started(draft: &PlanDraft) -> Self {
        let mut run = Self::new(draft);
        run.hear(Event::Start);
        run
    }

    /// Decides, records and applies.
    pub(crate) fn hear(&mut self, event: Event) -> Vec<String> {
        let mut changes = self.decide(event);
        while let Some(command) = self.waiting().filter(|_| self.admits) {
            changes.extend(self.decide(Event::Admitted { command }));
        }
        lines::lines(&changes)
    }

    fn decide(&mut self, event: Event) -> Vec<Change> {
        let changes = self
            .execution
            .decide(event, self.now)
            .expect("the request is allowed");
        for change in &changes {
            self.execution.apply(change, self.now);
            self.journal.push((self.now, change.clone()));
        }
        assert_eq!(self.execution.violations(), []);
        assert_eq!(self.folded(), self.execution);
        changes
    }

    /// The first launch that waits for its turn.
    fn waiting(&self) -> Option<CommandId> {
        let mut commands = self.execution.outstanding().into_iter();
        commands.find(|command| matches!(command, CommandId::Admit { .. }))
    }

    pub(crate) fn refused(&self, event: Event) -> Why {
        let answer = self.execution.decide(event, self.now);
        answer.expect_err("the request is refused").why
    }

    /// Time passes, and the engine is told.
    pub(crate) fn pass(&mut self, secs: u64) -> Vec<String> {
        self.now = self.now + Span::from_secs(secs);
        self.hear(Event::Tick)
    }

    /// The journal folded from nothing.
    pub(crate) fn folded(&self) -> Execution {
        let mut fresh = Execution::new(self.genesis.clone(), self.settings);
        for (at, change) in &self.journal {
            fresh.apply(change, *at);
        }
        fresh
    }

    pub(crate) fn wants(&self) -> Vec<String> {
        let commands = self.execution.outstanding();
        commands.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn holds(&self) -> Vec<String> {
        let holds = self.execution.holds();
        holds.iter().map(|hold| lines::cause(hold.cause)).collect()
    }

    pub(crate) fn state(&self) -> ExecutionState {
        self.execution.state()
    }

    pub(crate) fn waves(&self) -> Vec<WaveState> {
        self.execution.waves().map(|wave| wave.state()).collect()
    }

    pub(crate) fn servers(&self, wave: u16) -> Vec<ServerState> {
        let servers = self.execution.wave(WaveIx(wave)).servers();
        servers.iter().map(|server| server.state).collect()
    }

    pub(crate) fn owner(&mut self, name: &str) -> Vec<String> {
        self.hear(Event::OwnerChanged(OwnerId::from(name)))
    }

    /// What DRS answers to the newest request for a launch.
    pub(crate) fn answer(&mut self, wave: u16, launch: u16, answer: LaunchAnswer) -> Vec<String> {
        self.hear(launch_answered(
            wave,
            launch,
            self.asked(wave, launch),
            answer,
        ))
    }

    fn asked(&self, wave: u16, launch: u16) -> u32 {
        use tidegate_core::engine::LaunchState as L;
        match self.execution.wave(WaveIx(wave)).launches()[usize::from(launch)].state {
            L::Queued { attempt }
            | L::Asking { attempt }
            | L::Reconciling { attempt }
            | L::Deferred { attempt, .. } => attempt,
            L::Running { .. } | L::Ended { .. } | L::Refused | L::Abandoned => 1,
        }
    }

    pub(crate) fn accept(&mut self, wave: u16, launch: u16) -> Vec<String> {
        let report = self.report(wave, launch, false, &[]);
        self.answer(wave, launch, LaunchAnswer::Accepted(report))
    }

    /// The job ends with one state for every server.
    pub(crate) fn ends(&mut self, wave: u16, launch: u16, state: ServerState) -> Vec<String> {
        let servers = self.execution.wave(WaveIx(wave)).launches()[usize::from(launch)]
            .servers
            .clone();
        let states: Vec<_> = servers.into_iter().map(|server| (server, state)).collect();
        self.job(wave, launch, true, &states)
    }

    /// Accepted, and every server launches.
    pub(crate) fn launches(&mut self, wave: u16, launch: u16) -> Vec<String> {
        let mut lines = self.accept(wave, launch);
        lines.extend(self.ends(wave, launch, ServerState::Launched));
        lines
    }

    pub(crate) fn job(
        &mut self,
        wave: u16,
        launch: u16,
        ended: bool,
        servers: &[(ServerIx, ServerState)],
    ) -> Vec<String> {
        let report = self.report(wave, launch, ended, servers);
        self.hear(Event::JobObserved {
            wave: WaveIx(wave),
            launch: LaunchIx(launch),
            report,
        })
    }

    pub(crate) fn report(
        &self,
        wave: u16,
        launch: u16,
        ended: bool,
        servers: &[(ServerIx, ServerState)],
    ) -> JobReport {
        let known = self.execution.wave(WaveIx(wave)).servers();
        let servers = servers.iter().map(|&(server, state)| ServerReport {
            server: known[server.index()].selected.id.clone(),
            state,
            instance: (state == ServerState::Launched)
                .then(|| InstanceId::new(format!("i-{wave}-{}", server.0))),
            detail: Arc::from(""),
            warnings: Vec::new(),
        });
        JobReport {
            job: job_id(wave, launch),
            ended,
            servers: servers.collect(),
        }
    }

    pub(crate) fn look(&mut self, wave: u16, launch: u16, found: Looked) -> Vec<String> {
        self.hear(Event::LaunchLooked {
            wave: WaveIx(wave),
            launch: LaunchIx(launch),
            began: self.now,
            found,
        })
    }

    /// The running hook's answer.
    pub(crate) fn verdict(&mut self, wave: u16, answer: HookAnswer) -> Vec<String> {
        let command = self
            .execution
            .outstanding()
            .into_iter()
            .find(|command| matches!(command, CommandId::Hook { wave: at, .. } if at.0 == wave))
            .expect("a hook of the wave runs");
        self.hear(Event::HookAnswered { command, answer })
    }

    pub(crate) fn select(&mut self, wave: u16, servers: &[u32]) -> Vec<String> {
        let answer = Ok(self.selection(wave, servers));
        let wave = WaveIx(wave);
        self.hear(Event::Selected { wave, answer })
    }

    pub(crate) fn selection(&self, wave: u16, servers: &[u32]) -> Vec<SelectedServer> {
        let group = &self.execution.plan().wave(WaveIx(wave)).groups[0];
        let target = Arc::new(group.target.clone());
        let of = |&number: &u32| SelectedServer {
            id: server_id(number).as_str().into(),
            hostname: Arc::from(""),
            target: Arc::clone(&target),
            optional: false,
            snapshot: None,
            instance: None,
        };
        servers.iter().map(of).collect()
    }
}

pub(crate) fn job_id(wave: u16, launch: u16) -> JobId {
    JobId::new(format!("job-{wave}-{launch}"))
}

pub(crate) fn launch_answered(wave: u16, launch: u16, attempt: u32, answer: LaunchAnswer) -> Event {
    let command = CommandId::Launch {
        wave: WaveIx(wave),
        launch: LaunchIx(launch),
        attempt,
    };
    Event::LaunchAnswered { command, answer }
}

pub(crate) fn admitted(wave: u16, launch: u16, attempt: u32) -> Event {
    let command = admit(wave, launch, attempt);
    Event::Admitted { command }
}

pub(crate) fn too_large(wave: u16, launch: u16, attempt: u32, most: u16) -> Event {
    let command = admit(wave, launch, attempt);
    Event::TooLarge { command, most }
}

fn admit(wave: u16, launch: u16, attempt: u32) -> CommandId {
    CommandId::Admit {
        wave: WaveIx(wave),
        launch: LaunchIx(launch),
        attempt,
    }
}

pub(crate) fn hook_answered(
    wave: u16,
    phase: HookPhase,
    attempt: u32,
    answer: HookAnswer,
) -> Event {
    let command = CommandId::Hook {
        wave: WaveIx(wave),
        phase,
        hook: HookIx(0),
        attempt,
    };
    Event::HookAnswered { command, answer }
}

pub(crate) fn pause() -> Event {
    let comment = Arc::from("");
    Event::Pause { comment }
}

pub(crate) fn cancel() -> Event {
    let comment = Arc::from("");
    Event::Cancel { comment }
}

pub(crate) fn retry(wave: u16) -> Event {
    Event::RetryWave(WaveIx(wave))
}

pub(crate) fn skip(wave: u16) -> Event {
    Event::SkipWave(WaveIx(wave))
}

pub(crate) fn proceed() -> HookAnswer {
    HookAnswer::bare(HookVerdict::Proceed, "")
}

pub(crate) fn again(secs: u64, message: &str) -> HookAnswer {
    let after = Span::from_secs(secs);
    HookAnswer::bare(HookVerdict::Retry { after }, message)
}

pub(crate) fn failing(kind: HookFailureKind, message: &str) -> HookAnswer {
    HookAnswer::bare(HookVerdict::Failed { kind }, message)
}

pub(crate) fn unknown() -> LaunchAnswer {
    let reason = Arc::from("reset");
    LaunchAnswer::Unknown { reason }
}

pub(crate) fn refusal() -> LaunchAnswer {
    let reason = Arc::from("no");
    LaunchAnswer::Refused { reason }
}

pub(crate) fn deferral() -> LaunchAnswer {
    let reason = Arc::from("quota");
    LaunchAnswer::Deferred {
        reason,
        after: None,
    }
}

pub(crate) fn over_quota() -> LaunchAnswer {
    let reason = Arc::from("20 jobs run");
    LaunchAnswer::OverQuota {
        quota: Quota::Jobs,
        reason,
    }
}
