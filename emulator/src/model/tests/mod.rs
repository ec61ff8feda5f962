//! The model's behaviour, as facts. Each file is a family of facts; the fixtures are below.

mod flaws;
mod job_faults;
mod launching;
mod recorded_drill;
mod tagging;
mod terminating;
mod time;
mod workloads;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;

/// 1 March 2026.
fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn place() -> Place {
    Place {
        account: AccountId::parse("123456789012").unwrap(),
        region: Region::parse("us-west-2").unwrap(),
    }
}

fn server_id(number: usize) -> SourceServerId {
    SourceServerId::parse(&format!("s-{number:017}")).unwrap()
}

/// So many healthy servers, numbered from zero.
fn specs(count: usize) -> Vec<ServerSpec> {
    (0..count)
        .map(|n| ServerSpec::new(server_id(n), format!("host-{n}")))
        .collect()
}

fn fleet(specs: Vec<ServerSpec>) -> Fleet {
    Fleet {
        seed: Seed(42),
        quotas: Quotas::default(),
        names_recovery_instances: false,
        loopback: None,
        servers: BTreeMap::from([(place(), specs)]),
    }
}

fn model(servers: usize) -> Model {
    Model::new(&fleet(specs(servers)), start())
}

/// A model of one server that does something else than launch.
fn model_with(effect: Effect, launches: Option<u32>) -> Model {
    let outcome = Some(Outcome { effect, launches });
    let spec = ServerSpec {
        outcome,
        ..specs(1).remove(0)
    };
    Model::new(&fleet(vec![spec]), start())
}

fn drill(numbers: impl IntoIterator<Item = usize>) -> LaunchRequest {
    let launch = |number| ServerLaunch {
        server: server_id(number),
        snapshot: None,
    };
    LaunchRequest {
        servers: numbers.into_iter().map(launch).collect(),
        purpose: Purpose::Drill,
        tags: Tags::new(),
    }
}

/// Starts a drill and returns its job.
fn start_drill(
    model: &mut Model,
    numbers: impl IntoIterator<Item = usize>,
    seconds: i64,
) -> Result<JobId, Refusal> {
    model
        .start_recovery(&place(), &drill(numbers), at(seconds))
        .map(|job| job.id)
}

fn estate(model: &Model) -> &Estate {
    model.estate(&place()).unwrap()
}

fn job<'a>(model: &'a Model, id: &JobId) -> &'a Job {
    estate(model).job(id).unwrap()
}

fn events(model: &Model, id: &JobId) -> Vec<&'static str> {
    job(model, id)
        .log
        .iter()
        .map(|item| item.event.name())
        .collect()
}

fn statuses(model: &Model, id: &JobId) -> Vec<LaunchStatus> {
    job(model, id)
        .participants
        .iter()
        .map(|participant| participant.status)
        .collect()
}

/// Every server is held by exactly the live job that it takes part in, and every instance belongs
/// to a server.
fn assert_consistent(model: &Model) {
    for place in model.places() {
        let estate = model.estate(place).unwrap();
        for server in estate.source_servers() {
            let live: Vec<&JobId> = estate
                .jobs()
                .iter()
                .filter(|job| job.is_live())
                .filter(|job| {
                    job.participants
                        .iter()
                        .any(|p| p.source_server == server.spec.id)
                })
                .map(|job| &job.id)
                .collect();
            assert!(live.len() <= 1, "{} is in {live:?}", server.spec.id);
            assert_eq!(server.live_job.as_ref(), live.first().copied());
        }
        for instance in estate.recovery_instances() {
            assert!(estate.source_server(&instance.source_server).is_some());
        }
        for job in estate.jobs() {
            assert!(
                job.log.is_sorted_by_key(|item| item.at),
                "the log of {} is in order",
                job.id
            );
        }
    }
}
