//! The recorded drill, line for line. The figures are microseconds after the job's creation.

use super::*;
use crate::scenario::Scenario;

const DATABASE: [&str; 2] = ["s-51d6b65c73391918f", "s-5c555d9c008f90131"];
const DATABASE_LOG: [(i64, &str, &str); 14] = [
    (357_363, "JOB_START", ""),
    (761_221, "SNAPSHOT_START", DATABASE[0]),
    (786_741, "SNAPSHOT_START", DATABASE[1]),
    (951_705, "SNAPSHOT_END", DATABASE[0]),
    (977_707, "SNAPSHOT_END", DATABASE[1]),
    (52_920_144, "CONVERSION_START", DATABASE[0]),
    (52_946_416, "CONVERSION_START", DATABASE[1]),
    (250_434_163, "CONVERSION_END", DATABASE[0]),
    (250_495_777, "CONVERSION_END", DATABASE[1]),
    (251_007_593, "LAUNCH_START", DATABASE[0]),
    (251_197_202, "LAUNCH_START", DATABASE[1]),
    (529_126_341, "LAUNCH_END", DATABASE[1]),
    (530_527_781, "LAUNCH_END", DATABASE[0]),
    (533_335_104, "JOB_END", ""),
];
const DATABASE_END: i64 = 533_308_786;

const APPLICATION: [&str; 2] = ["s-5817ab4ccdfa96db3", "s-57e730f6102e1f793"];
const APPLICATION_LOG: [(i64, &str, &str); 14] = [
    (303_911, "JOB_START", ""),
    (708_164, "SNAPSHOT_START", APPLICATION[0]),
    (735_762, "SNAPSHOT_START", APPLICATION[1]),
    (888_357, "SNAPSHOT_END", APPLICATION[0]),
    (915_072, "SNAPSHOT_END", APPLICATION[1]),
    (52_092_959, "CONVERSION_START", APPLICATION[0]),
    (52_121_539, "CONVERSION_START", APPLICATION[1]),
    (226_791_956, "CONVERSION_END", APPLICATION[0]),
    (226_852_099, "CONVERSION_END", APPLICATION[1]),
    (227_270_016, "LAUNCH_START", APPLICATION[0]),
    (227_479_552, "LAUNCH_START", APPLICATION[1]),
    (537_139_073, "LAUNCH_END", APPLICATION[0]),
    (537_191_177, "LAUNCH_END", APPLICATION[1]),
    (539_319_892, "JOB_END", ""),
];
const APPLICATION_END: i64 = 539_292_623;

#[test]
fn both_jobs_are_reproduced_to_the_microsecond() {
    let scenario = Scenario::built_in("recorded-drill").unwrap();
    let mut model = Model::new(&scenario.fleet, start());
    // 620.8 s lay between the two calls.
    for (called, servers, log, end) in [
        (at(33), DATABASE, DATABASE_LOG, DATABASE_END),
        (at(654), APPLICATION, APPLICATION_LOG, APPLICATION_END),
    ] {
        let launch = |id: &&str| ServerLaunch {
            server: SourceServerId::parse(id).unwrap(),
            snapshot: None,
        };
        let request = LaunchRequest {
            servers: servers.iter().map(launch).collect(),
            ..drill([])
        };
        let id = model.start_recovery(&place(), &request, called).unwrap().id;
        model.advance(called + SignedDuration::from_secs(600));
        let job = job(&model, &id);
        assert_eq!(told(job), log);
        let ended_at = called + SignedDuration::from_micros(end);
        assert_eq!(job.phase, JobPhase::Completed { ended_at });
    }
}

#[test]
fn the_instances_are_the_recorded_ones() {
    let scenario = Scenario::built_in("recorded-drill").unwrap();
    let mut model = Model::new(&scenario.fleet, start());
    let server = SourceServerId::parse(DATABASE[0]).unwrap();
    let servers = vec![ServerLaunch {
        server,
        snapshot: None,
    }];
    let request = LaunchRequest {
        servers,
        ..drill([])
    };
    model.start_recovery(&place(), &request, start()).unwrap();
    model.advance(at(600));
    let instances: Vec<&str> = estate(&model)
        .recovery_instances()
        .map(|instance| instance.id.as_str())
        .collect();
    assert_eq!(instances, ["i-04506d5ee9a75c1e7"]);
}

fn told(job: &Job) -> Vec<(i64, &'static str, &str)> {
    job.log
        .iter()
        .map(|item| {
            let micros = item.at.duration_since(job.created_at).as_micros();
            let server = item
                .source_server
                .as_ref()
                .map_or("", SourceServerId::as_str);
            (i64::try_from(micros).unwrap(), item.event.name(), server)
        })
        .collect()
}
