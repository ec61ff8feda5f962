//! What following costs and adds, over the phases of the recorded drill: the
//! schedule and what is learned, without a driver and without time.

use std::time::Duration;

use tidegate_core::Span;

use super::schedule::{Lasted, Phase, PollBounds};

const BOUNDS: PollBounds = PollBounds {
    min: Duration::from_secs(1),
    max: Duration::from_secs(30),
};
/// What a job passes, and how long it takes, in milliseconds: two small Linux
/// servers in December 2022. The last is from the end of the launch to that
/// of the job.
const COURSE: [(Phase, u64); 5] = [
    (Phase::Requested, 800),
    (Phase::Snapshot, 52_000),
    (Phase::Conversion, 197_500),
    (Phase::Launch, 279_500),
    (Phase::Closing, 2_800),
];
/// Looks of a fixed poll of 30 s by each of ten executions of its own.
const FIXED: usize = 10 * 533 / 30;

/// When a job began, and how much longer or shorter it takes, in per mille.
type Job = (u64, u64);

#[test]
fn ten_executions_at_once_cost_less_than_a_fixed_poll_of_each_and_wait_under_two_seconds() {
    let jobs: Vec<Job> = (0..10).map(|n| (n * 700, 950 + n * 10)).collect();
    let seen = follow(&jobs, true);
    assert!(seen.looks <= FIXED, "{} looks", seen.looks);
    assert!(seen.mean_lag() < 2_000, "{} ms", seen.mean_lag());
}

#[test]
fn the_first_jobs_of_a_process_cost_little_more_and_wait_little_longer() {
    let jobs: Vec<Job> = (0..10).map(|n| (n * 700, 950 + n * 10)).collect();
    let seen = follow(&jobs, false);
    assert!(seen.looks <= FIXED * 5 / 4, "{} looks", seen.looks);
    assert!(seen.mean_lag() < 2_000, "{} ms", seen.mean_lag());
}

#[test]
fn a_lone_execution_is_not_polled_as_if_it_were_ten() {
    let seen = follow(&[(0, 1_000)], true);
    assert!(seen.looks <= 70, "{} looks", seen.looks);
    assert!(seen.mean_lag() < 2_000, "{} ms", seen.mean_lag());
}

#[test]
fn a_job_that_is_a_fifth_faster_than_all_before_is_seen_no_later_than_by_a_slow_poll() {
    let seen = follow(&[(0, 800)], true);
    assert!(seen.mean_lag() < 20_000, "{} ms", seen.mean_lag());
}

struct Cost {
    looks: usize,
    lags: Vec<u64>,
}

impl Cost {
    fn mean_lag(&self) -> u64 {
        self.lags.iter().sum::<u64>() / u64::try_from(self.lags.len()).unwrap()
    }
}

/// Follows jobs of one place to their ends.
fn follow(jobs: &[Job], learned: bool) -> Cost {
    let mut now = 0;
    let mut cost = Cost {
        looks: 0,
        lags: Vec::new(),
    };
    // Began to be followed, phase as seen, since when, next look.
    let mut open: Vec<(Job, Phase, u64, u64)> = jobs
        .iter()
        .map(|job| (*job, Phase::Requested, job.0, job.0 + 5_000))
        .collect();
    while let Some(next) = open.iter().map(|(.., next)| *next).min() {
        now = next.max(now);
        cost.looks += 1;
        open.retain_mut(|(job, phase, since, next)| {
            if now < job.0 {
                return true;
            }
            let Some(is) = phase_of(*job, now) else {
                cost.lags.push(now - end_of(*job));
                return false;
            };
            if is != *phase {
                (*phase, *since) = (is, now);
            }
            let known = if learned { known(*phase) } else { Vec::new() };
            let lasted = Lasted {
                phase: Span::from_millis(now - *since),
                job: Span::from_millis(now - job.0),
            };
            *next = now + BOUNDS.wait(*phase, lasted, &known).as_millis();
            true
        });
    }
    cost
}

/// What three earlier jobs took.
fn known(phase: Phase) -> Vec<Span> {
    if phase == Phase::Closing {
        return Vec::new();
    }
    let (_, took) = COURSE[phase as usize];
    let earlier = [970, 1_000, 1_030].into_iter();
    earlier
        .map(|part| Span::from_millis(took * part / 1_000))
        .collect()
}

fn phase_of((began, part): Job, now: u64) -> Option<Phase> {
    let mut at = began;
    for (phase, took) in COURSE {
        at += took * part / 1_000;
        if now < at {
            return Some(phase);
        }
    }
    None
}

fn end_of((began, part): Job) -> u64 {
    let all = COURSE.iter().map(|(_, took)| took * part / 1_000);
    began + all.sum::<u64>()
}
