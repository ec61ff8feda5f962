//! What a gateway of a cluster asks of its table while every execution waits
//! for a person.

use std::time::{Duration, Instant};

use tidegate_gateway::{
    Gateway,
    adapters::journal_dynamodb::{DynamoJournal, Usage},
    ports::journal::Journal as _,
};
use tidegate_proto::v1::{
    ExecutionKind, ExecutionState, GetExecutionRequest, Plan, PlanSpec, ServerGroup, ServerRef,
    StartExecutionRequest, Target, UpdatePlanRequest, WaveSpec,
    execution_service_client::ExecutionServiceClient, plan_service_client::PlanServiceClient,
};
use tidegate_tests::{dynamodb::DynamoDbLocal, gateway, sketch};
use tonic::transport::Channel;

const EXECUTIONS: usize = 20;
/// Of each execution, named by id.
const SERVERS: usize = 60;
const BEAT: Duration = Duration::from_millis(250);
/// Beats that are counted, each with a list of the unfinished executions.
const BEATS: u64 = 6;
/// Dollars for a million read request units, on demand, us-east-1
/// (<https://aws.amazon.com/dynamodb/pricing/on-demand/>, November 2026).
const READS: f64 = 0.125;
/// Lists of a month of 730 hours, at the default `cluster.sweep`.
const LISTS: f64 = 730.0 * 60.0;
/// What README.md and docs/first-drill.md say that 1,000 such executions cost
/// each gateway a month, in dollars.
const DOCUMENTED: f64 = 2.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_that_wait_cost_a_list_of_them_now_and_then_and_no_writes() {
    let local = DynamoDbLocal::shared().await;
    let settings = local.table().await;
    let journal = DynamoJournal::open(settings.clone()).await.unwrap();
    let other = DynamoJournal::open(settings).await.unwrap();
    let gateway = gateway::member_with(journal.clone(), |config| {
        config.cluster.lease = (BEAT * 4).into();
        config.cluster.sweep = Duration::from_millis(1).into();
    })
    .await;
    pause_many(&gateway).await;

    let (began, before) = (Instant::now(), journal.usage());
    let used = loop {
        tokio::time::sleep(BEAT / 5).await;
        let used = journal.usage().since(&before);
        if used.updates + used.puts >= BEATS {
            break used;
        }
    };
    let most = began.elapsed().div_duration_f64(BEAT) + 1.0;
    assert!(
        used.updates as f64 <= most,
        "{used:?}: more than {most} beats"
    );
    let others = (used.puts, used.deletes, used.transactions);
    assert_eq!(others, (0, 0, 0), "{used:?}");

    let listed = listing(&other).await;
    let month = listed.read_units / EXECUTIONS as f64 * 1_000.0 * LISTS * READS / 1e6;
    assert!(month <= DOCUMENTED && month > DOCUMENTED / 2.0, "${month}");
    gateway.shut_down().await;
}

/// One list of everything that is not over.
async fn listing(journal: &DynamoJournal) -> Usage {
    let before = journal.usage();
    let live = journal.heads(None, true, 1_000).await.unwrap();
    assert_eq!(live.len(), EXECUTIONS);
    journal.usage().since(&before)
}

/// Starts executions that pause at once, each of a plan of its own.
async fn pause_many(gateway: &Gateway) {
    let endpoint = Channel::from_shared(format!("http://{}", gateway.address())).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut plans = PlanServiceClient::new(channel.clone());
    let mut executions = ExecutionServiceClient::new(channel);
    for number in 0..EXECUTIONS {
        let plan = plan(number);
        let request = StartExecutionRequest {
            plan: plan.name.clone(),
            kind: ExecutionKind::Drill.into(),
            request_id: plan.name.clone(),
            ..StartExecutionRequest::default()
        };
        let update = UpdatePlanRequest {
            plan: Some(plan),
            allow_missing: true,
            ..UpdatePlanRequest::default()
        };
        plans.update_plan(update).await.unwrap();
        let started = executions.start_execution(request).await.unwrap();
        let mut execution = started.into_inner().execution.unwrap();
        while execution.state() != ExecutionState::Paused {
            let request = GetExecutionRequest {
                execution: execution.id.clone(),
            };
            let got = executions.get_execution(request).await.unwrap();
            execution = got.into_inner().execution.unwrap();
        }
    }
}

fn plan(number: usize) -> Plan {
    let servers = (0..SERVERS).map(|server| ServerRef {
        id: sketch::server(1 + number * SERVERS + server),
        ..ServerRef::default()
    });
    let group = ServerGroup {
        servers: servers.collect(),
        ..ServerGroup::default()
    };
    let wave = WaveSpec {
        name: "all".to_owned(),
        servers: vec![group],
        pause_before: true,
        ..WaveSpec::default()
    };
    let target = Target {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        role_arn: String::new(),
    };
    Plan {
        name: format!("waits-{number}"),
        spec: Some(PlanSpec {
            target: Some(target),
            waves: vec![wave],
            ..PlanSpec::default()
        }),
        ..Plan::default()
    }
}
