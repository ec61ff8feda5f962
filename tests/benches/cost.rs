//! What an execution costs at AWS: calls of DynamoDB and of DRS, and their
//! price beside that of a Step Functions state machine that polls. A whole
//! gateway over real gRPC, its journal in a real DynamoDB Local. Prints its
//! figures; asserts that an execution takes no more writes than it should.
//!
//! `cargo bench --package tidegate-tests --bench cost`

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod load;

use std::{collections::BTreeMap, num::NonZeroU16, sync::Arc, time::Duration};

use load::{Load, plan_of};
use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings};
use tidegate_gateway::adapters::{
    drs_aws::{self, AwsDrs, Mode},
    journal_dynamodb::{DynamoJournal, Usage, create_table},
};
use tidegate_proto::v1::{Plan, ServerGroup, WaveSpec};
use tidegate_tests::{dynamodb::DynamoDbLocal, gateway};
use tokio::{net::TcpListener, runtime::Runtime};

/// Dollars for a million write request units, on demand, us-east-1
/// (<https://aws.amazon.com/dynamodb/pricing/on-demand/>, November 2026). What
/// a transaction writes counts twice; DynamoDB says so in what it counts.
const WRITES: f64 = 0.625;
/// Dollars for a million read request units; same source.
const READS: f64 = 0.125;
/// Dollars for a thousand state transitions of a standard workflow
/// (<https://aws.amazon.com/step-functions/pricing/>, November 2026).
const TRANSITIONS: f64 = 0.025;
/// Transitions of an execution of the state machine that this replaces, as it
/// claims.
const CLAIMED: f64 = 50.0;
/// Transitions of its loop of 30 seconds over a plan of three waves and 30
/// minutes.
const COUNTED: f64 = 245.0;

/// Writes of an execution of workload W, at most.
const GOAL: f64 = 8.0;
const EXECUTIONS: usize = 100;
/// How long a gateway is watched that has nothing to do: every loop of it comes
/// round.
const IDLE: Duration = Duration::from_secs(60);
/// Executions that wait for a person meanwhile, and servers of each.
const PAUSED: usize = 200;
const PAUSED_SERVERS: usize = 60;
/// 730 hours, in seconds.
const MONTH: f64 = 730.0 * 3600.0;
/// As `tidegate aws create-table` makes them.
const PARTITIONS: NonZeroU16 = NonZeroU16::new(64).expect("it is not zero");
/// Emulated seconds a second.
const SPEED: f64 = 60.0;

fn main() {
    workload();
    drill();
    idle();
    println!("Step Functions, 100 executions, transitions alone:");
    for (what, transitions) in [
        ("as claimed", CLAIMED),
        ("three waves, 30 minutes", COUNTED),
    ] {
        let price = 100.0 * transitions / 1000.0 * TRANSITIONS;
        println!("  {what}: {transitions} transitions each, ${price:.3}");
    }
}

/// Five single-server waves and one planned pause, DRS without time.
fn workload() {
    let runtime = Runtime::new().expect("a runtime");
    let local = runtime.block_on(DynamoDbLocal::shared());
    let journal = runtime.block_on(local.journal());
    let gateway = runtime.block_on(gateway::instant_on_table(journal.clone()));
    let load = Load::on(runtime, gateway, tempfile::tempdir().expect("a folder"));
    load.run_workload(4, 4);
    let before = journal.usage();
    load.run_workload(4, EXECUTIONS);
    let used = journal.usage().since(&before);
    println!("workload W, {EXECUTIONS} executions; for each:");
    print_usage(&used, EXECUTIONS);
    let writes = (used.puts + used.updates + used.deletes + used.transactions) as f64;
    let each = writes / EXECUTIONS as f64;
    println!("  writes, a transaction counted as one: {each:.2} (goal: {GOAL})");
    assert!(each <= GOAL, "an execution takes {each} writes");
}

/// A drill of the sample shop, sixty servers in three waves, at the pace of
/// real jobs.
fn drill() {
    let runtime = Runtime::new().expect("a runtime");
    let local = runtime.block_on(DynamoDbLocal::shared());
    let journal = runtime.block_on(local.journal());
    let (emulator, drs) = runtime.block_on(emulator());
    let gateway = gateway::on_table(journal.clone(), drs, |config| {
        let drs = &mut config.drs;
        for interval in [
            &mut drs.poll_interval_min,
            &mut drs.poll_interval_max,
            &mut drs.look_interval,
        ] {
            *interval = interval.get().div_f64(SPEED).into();
        }
    });
    let gateway = runtime.block_on(gateway);
    let load = Load::on(runtime, gateway, tempfile::tempdir().expect("a folder"));
    let (before, calls) = (journal.usage(), emulator.calls());
    load.run_plan(shop());
    let used = journal.usage().since(&before);
    println!("a drill of the sample shop: 60 servers, three waves, one pause:");
    print_usage(&used, 1);
    print_calls(&emulator.calls(), &calls);
}

/// A gateway that only tells the others that it lives, without executions and
/// with many that are paused. A table has as many
/// partitions as `tidegate aws create-table` makes.
fn idle() {
    let runtime = Runtime::new().expect("a runtime");
    let local = runtime.block_on(DynamoDbLocal::shared());
    let journal = runtime.block_on(async {
        let settings = local.settings();
        let made = create_table(&settings, PARTITIONS).await;
        made.expect("a table is made");
        let opened = DynamoJournal::open(settings).await;
        opened.expect("a new table opens")
    });
    let gateway = runtime.block_on(gateway::member(journal.clone()));
    let load = Load::on(runtime, gateway, tempfile::tempdir().expect("a folder"));
    let alone = wait(&load, &journal, "that drives nothing");
    load.pause_many(PAUSED, PAUSED_SERVERS);
    let what = format!("with {PAUSED} paused executions of {PAUSED_SERVERS} servers");
    let paused = wait(&load, &journal, &what);
    let thousand = (paused - alone) / PAUSED as f64 * 1_000.0;
    println!("  so 1,000 of them cost a gateway ${thousand:.2} a month");
}

/// What a gateway without work costs a month, in dollars.
fn wait(load: &Load, journal: &DynamoJournal, what: &str) -> f64 {
    let before = journal.usage();
    load.let_pass(IDLE);
    let used = journal.usage().since(&before);
    let month = MONTH / IDLE.as_secs_f64();
    let price = month * (used.write_units * WRITES + used.read_units * READS) / 1e6;
    println!(
        "a gateway of a cluster {what}, in {IDLE:?}: {} write units, {} read units; a month: \
         ${price:.2}",
        used.write_units, used.read_units
    );
    price
}

fn shop() -> Plan {
    let tiers = ["db", "app", "web"];
    let waves = tiers.iter().enumerate().map(|(ix, tier)| WaveSpec {
        name: (*tier).to_owned(),
        after: (ix > 0)
            .then(|| tiers[ix - 1].to_owned())
            .into_iter()
            .collect(),
        servers: vec![ServerGroup {
            tags: [("app", "shop"), ("tier", tier)]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            ..ServerGroup::default()
        }],
        pause_before: *tier == "web",
        ..WaveSpec::default()
    });
    plan_of("shop".to_owned(), waves.collect())
}

async fn emulator() -> (Emulator, Arc<AwsDrs>) {
    let emulator = Emulator::new(Settings {
        scenario: Scenario::built_in("shop").expect("a built-in scenario"),
        clock: EmulatorClock::Scaled { speed: SPEED },
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(tidegate_emulator::serve(
        listener,
        emulator.clone(),
        std::future::pending(),
    ));
    let drs = AwsDrs::connect(drs_aws::Settings::new(Mode::Endpoint { url })).await;
    (emulator, Arc::new(drs))
}

fn print_usage(used: &Usage, executions: usize) {
    let each = |count: u64| count as f64 / executions as f64;
    println!(
        "  DynamoDB: {:.2} puts, {:.2} updates, {:.2} deletes, {:.2} transactions of {:.2} \
         writes, {:.2} reads",
        each(used.puts),
        each(used.updates),
        each(used.deletes),
        each(used.transactions),
        each(used.transaction_writes),
        each(used.reads)
    );
    let (writes, reads) = (
        used.write_units / executions as f64,
        used.read_units / executions as f64,
    );
    let price = 100.0 * (writes * WRITES + reads * READS) / 1e6;
    println!("  {writes:.1} write units, {reads:.1} read units; 100 executions: ${price:.4}");
}

fn print_calls(now: &BTreeMap<&'static str, u64>, before: &BTreeMap<&'static str, u64>) {
    println!("  DRS, which costs nothing a call:");
    // A call of another service is in brackets.
    for (operation, count) in now.iter().filter(|(name, _)| !name.starts_with('(')) {
        let made = count - before.get(operation).unwrap_or(&0);
        println!("    {operation}: {made}");
    }
}
