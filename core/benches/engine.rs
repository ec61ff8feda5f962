//! What the engine costs: folding, asking what is outstanding, deciding.

use std::sync::Arc;

use divan::{Bencher, counter::ItemsCount};
use tidegate_core::{
    ExecutionId, InstanceId, JobId, LaunchIx, Timestamp, WaveIx,
    engine::{
        Change, CommandId, Event, Execution, Genesis, JobReport, Kind, LaunchAnswer, ServerReport,
        ServerState, Settings,
    },
    plan::{DraftGroup, DraftServer, DraftTarget, DraftWave, Limits, Plan, PlanDraft},
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

fn main() {
    divan::main();
}

/// Folds the whole journal of 200 waves of 25 servers, as after a crash. The
/// goal is a million changes a second on one core.
#[divan::bench]
fn apply(bencher: Bencher) {
    let mut run = Run::new(200, 25);
    run.waves(200);
    bencher
        .counter(ItemsCount::new(run.journal.len()))
        .with_inputs(|| Execution::new(run.genesis.clone(), Settings::default()))
        .bench_values(|mut execution| {
            for change in &run.journal {
                execution.apply(change, NOW);
            }
            execution
        });
}

/// Of 200 waves in a row; it must not matter how many are over.
#[divan::bench(args = [1, 50, 199])]
fn outstanding(bencher: Bencher, finished: u16) {
    let mut run = Run::new(200, 5);
    run.waves(finished);
    bencher.bench(|| divan::black_box(&run.execution).outstanding());
}

/// A job report that moves 100 servers.
#[divan::bench]
fn decide_job_report(bencher: Bencher) {
    let mut run = Run::new(1, 100);
    let command = run.execution.outstanding()[0];
    let answer = LaunchAnswer::Accepted(run.report(0, false, ServerState::Requested));
    run.hear(Event::LaunchAnswered { command, answer });
    let report = run.report(0, false, ServerState::Conversion);
    bencher
        .counter(ItemsCount::new(100_usize))
        .with_inputs(|| observed(0, report.clone()))
        .bench_values(|event| run.execution.decide(event, NOW));
}

struct Run {
    genesis: Genesis,
    execution: Execution,
    journal: Vec<Change>,
}

impl Run {
    /// A drill of waves in a row, begun.
    fn new(waves: u16, servers: u16) -> Self {
        let draft = PlanDraft {
            name: "shop".into(),
            target: Some(DraftTarget {
                account: "123456789012".into(),
                region: "us-west-2".into(),
                role: String::new(),
            }),
            waves: (0..waves).map(|ix| wave(ix, servers)).collect(),
            ..PlanDraft::default()
        };
        let plan = Plan::check(&draft, &Limits::default()).expect("the plan is right");
        let genesis = Genesis {
            id: ExecutionId::from("01jd0000000000000000000000"),
            kind: Kind::Drill,
            plan: Arc::new(plan),
            created_at: NOW,
        };
        let execution = Execution::new(genesis.clone(), Settings::default());
        let mut run = Self {
            genesis,
            execution,
            journal: Vec::new(),
        };
        run.hear(Event::Start);
        run
    }

    fn hear(&mut self, event: Event) {
        let changes = self.execution.decide(event, NOW);
        for change in changes.expect("nothing is refused") {
            self.execution.apply(&change, NOW);
            self.journal.push(change);
        }
        let mut commands = self.execution.outstanding().into_iter();
        let waiting = commands.find(|command| matches!(command, CommandId::Admit { .. }));
        if let Some(command) = waiting {
            self.hear(Event::Admitted { command });
        }
    }

    /// The first `count` waves succeed, through every phase of their jobs.
    fn waves(&mut self, count: u16) {
        for wave in 0..count {
            let command = CommandId::Launch {
                wave: WaveIx(wave),
                launch: LaunchIx(0),
                attempt: 1,
            };
            let answer = LaunchAnswer::Accepted(self.report(wave, false, ServerState::Requested));
            self.hear(Event::LaunchAnswered { command, answer });
            for state in [
                ServerState::Snapshot,
                ServerState::Conversion,
                ServerState::Launch,
            ] {
                self.hear(observed(wave, self.report(wave, false, state)));
            }
            self.hear(observed(
                wave,
                self.report(wave, true, ServerState::Launched),
            ));
        }
    }

    fn report(&self, wave: u16, ended: bool, state: ServerState) -> JobReport {
        let servers = self.execution.wave(WaveIx(wave)).servers();
        let servers = servers.iter().map(|server| ServerReport {
            server: server.selected.id.clone(),
            state,
            instance: (state == ServerState::Launched).then(|| InstanceId::from("i-1")),
            detail: Arc::from(""),
            warnings: Vec::new(),
        });
        JobReport {
            job: JobId::new(format!("job-{wave}")),
            ended,
            servers: servers.collect(),
        }
    }
}

fn wave(ix: u16, servers: u16) -> DraftWave {
    let server = |number| DraftServer {
        id: format!("s-{:017x}", u32::from(ix) * 1_000 + u32::from(number)),
        ..DraftServer::default()
    };
    DraftWave {
        name: format!("wave-{ix}"),
        after: ix
            .checked_sub(1)
            .map(|before| format!("wave-{before}"))
            .into_iter()
            .collect(),
        groups: vec![DraftGroup {
            servers: (0..servers).map(server).collect(),
            ..DraftGroup::default()
        }],
        ..DraftWave::default()
    }
}

fn observed(wave: u16, report: JobReport) -> Event {
    Event::JobObserved {
        wave: WaveIx(wave),
        launch: LaunchIx(0),
        report,
    }
}
