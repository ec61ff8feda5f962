//! Chaos over a cluster: three replicas on one table, killed and stopped again
//! and again while clients steer and watch at all of them. What any of them
//! acknowledged must have taken effect; all tell the same of every execution;
//! who was stopped and wakes up does nothing; nothing is launched twice.
//!
//! `TIDEGATE_CHAOS_SEED=N cargo test -p tidegate-tests --test suite chaos`

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tidegate_core::engine::Change;
use tidegate_emulator::Scenario;
use tidegate_gateway::{
    adapters::journal_dynamodb::{DynamoJournal, Settings},
    journal_format,
    ports::journal::Journal as _,
};
use tidegate_tests::dynamodb::DynamoDbLocal;

use super::{
    SPEED,
    crowd::Crowd,
    dice::{self, Dice},
    end_faults,
    evidence::Evidence,
    plans,
    replicas::Replicas,
    takeovers::Takeovers,
};
use crate::{dynamodb::make_table, scenarios::kill_and_resume::serve};

const TABLE: &str = "chaos";
/// Clients at a time; each has servers and a plan of its own.
const CLIENTS: usize = 4;
/// How often a replica is killed or stopped.
const HARMS: usize = 50;
/// Most things that are heard between two of them.
const LIFE: usize = 100;
/// The whole of it, far above what it takes.
const BOUND: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_replicas_that_die_and_hang_lose_nothing_and_launch_nothing_twice() {
    let seed = dice::seed();
    println!("TIDEGATE_CHAOS_SEED={seed}");
    let calm = tokio::time::timeout(BOUND, storm(seed)).await;
    calm.expect("it ends in time");
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs it")]
async fn storm(seed: u64) {
    let mut dice = Dice::new(seed);
    let scenario = Scenario::from_yaml(&plans::fleet(CLIENTS, seed)).expect("the fleet is valid");
    let drs = serve(scenario, SPEED).await;
    let local = DynamoDbLocal::shared().await;
    make_table(TABLE, &local);
    let mut replicas = Replicas::start(TABLE, Arc::clone(&local), &drs.address).await;
    let mut doors = replicas.doors(&mut dice);
    plans::apply(doors.next(), CLIENTS).await;

    let crowd = Crowd::gather(CLIENTS, &mut dice, &mut doors, &replicas.storm());
    let began = Instant::now();
    for _ in 0..HARMS {
        let beats = crowd.pulse.beats(1 + dice.below(LIFE));
        replicas.bring_back_during(beats).await;
        replicas.harm(&mut dice).await;
    }
    let lasted = began.elapsed();
    let fired = end_faults(&drs.emulator);
    replicas.calm().await;

    let told = crowd.end(&doors).await;
    let mut logs = Vec::new();
    for door in doors.all() {
        logs.push(Evidence::gather(door, &told.ledgers).await);
    }
    let evidence = &logs[0];
    evidence.is_told_by_all(&logs);
    evidence.every_log_is_dense();
    told.agrees_with(evidence, &drs.emulator);
    let records = only_owners_wrote(&local, evidence).await;

    let takeovers = Takeovers::of(&replicas.history, &told.ledgers, evidence.logs());
    assert!(takeovers.count() > 0, "nothing was taken over");
    let kills = replicas.history.kills();
    println!(
        "{kills} kills and {} stops within {:.0} s: {evidence}, {records} records, {fired} faults \
         at DRS\ntaken over, {takeovers}",
        HARMS - kills,
        lasted.as_secs_f64()
    );
    takeovers.are_in_time();
}

/// Every record is of the owner of its time: none of an owner that had lost the
/// execution before. Returns how many there are.
async fn only_owners_wrote(local: &DynamoDbLocal, evidence: &Evidence) -> usize {
    let settings = Settings {
        endpoint: Some(local.endpoint()),
        ..Settings::new(TABLE)
    };
    let journal = DynamoJournal::open(settings).await;
    let journal = journal.expect("the table opens");
    let mut count = 0;
    for (id, log) in evidence.logs() {
        let mut epoch = 0;
        let mut read = 0;
        while read < log.len() {
            let records = journal.read(&id.as_str().into(), read as u64, 1_000).await;
            for stored in records.expect("the log is read") {
                let record = journal_format::decode(&stored.record).expect("a record");
                let changes = record.view.changes.iter();
                let owners = changes.filter(|change| matches!(change, Change::OwnerChanged { .. }));
                epoch += owners.count() as u64;
                assert_eq!(record.epoch, epoch, "{id}@{}", stored.revision);
                read += 1;
            }
        }
        count += read;
    }
    count
}
