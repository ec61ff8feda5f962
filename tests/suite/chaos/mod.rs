//! Chaos: the real gateway in front of a DRS that misbehaves, killed again and
//! again while clients steer and watch. What was acknowledged must have taken
//! effect, and nothing may be launched twice.
//!
//! The dice are seeded and printed; instants are not ours to repeat, so a seed
//! gives the same plan of attack and not the same run.
//! `TIDEGATE_CHAOS_SEED=N cargo test -p tidegate-tests --test suite chaos`

mod client;
mod cluster;
mod crowd;
mod dice;
mod doors;
mod evidence;
mod gateways;
mod harm;
mod plans;
mod replicas;
mod takeovers;
mod watchers;

use std::time::Duration;

use tidegate_emulator::{Emulator, Scenario, faults::Faults};

use self::{crowd::Crowd, dice::Dice, evidence::Evidence, gateways::Gateways};
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
    let mut gateways = Gateways::start(&drs.address).await;
    let mut doors = gateways.doors(&mut dice);
    plans::apply(doors.next(), CLIENTS).await;

    let crowd = Crowd::gather(CLIENTS, &mut dice, &mut doors, &gateways.storm());
    for _ in 0..KILLS {
        crowd.pulse.beats(1 + dice.below(LIFE)).await;
        gateways.kill_and_start().await;
    }
    let fired = end_faults(&drs.emulator);
    gateways.calm();

    let told = crowd.end(&doors).await;
    let evidence = Evidence::gather(doors.next(), &told.ledgers).await;
    told.agrees_with(&evidence, &drs.emulator);
    println!("{KILLS} kills: {evidence}, {fired} faults at DRS");
}

/// From now on DRS behaves; how often it has not.
fn end_faults(drs: &Emulator) -> u64 {
    let fired = drs.with_faults(|_, plan| plan.counts().map(|count| count.fired).sum());
    assert!(fired > 0, "DRS has misbehaved");
    drs.set_faults(Faults::none());
    fired
}
