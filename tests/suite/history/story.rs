//! One execution told from outside, event by event, with the records that a
//! driver would have written of it.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use tidegate_core::{
    ExecutionId, InstanceId, JobId, LaunchIx, OwnerId, SourceServerId, Span, Timestamp, WaveIx,
    engine::{
        CommandId, Event, Execution, Genesis, HookAnswer, HookVerdict, JobReport, Kind,
        LaunchAnswer, Looked, SelectedServer, ServerReport, ServerState, Settings,
    },
    plan::Selection,
};
use tidegate_gateway::{
    driver::{Origin, RequestStamp},
    grpc::pinned_plan,
    journal_format::{self, GenesisRecord, RecordDraft, RecordHash},
};
use tidegate_plan_file::{Source, Written};

/// When every story begins.
const BEGINNING: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Most servers in one job, so that few servers are enough to see a split.
pub(super) const SERVERS_PER_JOB: u16 = 3;

pub(super) struct Story {
    pub(super) execution: Execution,
    pub(super) records: Vec<Bytes>,
    /// Whether every launch has its turn at once, in the same record.
    pub(super) admits: bool,
    now: Timestamp,
    origin: Arc<Origin>,
    previous: Option<RecordHash>,
}

impl Story {
    /// An execution of the plan in this YAML, begun.
    pub(super) fn begin(kind: Kind, yaml: &str) -> Self {
        let mut story = Self::prepare(kind, yaml);
        story.hear(Event::Start);
        story
    }

    /// The same, and its launches wait until they are given their turn.
    pub(super) fn queueing(kind: Kind, yaml: &str) -> Self {
        let mut story = Self::prepare(kind, yaml);
        story.admits = false;
        story.hear(Event::Start);
        story
    }

    fn prepare(kind: Kind, yaml: &str) -> Self {
        let source = Source {
            name: "story.yaml".to_owned(),
            text: yaml.to_owned(),
        };
        let written = Written::parse(source).expect("the story's plan is right");
        let plan: Bytes = written.plan.encode_to_vec().into();
        let genesis = Genesis {
            id: ExecutionId::from("01ke0000000000000000000001"),
            kind,
            plan: Arc::new(pinned_plan(&plan).expect("the story's plan is right")),
            created_at: BEGINNING,
        };
        let settings = Settings {
            servers_per_job: SERVERS_PER_JOB,
            ..Settings::default()
        };
        Self {
            execution: Execution::new(genesis, settings),
            records: Vec::new(),
            admits: true,
            now: BEGINNING,
            origin: Arc::new(Origin {
                plan_revision: 3,
                plan_digest: "sha256:00".to_owned(),
                plan,
                source: (kind == Kind::Cleanup)
                    .then(|| ExecutionId::from("01ke0000000000000000000000")),
            }),
            previous: None,
        }
    }

    /// Something is heard; what it decides is recorded.
    pub(super) fn hear(&mut self, event: Event) {
        self.hear_from(event, None);
    }

    /// A person asks for something.
    pub(super) fn ask(&mut self, event: Event) {
        let id = format!("request-{}", self.records.len());
        let digest = [7; 32];
        self.hear_from(event, Some(RequestStamp { id, digest }));
    }

    fn hear_from(&mut self, event: Event, request: Option<RequestStamp>) {
        let decided = self.execution.decide_folded(event, self.now);
        let (mut changes, mut next) = decided.expect("the story asks for what is allowed");
        while let Some(command) = waiting(&next).filter(|_| self.admits) {
            let decided = next.decide_folded(Event::Admitted { command }, self.now);
            let (also, after) = decided.expect("a turn is nobody's request");
            changes.extend(also);
            next = after;
        }
        assert_eq!(next.violations(), []);
        if changes.is_empty() && request.is_none() {
            return;
        }
        let execution = &self.execution;
        let genesis = self.records.is_empty().then(|| GenesisRecord {
            execution: execution.id().clone(),
            kind: execution.kind(),
            created_at: execution.created_at(),
            origin: Arc::clone(&self.origin),
        });
        let revision = self.records.len() as u64 + 1;
        let record = journal_format::encode(&RecordDraft {
            revision,
            at: self.now,
            previous: self.previous.as_ref(),
            nonce: [u8::try_from(revision).unwrap_or(u8::MAX); 16],
            epoch: next.epoch(),
            request: request.as_ref(),
            genesis: genesis.as_ref(),
            first_index: execution.change_count() + 2,
            changes: &changes,
        });
        self.previous = Some(journal_format::hash(&record));
        self.records.push(record);
        self.execution = next;
    }

    pub(super) fn pass(&mut self, secs: u64) {
        self.now = self.now + Span::from_secs(secs);
        self.hear(Event::Tick);
    }

    /// Time passes until something is due.
    pub(super) fn pass_to_deadline(&mut self) {
        let due = self.execution.next_deadline().expect("something is due");
        self.now = due.at;
        self.hear(Event::Tick);
    }

    /// Another gateway takes over.
    pub(super) fn new_owner(&mut self, name: &str) {
        self.hear(Event::OwnerChanged(OwnerId::from(name)));
    }

    /// The first outstanding command of a wave.
    fn command(&self, wave: u16, is: fn(&CommandId) -> bool) -> CommandId {
        let mut outstanding = self.execution.outstanding().into_iter();
        outstanding
            .find(|command| command.wave() == WaveIx(wave) && is(command))
            .unwrap_or_else(|| panic!("wanted are {:?}", self.execution.outstanding()))
    }

    fn position(&self, wave: u16, is: fn(&CommandId) -> bool) -> (CommandId, LaunchIx) {
        let command = self.command(wave, is);
        let (CommandId::Launch { launch, .. }
        | CommandId::Look { launch, .. }
        | CommandId::Follow { launch, .. }) = command
        else {
            panic!("{command} is of no launch");
        };
        (command, launch)
    }

    /// It is the turn of the wave's first launch that waits for it.
    pub(super) fn admit(&mut self, wave: u16) {
        let command = self.command(wave, |it| matches!(it, CommandId::Admit { .. }));
        self.hear(Event::Admitted { command });
    }

    /// DRS takes fewer servers in one job than the wave's first launch that
    /// waits for its turn has.
    pub(super) fn too_large(&mut self, wave: u16, most: u16) {
        let command = self.command(wave, |it| matches!(it, CommandId::Admit { .. }));
        self.hear(Event::TooLarge { command, most });
    }

    /// DRS answers the wave's first launch that waits for an answer.
    pub(super) fn launch(&mut self, wave: u16, answer: LaunchAnswer) {
        let (command, _) = self.position(wave, |it| matches!(it, CommandId::Launch { .. }));
        self.hear(Event::LaunchAnswered { command, answer });
    }

    pub(super) fn accept(&mut self, wave: u16) {
        let (_, launch) = self.position(wave, |it| matches!(it, CommandId::Launch { .. }));
        let report = self.report(wave, launch, false, &[]);
        self.launch(wave, LaunchAnswer::Accepted(report));
    }

    /// The wave's first running job says this of its servers, in their order.
    pub(super) fn job(&mut self, wave: u16, ended: bool, states: &[ServerState]) {
        let (_, launch) = self.position(wave, |it| matches!(it, CommandId::Follow { .. }));
        let report = self.report(wave, launch, ended, states);
        self.observed(wave, launch, report);
    }

    fn observed(&mut self, wave: u16, launch: LaunchIx, report: JobReport) {
        let wave = WaveIx(wave);
        self.hear(Event::JobObserved {
            wave,
            launch,
            report,
        });
    }

    /// As [`Story::job`], and each server gets a word and a warning.
    pub(super) fn job_with_words(&mut self, wave: u16, states: &[ServerState]) {
        let (_, launch) = self.position(wave, |it| matches!(it, CommandId::Follow { .. }));
        let mut report = self.report(wave, launch, true, states);
        for server in &mut report.servers {
            server.detail = Arc::from("as DRS says");
            server.warnings = vec![Arc::from("USING_PREVIOUS_SNAPSHOT")];
        }
        self.observed(wave, launch, report);
    }

    /// Looking for the wave's first unknown launch shows nothing.
    pub(super) fn look_in_vain(&mut self, wave: u16) {
        let (_, launch) = self.position(wave, |it| matches!(it, CommandId::Look { .. }));
        let found = Looked::Nothing;
        let wave = WaveIx(wave);
        self.hear(Event::LaunchLooked {
            wave,
            launch,
            began: self.now,
            found,
        });
    }

    /// Looking for it shows its job, and another one that should not be.
    pub(super) fn look_and_find(&mut self, wave: u16) {
        let (_, launch) = self.position(wave, |it| matches!(it, CommandId::Look { .. }));
        let report = self.report(wave, launch, false, &[]);
        self.hear(Event::LaunchLooked {
            wave: WaveIx(wave),
            launch,
            began: self.now,
            found: Looked::Found {
                report,
                duplicates: vec![JobId::from("drsjob-twin")],
            },
        });
    }

    fn report(
        &self,
        wave: u16,
        launch: LaunchIx,
        ended: bool,
        states: &[ServerState],
    ) -> JobReport {
        let run = self.execution.wave(WaveIx(wave));
        let asked = run.launch(launch).expect("the launch is known");
        let servers = asked.servers.iter().zip(states).map(|(server, &state)| {
            let id = &run.servers()[server.index()].selected.id;
            ServerReport {
                server: id.clone(),
                state,
                instance: (state == ServerState::Launched)
                    .then(|| InstanceId::new(format!("i-{}", id.as_str()))),
                detail: Arc::from(""),
                warnings: Vec::new(),
            }
        });
        JobReport {
            job: JobId::new(format!("drsjob-{wave}-{}", launch.0)),
            ended,
            servers: servers.collect(),
        }
    }

    /// Everything that is asked of DRS for this wave succeeds.
    pub(super) fn launch_all(&mut self, wave: u16) {
        let outstanding = |story: &Self, is: fn(&CommandId) -> bool| {
            let commands = story.execution.outstanding();
            commands
                .iter()
                .any(|it| it.wave() == WaveIx(wave) && is(it))
        };
        while outstanding(self, |it| matches!(it, CommandId::Launch { .. })) {
            self.accept(wave);
        }
        let done = match self.execution.kind() {
            Kind::Drill | Kind::Recovery => ServerState::Launched,
            Kind::Cleanup => ServerState::Terminated,
        };
        while outstanding(self, |it| matches!(it, CommandId::Follow { .. })) {
            self.job(wave, true, &[done; SERVERS_PER_JOB as usize]);
        }
    }

    /// The wave's running hook answers.
    pub(super) fn hook(&mut self, wave: u16, answer: HookAnswer) {
        let command = self.command(wave, |it| matches!(it, CommandId::Hook { .. }));
        self.hear(Event::HookAnswered { command, answer });
    }

    pub(super) fn proceed(&mut self, wave: u16) {
        self.hook(wave, HookAnswer::bare(HookVerdict::Proceed, ""));
    }

    /// The wave's servers are looked up: those that the plan names, and these.
    pub(super) fn select(&mut self, wave: u16, tagged: &[(&str, bool)]) {
        let command = self.command(wave, |it| matches!(it, CommandId::Select { .. }));
        let answer = Ok(self.selection(command.wave(), tagged));
        let wave = command.wave();
        self.hear(Event::Selected { wave, answer });
    }

    pub(super) fn select_in_vain(&mut self, wave: u16) {
        let wave = WaveIx(wave);
        let answer = Err("access denied".to_owned());
        self.hear(Event::Selected { wave, answer });
    }

    fn selection(&self, wave: WaveIx, tagged: &[(&str, bool)]) -> Vec<SelectedServer> {
        let cleanup = self.execution.kind() == Kind::Cleanup;
        let mut selected = Vec::new();
        for group in &self.execution.plan().wave(wave).groups {
            let target = Arc::new(group.target.clone());
            let mut add = |id: SourceServerId, optional, snapshot| {
                selected.push(SelectedServer {
                    hostname: Arc::from(format!("host-{id}")),
                    target: Arc::clone(&target),
                    optional,
                    snapshot,
                    instance: cleanup.then(|| InstanceId::new(format!("i-{id}"))),
                    id,
                });
            };
            match &group.selection {
                Selection::Servers(servers) => {
                    for it in servers {
                        add(it.id.clone(), it.optional, it.snapshot.clone());
                    }
                }
                Selection::Tags { .. } => {
                    for &(id, optional) in tagged {
                        add(SourceServerId::from(id), optional, None);
                    }
                }
            }
        }
        selected
    }
}

/// The first launch that waits for its turn.
fn waiting(execution: &Execution) -> Option<CommandId> {
    let mut commands = execution.outstanding().into_iter();
    commands.find(|command| matches!(command, CommandId::Admit { .. }))
}
