//! The drill that was recorded on AWS in December 2022, run again: what DRS
//! does is the recording's, what is added to it is ours.

use tidegate_emulator::{Emulator, model};
use tidegate_proto::v1::{ExecutionKind, ExecutionState};
use tidegate_tests::process::{last_line, run, sample};

use super::{
    kill_and_resume::{emulator, gateway},
    watching::{Watcher, get},
};

/// Seconds of the recorded run, of which the jobs took [`RECORDED_JOBS`].
const RECORDED_RUN: f64 = 1_244.2;
/// Seconds inside the two recorded jobs.
const RECORDED_JOBS: f64 = 1_072.6;
/// Emulated seconds per second.
const SPEED: f64 = 30.0;
/// The most that orchestration may add, as a part of what the jobs take; 0.007
/// was measured beside other work. What a busy machine adds is real time, which
/// counts [`SPEED`]-fold here: this is one second of it.
const MOST_ADDED: f64 = 0.03;

#[tokio::test(flavor = "multi_thread")]
async fn the_recorded_drill_takes_what_drs_takes_and_little_more() {
    let served = emulator("recorded-drill", SPEED).await;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let gateway = gateway(&data, &served.address);
    let plan = sample("recorded-drill.yaml");
    assert!(
        run(&["plan", "apply", &plan], gateway.address())
            .status
            .success()
    );

    let began = served.emulator.now();
    let id = last_line(
        &["drill", "start", "recorded-drill", "-o", "name"],
        gateway.address(),
    );
    let mut watcher = Watcher::new(&id);
    watcher.connect(gateway.address()).await;
    watcher.read_to_end().await;
    let run = (served.emulator.now() - began)
        .total(jiff::Unit::Second)
        .expect("seconds");

    assert_eq!(watcher.state, ExecutionState::Succeeded);
    let execution = get(gateway.address(), &id).await;
    assert_eq!(execution.kind(), ExecutionKind::Drill);
    let jobs = jobs(&served.emulator);
    assert_eq!(jobs.len(), 2);
    let inside: f64 = jobs.iter().map(|job| job.seconds).sum();
    println!("server               phase               recorded      now");
    for (job, rows) in jobs.iter().zip(RECORDED) {
        assert_eq!(job.events.len(), rows.len(), "{:?}", job.events);
        for (server, phase, then) in rows {
            let now = job.at(server, phase);
            println!("{server:<20} {phase:<16} {then:>11.3} {now:>8.3}");
            assert!((now - then).abs() < 0.01, "{phase}: {now} for {then}");
        }
    }
    let added = run - inside;
    println!(
        "{:<37} {RECORDED_JOBS:>11.3} {inside:>8.3}",
        "inside the jobs"
    );
    println!(
        "{:<37} {:>11.3} {added:>8.3}",
        "added by orchestration",
        RECORDED_RUN - RECORDED_JOBS
    );
    assert!((inside - RECORDED_JOBS).abs() < 0.2, "{inside}");
    assert!(added < MOST_ADDED * inside, "{added}");
}

/// What a job's log says: the server, or "" for the job itself, the phase, and
/// the seconds after the job's creation.
type Row = (&'static str, &'static str, f64);

/// The logs of the two jobs, as recorded.
const RECORDED: [&[Row]; 2] = [
    &[
        ("", "JOB_START", 0.357),
        ("s-51d6b65c73391918f", "SNAPSHOT_START", 0.761),
        ("s-51d6b65c73391918f", "SNAPSHOT_END", 0.952),
        ("s-51d6b65c73391918f", "CONVERSION_START", 52.920),
        ("s-51d6b65c73391918f", "CONVERSION_END", 250.434),
        ("s-51d6b65c73391918f", "LAUNCH_START", 251.008),
        ("s-51d6b65c73391918f", "LAUNCH_END", 530.528),
        ("s-5c555d9c008f90131", "SNAPSHOT_START", 0.787),
        ("s-5c555d9c008f90131", "SNAPSHOT_END", 0.978),
        ("s-5c555d9c008f90131", "CONVERSION_START", 52.946),
        ("s-5c555d9c008f90131", "CONVERSION_END", 250.496),
        ("s-5c555d9c008f90131", "LAUNCH_START", 251.197),
        ("s-5c555d9c008f90131", "LAUNCH_END", 529.126),
        ("", "JOB_END", 533.335),
    ],
    &[
        ("", "JOB_START", 0.304),
        ("s-5817ab4ccdfa96db3", "SNAPSHOT_START", 0.708),
        ("s-5817ab4ccdfa96db3", "SNAPSHOT_END", 0.888),
        ("s-5817ab4ccdfa96db3", "CONVERSION_START", 52.093),
        ("s-5817ab4ccdfa96db3", "CONVERSION_END", 226.792),
        ("s-5817ab4ccdfa96db3", "LAUNCH_START", 227.270),
        ("s-5817ab4ccdfa96db3", "LAUNCH_END", 537.139),
        ("s-57e730f6102e1f793", "SNAPSHOT_START", 0.736),
        ("s-57e730f6102e1f793", "SNAPSHOT_END", 0.915),
        ("s-57e730f6102e1f793", "CONVERSION_START", 52.122),
        ("s-57e730f6102e1f793", "CONVERSION_END", 226.852),
        ("s-57e730f6102e1f793", "LAUNCH_START", 227.480),
        ("s-57e730f6102e1f793", "LAUNCH_END", 537.191),
        ("", "JOB_END", 539.320),
    ],
];

struct Job {
    seconds: f64,
    /// Server, phase and seconds, as in a [`Row`].
    events: Vec<(String, String, f64)>,
}

impl Job {
    /// When a phase of a server began or ended, in seconds after the job's
    /// creation.
    fn at(&self, server: &str, phase: &str) -> f64 {
        let mut events = self.events.iter();
        let found = events.find(|(of, event, _)| of == server && event == phase);
        found.expect("the job has this phase").2
    }
}

fn jobs(emulator: &Emulator) -> Vec<Job> {
    emulator.with_model(|model, _| {
        let places: Vec<_> = model.places().cloned().collect();
        let estates = places.iter().filter_map(|place| model.estate(place).ok());
        estates.flat_map(|estate| estate.jobs()).map(read).collect()
    })
}

fn read(job: &model::Job) -> Job {
    let since = |at: jiff::Timestamp| {
        (at - job.created_at)
            .total(jiff::Unit::Second)
            .expect("seconds")
    };
    let model::JobPhase::Completed { ended_at } = job.phase else {
        panic!("job {} has not ended", job.id);
    };
    Job {
        seconds: since(ended_at),
        events: job
            .log
            .iter()
            .map(|item| {
                let server = item.source_server.as_ref();
                let server = server.map(ToString::to_string).unwrap_or_default();
                (server, item.event.name().to_owned(), since(item.at))
            })
            .collect(),
    }
}
