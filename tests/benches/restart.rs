//! A gateway with thousands of unfinished executions is killed with SIGKILL and
//! started again: how long until it does something, beside opening the same
//! journal alone, and how much memory it takes. Prints its figures; asserts that
//! every execution is there.
//!
//! `cargo build --release --package tidegate && cargo bench --package tidegate-tests --bench restart`

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings};
use tidegate_gateway::{
    adapters::journal_redb::{DataDir, RedbJournal, Settings as JournalSettings},
    ports::journal::Journal as _,
};
use tidegate_proto::v1::{
    ExecutionKind, ListExecutionsRequest, Plan, PlanSpec, ResumeRequest, ServerGroup, ServerRef,
    StartExecutionRequest, Target, UpdatePlanRequest, WaveSpec,
    execution_service_client::ExecutionServiceClient, plan_service_client::PlanServiceClient,
};
use tidegate_tests::process::Process;
use tokio::{net::TcpListener, runtime::Runtime};
use tonic::transport::Channel;

/// Restarts that are measured.
const RUNS: usize = 5;
/// How long a gateway rests before its memory is measured once more: what the
/// start took and needs no more may be given back by then.
const REST: Duration = Duration::from_secs(5);
/// Starts under way at a time while a population is made.
const AT_ONCE: usize = 64;
/// Servers that DRS knows: those of the executions that are resumed. Nothing
/// is asked of the others.
const KNOWN: usize = 1_000;
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-west-2";

/// What a gateway is started with.
struct Population {
    /// Unfinished executions.
    executions: usize,
    /// Servers in the plan of each.
    servers: usize,
}

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let drs = runtime.block_on(emulator());
    for (executions, servers) in [(1_000, 1), (10_000, 1), (10_000, 60)] {
        let population = Population {
            executions,
            servers,
        };
        population.measure(&runtime, &drs);
    }
}

impl Population {
    fn measure(&self, runtime: &Runtime, drs: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let gateway = serve(&data, drs);
        let paused = runtime.block_on(self.start_all(gateway.address()));
        gateway.kill();
        println!(
            "{} unfinished executions of {} servers each, killed with SIGKILL",
            self.executions, self.servers
        );
        for (run, next) in (1..=RUNS).zip(&paused) {
            self.restart(runtime, drs, &data, run, next);
        }
    }

    fn restart(&self, runtime: &Runtime, drs: &str, data: &Path, run: usize, next: &str) {
        let (opened, records) = runtime.block_on(self.open_alone(data));
        let began = Instant::now();
        let gateway = serve(data, drs);
        let listens = began.elapsed();
        let progress = runtime.block_on(async {
            resume(gateway.address(), next).await;
            let progress = began.elapsed();
            assert_eq!(count(gateway.address()).await, self.executions);
            progress
        });
        let memory = gateway.memory();
        std::thread::sleep(REST);
        let rested = gateway.memory();
        gateway.kill();
        println!(
            "  run {run}: journal alone, opened and read ({records} records) {}; \
             process listens after {}, first progress (a resume is durable) after {}; \
             resident {} MB, at most {} MB, and {} MB after {REST:?} of rest",
            millis(opened),
            millis(listens),
            millis(progress),
            memory.resident >> 20,
            memory.peak >> 20,
            rested.resident >> 20,
        );
    }

    /// Opens the journal and reads every record of every unfinished execution: the
    /// least that a restart can do.
    async fn open_alone(&self, data: &Path) -> (Duration, usize) {
        let began = Instant::now();
        let directory = DataDir::open(data.to_owned()).expect("nobody else has it");
        let journal = RedbJournal::open(Arc::new(directory), &JournalSettings::default())
            .expect("it is a journal");
        let heads = journal.heads(None, true, self.executions * 2).await;
        let heads = heads.expect("it can be read");
        assert_eq!(heads.len(), self.executions, "every execution is there");
        let mut records = 0;
        for head in heads {
            let log = journal.read(&head.execution, 0, usize::MAX).await;
            records += log.expect("it can be read").len();
        }
        (began.elapsed(), records)
    }

    /// A plan and a paused execution of it, so many times.
    async fn start_all(&self, address: &str) -> Vec<String> {
        let channel = connect(address).await;
        let starts = (0..self.executions).map(|number| start(&channel, number, self.servers));
        stream::iter(starts).buffered(AT_ONCE).collect().await
    }
}

async fn emulator() -> String {
    let servers: String = (0..KNOWN)
        .map(|number| {
            format!(
                "      - id: {}\n        hostname: h{number}.example\n",
                id(number)
            )
        })
        .collect();
    let text = format!(
        "name: restart\nfleet:\n  - account: \"{ACCOUNT}\"\n    region: {REGION}\n    servers:\n{servers}"
    );
    let emulator = Emulator::new(Settings {
        scenario: Scenario::from_yaml(&text).expect("a scenario"),
        clock: EmulatorClock::Scaled { speed: 1.0 },
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = tidegate_emulator::serve(listener, emulator, std::future::pending());
    tokio::spawn(serving);
    address
}

fn serve(data: &Path, drs: &str) -> Process {
    let data = data.display().to_string();
    let listen = ["--listen", "127.0.0.1:0"];
    let serve = ["serve", "--drs", "aws", "--data-dir", &data];
    Process::start(
        &[&serve[..], &listen].concat(),
        &[
            ("AWS_ENDPOINT_URL_DRS", drs),
            ("AWS_ACCESS_KEY_ID", ACCOUNT),
            ("AWS_SECRET_ACCESS_KEY", "none"),
            ("AWS_REGION", REGION),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ],
    )
}

async fn start(channel: &Channel, number: usize, servers: usize) -> String {
    let request = UpdatePlanRequest {
        plan: Some(plan(number, servers)),
        allow_missing: true,
        ..UpdatePlanRequest::default()
    };
    let mut plans = PlanServiceClient::new(channel.clone());
    plans.update_plan(request).await.expect("it is a plan");
    let request = StartExecutionRequest {
        plan: name(number),
        plan_revision: 0,
        kind: ExecutionKind::Drill.into(),
        request_id: format!("restart-{number}"),
    };
    let mut executions = ExecutionServiceClient::new(channel.clone());
    let answer = executions.start_execution(request).await;
    let execution = answer.expect("it starts").into_inner().execution;
    execution.expect("an execution").id
}

async fn resume(address: &str, execution: &str) {
    let mut client = ExecutionServiceClient::new(connect(address).await);
    let request = ResumeRequest {
        execution: execution.to_owned(),
        ..ResumeRequest::default()
    };
    client.resume(request).await.expect("it waits for that");
}

async fn count(address: &str) -> usize {
    let mut client = ExecutionServiceClient::new(connect(address).await);
    let mut request = ListExecutionsRequest {
        page_size: 1_000,
        ..ListExecutionsRequest::default()
    };
    let mut executions = 0;
    loop {
        let answer = client.list_executions(request.clone()).await;
        let page = answer.expect("a list").into_inner();
        executions += page.executions.len();
        if page.next_page_token.is_empty() {
            return executions;
        }
        request.page_token = page.next_page_token;
    }
}

async fn connect(address: &str) -> Channel {
    let endpoint = Channel::from_shared(address.to_owned()).expect("an address");
    endpoint.connect().await.expect("the gateway answers")
}

/// Every plan has servers of its own: one is in one execution at a time.
fn plan(number: usize, servers: usize) -> Plan {
    let servers = (number * servers..).take(servers).map(|server| ServerRef {
        id: id(server),
        ..ServerRef::default()
    });
    let wave = WaveSpec {
        name: "wave".to_owned(),
        servers: vec![ServerGroup {
            servers: servers.collect(),
            ..ServerGroup::default()
        }],
        pause_before: true,
        ..WaveSpec::default()
    };
    Plan {
        name: name(number),
        spec: Some(PlanSpec {
            target: Some(Target {
                account: ACCOUNT.to_owned(),
                region: REGION.to_owned(),
                role_arn: String::new(),
            }),
            waves: vec![wave],
            ..PlanSpec::default()
        }),
        ..Plan::default()
    }
}

fn name(number: usize) -> String {
    format!("restart-{number}")
}

fn id(number: usize) -> String {
    format!("s-{number:017x}")
}

fn millis(duration: Duration) -> String {
    format!("{:.0} ms", duration.as_secs_f64() * 1e3)
}
