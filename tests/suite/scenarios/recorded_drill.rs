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
    println!("phase                       recorded      now");
    for (job, recorded) in jobs.iter().zip(RECORDED) {
        for (phase, then) in recorded {
            let now = job.at(phase);
            println!("{phase:<26} {then:>9.1} {now:>8.1}");
            assert!((now - then).abs() < 0.1, "{phase}: {now} for {then}");
        }
    }
    let added = run - inside;
    println!("inside the jobs            {RECORDED_JOBS:>9.1} {inside:>8.1}");
    println!(
        "added by orchestration     {:>9.1} {added:>8.1}",
        RECORDED_RUN - RECORDED_JOBS
    );
    assert!((inside - RECORDED_JOBS).abs() < 0.2, "{inside}");
    assert!(added < RECORDED_RUN - RECORDED_JOBS, "{added}");
}

/// Seconds after each job's creation, of the first server, as recorded.
const RECORDED: [[(&str, f64); 6]; 2] = [
    [
        ("SNAPSHOT_START", 0.8),
        ("SNAPSHOT_END", 1.0),
        ("CONVERSION_START", 52.9),
        ("CONVERSION_END", 250.4),
        ("LAUNCH_START", 251.0),
        ("LAUNCH_END", 529.1),
    ],
    [
        ("SNAPSHOT_START", 0.7),
        ("SNAPSHOT_END", 0.9),
        ("CONVERSION_START", 52.1),
        ("CONVERSION_END", 226.8),
        ("LAUNCH_START", 227.3),
        ("LAUNCH_END", 537.1),
    ],
];

struct Job {
    seconds: f64,
    events: Vec<(String, f64)>,
}

impl Job {
    /// When a phase first began or ended, in seconds after the job's creation.
    fn at(&self, phase: &str) -> f64 {
        let found = self.events.iter().find(|(event, _)| event == phase);
        found.expect("the job has this phase").1
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
            .map(|item| (item.event.name().to_owned(), since(item.at)))
            .collect(),
    }
}
