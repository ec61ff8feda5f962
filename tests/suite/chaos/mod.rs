//! Chaos: the real gateway in front of a DRS that misbehaves, killed again and
//! again while clients steer and watch. What was acknowledged must have taken
//! effect, and nothing may be launched twice.
//!
//! The dice are seeded and printed; instants are not ours to repeat, so a seed
//! gives the same plan of attack and not the same run.
//! `TIDEGATE_CHAOS_SEED=N cargo test -p tidegate-tests --test suite chaos`

mod client;
mod cluster;
mod dice;
mod doors;
mod evidence;
mod gateways;
mod harm;
mod plans;
mod replicas;
mod takeovers;
mod watchers;

use std::{sync::Arc, time::Duration};

use tidegate_emulator::{Emulator, Scenario, faults::Faults};

use self::{
    client::{Client, Ledger},
    dice::Dice,
    evidence::Evidence,
    gateways::{Gateways, Pulse},
    watchers::Everything,
};
use super::scenarios::kill_and_resume::serve;

/// Clients at a time; each has servers and a plan of its own.
const CLIENTS: usize = 6;
/// How often the gateway is killed.
const KILLS: usize = 50;
/// Most things that are heard between two kills.
const LIFE: usize = 300;
/// The whole of it, far above what it takes.
const BOUND: Duration = Duration::from_secs(600);
/// Emulated seconds per second: a job takes less than a second.
const SPEED: f64 = 900.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_kills_lose_nothing_and_launch_nothing_twice() {
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
    let pulse = Arc::new(Pulse::default());
    let mut gateways = Gateways::start(&drs.address).await;
    let mut doors = gateways.doors(&mut dice);
    plans::apply(doors.next(), CLIENTS).await;

    let everything = Everything::watch(doors.for_another(), Arc::clone(&pulse));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let client = Client::new(number, &mut dice, doors.for_another(), Arc::clone(&pulse));
            tokio::spawn(client.work(gateways.storm()))
        })
        .collect();
    for _ in 0..KILLS {
        pulse.beats(1 + dice.below(LIFE)).await;
        gateways.kill_and_start().await;
    }
    let fired = end_faults(&drs.emulator);
    gateways.calm();

    let mut ledgers: Vec<Ledger> = Vec::new();
    for client in clients {
        ledgers.push(client.await.expect("a client keeps its own records"));
    }
    let evidence = Evidence::gather(doors.next(), &ledgers).await;
    for ledger in &ledgers {
        evidence.every_answer_took_effect(ledger);
        evidence.every_watcher_saw_everything_once(ledger);
    }
    evidence.every_execution_ended();
    evidence.what_was_seen_of_all_is_in_the_logs(&everything.stop().await);
    evidence.nothing_was_launched_twice(&drs.emulator);
    println!("{KILLS} kills: {evidence}, {fired} faults at DRS");
}

/// From now on DRS behaves; how often it has not.
fn end_faults(drs: &Emulator) -> u64 {
    let fired = drs.with_faults(|_, plan| plan.counts().map(|count| count.fired).sum());
    assert!(fired > 0, "DRS has misbehaved");
    drs.set_faults(Faults::none());
    fired
}
