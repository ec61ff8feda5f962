//! The fleet, and a plan for each client: a diamond of four waves with a
//! planned pause, over servers that no other client uses.

use tidegate_proto::v1::{
    FailurePolicy, Plan, PlanSpec, ServerGroup, ServerRef, Target, UpdatePlanRequest, WaveSpec,
    plan_service_client::PlanServiceClient,
};

/// Servers of one client.
const SERVERS: usize = 6;
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-west-2";

/// What DRS does besides: answers are lost before and after the work, calls are
/// done late, throttled, refused and broken off, and jobs are listed late.
const FAULTS: &str = include_str!("faults.yaml");

/// The name of a client's plan.
pub(super) fn name(client: usize) -> String {
    format!("chaos-{client}")
}

/// A scenario file. The last server of each client fails its first launches.
pub(super) fn fleet(clients: usize, seed: u64) -> String {
    let mut servers = String::new();
    for number in 0..clients * SERVERS {
        servers += &format!("      - id: {}\n", id(number));
        servers += &format!("        hostname: h{number}.chaos.example\n");
        if number % SERVERS == SERVERS - 1 {
            servers += "        traits: {outcome: {effect: failConversion, launches: 2}}\n";
        }
    }
    let seed = seed % 1_000_000;
    format!(
        "name: chaos\nseed: {seed}\nquotas: {{concurrentJobs: 3, serversPerJob: 100, serversInAllJobs: 500}}\n\
         fleet:\n  - account: \"{ACCOUNT}\"\n    region: {REGION}\n    servers:\n{servers}{FAULTS}"
    )
}

/// Applies every client's plan.
pub(super) async fn apply(address: String, clients: usize) {
    let mut plans = PlanServiceClient::connect(address)
        .await
        .expect("the gateway answers");
    for client in 0..clients {
        let request = UpdatePlanRequest {
            plan: Some(plan(client)),
            allow_missing: true,
            ..UpdatePlanRequest::default()
        };
        plans.update_plan(request).await.expect("it is a plan");
    }
}

fn plan(client: usize) -> Plan {
    let first = client * SERVERS;
    let waves = vec![
        wave("db", &[], &[first, first + 1]),
        wave("left", &["db"], &[first + 2]),
        wave("right", &["db"], &[first + 3]),
        WaveSpec {
            pause_before: true,
            on_failure: FailurePolicy::Pause.into(),
            ..wave("web", &["left", "right"], &[first + 4, first + 5])
        },
    ];
    Plan {
        name: name(client),
        spec: Some(PlanSpec {
            target: Some(Target {
                account: ACCOUNT.to_owned(),
                region: REGION.to_owned(),
                role_arn: String::new(),
            }),
            waves,
            ..PlanSpec::default()
        }),
        ..Plan::default()
    }
}

fn wave(name: &str, after: &[&str], servers: &[usize]) -> WaveSpec {
    let servers = servers.iter().map(|&number| ServerRef {
        id: id(number),
        ..ServerRef::default()
    });
    WaveSpec {
        name: name.to_owned(),
        after: after.iter().map(|&name| name.to_owned()).collect(),
        servers: vec![ServerGroup {
            servers: servers.collect(),
            ..ServerGroup::default()
        }],
        ..WaveSpec::default()
    }
}

fn id(number: usize) -> String {
    format!("s-{number:017x}")
}
