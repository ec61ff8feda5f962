//! Load on a whole gateway: real gRPC on loopback, the real journal on disk,
//! a DRS without time. Prints its figures; asserts that nothing was lost.
//!
//! `cargo bench --package tidegate-tests --bench gateway`

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod load;

use load::{Load, Percentiles};

/// What the binary uses.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let load = Load::start();
    let disk = load::raw_appends(1_000);
    print_latency("disk: append and fdatasync alone", &disk);
    println!("workload W: five single-server waves, one planned pause resumed by the client");
    load.run_workload(64, 1_000);
    report("  64 at once", load.run_workload(64, 12_800));
    let alone = load.run_workload(1, 1_000);
    let syncs = alone.latency.p50.as_secs_f64() / disk.p50.as_secs_f64();
    report("  one at a time", alone);
    println!("    p50 in units of one fdatasync (7 are needed): {syncs:.1}");

    println!("watching: one execution, 50 changes a second");
    let (alone, _) = load.run_watchers(0, 500);
    let (watched, deliveries) = load.run_watchers(1_000, 500);
    print_latency("  commit, nobody watches", &alone);
    print_latency("  commit, 1,000 watch", &watched);
    print_latency("  delivery to 1,000 watchers", &deliveries);
    println!(
        "  commit p50 with watchers / without: {:.2}",
        watched.p50.as_secs_f64() / alone.p50.as_secs_f64()
    );
}

fn report(name: &str, outcome: load::Outcome) {
    let rate = outcome.executions as f64 / outcome.elapsed.as_secs_f64();
    println!(
        "{name}: {rate:.0} executions/s, {} in all",
        outcome.executions
    );
    print_latency("    latency", &outcome.latency);
}

fn print_latency(name: &str, latency: &Percentiles) {
    println!(
        "{name}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        latency.p50.as_secs_f64() * 1e3,
        latency.p99.as_secs_f64() * 1e3,
        latency.max.as_secs_f64() * 1e3
    );
}
