//! What the orchestrator adds to a recovery, and what it asks DRS for that:
//! the drill that was recorded on AWS, in virtual time, so that the figures
//! are exact. Prints them beside fixed polls.
//!
//! `cargo bench --package tidegate-tests --bench recovery_time`

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::time::Duration;

use tidegate_gateway::driver::{DriverSettings, PollBounds};
use tidegate_tests::recorded_drills::{Cost, Drills, Polling};

const FIVE: PollBounds = PollBounds::fixed(Duration::from_secs(5));
const THIRTY: PollBounds = PollBounds::fixed(Duration::from_secs(30));

fn main() {
    println!("The recorded drill: two waves of two servers, no hooks. Seconds; calls of DRS.");
    for count in [1, 10] {
        for jitter in [0.0, 0.05] {
            table(count, jitter);
        }
    }
}

fn table(count: usize, jitter: f64) {
    let timings = if jitter > 0.0 {
        format!(
            "every phase up to {:.0} % shorter or longer",
            jitter * 100.0
        )
    } else {
        "timings exactly as recorded".to_owned()
    };
    println!("\n{count} at a time, {timings}");
    println!(
        "{:<42} {:>9} {:>8} {:>9} {:>8} {:>12} {:>9}",
        "polling", "in jobs", "added", "per wave", "worst", "DescribeJobs", "log pages"
    );
    let learned = |before| Drills {
        before,
        ..drills(count, DriverSettings::default().poll, jitter)
    };
    row("adaptive, first in its process", learned(0));
    row("adaptive, second in its process", learned(1));
    row("adaptive, fourth in its process", learned(3));
    row("fixed 5 s", drills(count, FIVE, jitter));
    row("fixed 30 s", drills(count, THIRTY, jitter));
    if count > 1 {
        let each = Drills {
            polling: Polling::Each,
            ..drills(count, THIRTY, jitter)
        };
        row("fixed 30 s, each polling for itself", each);
    }
}

fn drills(count: usize, poll: PollBounds, jitter: f64) -> Drills {
    Drills {
        count,
        poll,
        polling: Polling::Together,
        jitter,
        before: 0,
    }
}

fn row(name: &str, drills: Drills) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let cost: Cost = runtime.block_on(drills.run());
    println!(
        "{name:<42} {:>9.1} {:>8.1} {:>9.2} {:>8.1} {:>12} {:>9}",
        cost.inside.as_secs_f64(),
        cost.added.as_secs_f64(),
        cost.added_per_wave(),
        cost.worst.as_secs_f64(),
        cost.calls.jobs,
        cost.calls.log_items,
    );
}
