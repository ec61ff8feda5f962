//! What the orchestrator adds to the recorded drill stays under two seconds a
//! wave, for no more calls of `DescribeJobs` than ten executions make that
//! poll every 30 s, each for itself, as the system does that Tidegate
//! replaces. `cargo bench --package tidegate-tests --bench recovery_time`
//! prints the figures.

use std::time::Duration;

use tidegate_gateway::driver::{DriverSettings, PollBounds};
use tidegate_tests::recorded_drills::{Cost, Drills, Polling};

#[test]
fn ten_drills_wait_under_two_seconds_a_wave_for_no_more_calls_than_ten_fixed_polls() {
    for jitter in [0.0, 0.05] {
        let fixed = run(Drills {
            poll: PollBounds::fixed(Duration::from_secs(30)),
            polling: Polling::Each,
            ..adaptive(10, jitter)
        });
        for before in [0, 1, 3] {
            let cost = run(Drills {
                before,
                ..adaptive(10, jitter)
            });
            let what = format!("{before} rounds before, jitter {jitter}: {cost:?}");
            assert!(cost.added_per_wave() < 2.0, "{what}");
            assert!(cost.calls.jobs <= fixed.calls.jobs, "{what}, {fixed:?}");
        }
    }
}

#[test]
fn a_drill_alone_waits_under_two_seconds_a_wave() {
    for before in [0, 1] {
        let cost = run(Drills {
            before,
            ..adaptive(1, 0.0)
        });
        let inside = cost.inside.as_secs_f64();
        assert!((inside - 1_072.6).abs() < 0.1, "as recorded: {inside}");
        assert!(cost.added_per_wave() < 2.0, "{before} before: {cost:?}");
    }
}

fn adaptive(count: usize, jitter: f64) -> Drills {
    Drills {
        count,
        poll: DriverSettings::default().poll,
        polling: Polling::Together,
        jitter,
        before: 0,
    }
}

/// In virtual time.
fn run(drills: Drills) -> Cost {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(drills.run())
}
