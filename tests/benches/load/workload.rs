//! Workload W: start; durable steps; wait for a word; further steps; done.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tidegate_proto::v1::{
    ExecutionKind, ExecutionState, Plan, PlanSpec, ResumeRequest, ServerGroup, ServerRef,
    StartExecutionRequest, Target, UpdatePlanRequest, WatchEndReason, WatchRequest, WaveSpec,
    change::Kind, execution_service_client::ExecutionServiceClient,
    plan_service_client::PlanServiceClient, watch_response::Message,
};
use tonic::transport::Channel;

use super::{Load, Percentiles};

/// What a run came to.
pub(crate) struct Outcome {
    pub(crate) executions: usize,
    pub(crate) elapsed: Duration,
    pub(crate) latency: Percentiles,
}

impl Load {
    /// Runs `total` executions, `at_once` at a time, each to its end.
    pub(crate) fn run_workload(&self, at_once: usize, total: usize) -> Outcome {
        self.runtime.block_on(async {
            // HTTP/2 carries all clients on one connection; more would mean
            // more system calls for the same work.
            let channel = self.connect().await;
            for worker in 0..at_once {
                apply(&channel, plan(worker)).await;
            }
            let left = Arc::new(AtomicUsize::new(total));
            let began = Instant::now();
            let workers: Vec<_> = (0..at_once)
                .map(|worker| tokio::spawn(work(worker, channel.clone(), Arc::clone(&left))))
                .collect();
            let mut latencies = Vec::with_capacity(total);
            for worker in workers {
                latencies.extend(worker.await.expect("a worker ends well"));
            }
            assert_eq!(latencies.len(), total, "every execution came to its end");
            Outcome {
                executions: total,
                elapsed: began.elapsed(),
                latency: Percentiles::of(latencies),
            }
        })
    }

    /// Runs a plan once, to its end.
    pub(crate) fn run_plan(&self, plan: Plan) {
        self.runtime.block_on(async {
            let channel = self.connect().await;
            let name = plan.name.clone();
            apply(&channel, plan).await;
            run(&mut ExecutionServiceClient::new(channel), &name).await;
        });
    }

    /// Starts executions of so many servers that pause before they launch any,
    /// and stay so.
    pub(crate) fn pause_many(&self, executions: usize, of: usize) {
        self.runtime.block_on(async {
            let channel = self.connect().await;
            let mut client = ExecutionServiceClient::new(channel.clone());
            for number in 0..executions {
                let name = format!("paused-{number}");
                let wave = WaveSpec {
                    name: "all".to_owned(),
                    servers: vec![servers(number * of..(number + 1) * of)],
                    pause_before: true,
                    ..WaveSpec::default()
                };
                apply(&channel, plan_of(name.clone(), vec![wave])).await;
                start(&mut client, &name).await;
            }
        });
    }

    /// Lets the gateway go on for so long.
    pub(crate) fn let_pass(&self, time: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(time).await });
    }

    pub(super) async fn connect(&self) -> Channel {
        let endpoint = Channel::from_shared(self.address.clone()).expect("an address");
        endpoint.connect().await.expect("the gateway answers")
    }
}

async fn work(worker: usize, channel: Channel, left: Arc<AtomicUsize>) -> Vec<Duration> {
    let mut client = ExecutionServiceClient::new(channel);
    let mut latencies = Vec::new();
    let take = |left: usize| left.checked_sub(1);
    while left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
        .is_ok()
    {
        let began = Instant::now();
        run(&mut client, &name(worker)).await;
        latencies.push(began.elapsed());
    }
    latencies
}

async fn run(client: &mut ExecutionServiceClient<Channel>, plan: &str) {
    let execution = start(client, plan).await;
    let watch = WatchRequest {
        execution: execution.clone(),
        after_revision: None,
    };
    let mut stream = client.watch(watch).await.expect("a stream").into_inner();
    let mut resumed = false;
    let mut state = ExecutionState::Pending;
    while let Some(message) = stream.message().await.expect("no error") {
        match message.message.expect("a message") {
            Message::Header(header) => {
                let snapshot = header.snapshot.expect("a snapshot");
                state = snapshot.state();
            }
            Message::Commit(commit) => {
                for change in commit.changes {
                    if let Some(Kind::Execution(moved)) = change.kind {
                        state = moved.state();
                    }
                }
            }
            // Read on: a stream that is left before its end is reset.
            Message::End(end) => assert_eq!(end.reason(), WatchEndReason::ExecutionEnded),
            Message::Bookmark(_) => {}
        }
        if state == ExecutionState::Paused && !resumed {
            resumed = true;
            let request = ResumeRequest {
                execution: execution.clone(),
                ..ResumeRequest::default()
            };
            client.resume(request).await.expect("it can be resumed");
        }
    }
    assert_eq!(state, ExecutionState::Succeeded);
}

pub(super) async fn start(client: &mut ExecutionServiceClient<Channel>, plan: &str) -> String {
    static REQUESTS: AtomicUsize = AtomicUsize::new(0);
    let request = StartExecutionRequest {
        plan: plan.to_owned(),
        plan_revision: 0,
        kind: ExecutionKind::Drill.into(),
        request_id: format!("load-{}", REQUESTS.fetch_add(1, Ordering::Relaxed)),
    };
    let answer = client.start_execution(request).await.expect("it starts");
    answer.into_inner().execution.expect("an execution").id
}

pub(super) async fn apply(channel: &Channel, plan: Plan) {
    let mut plans = PlanServiceClient::new(channel.clone());
    let request = UpdatePlanRequest {
        plan: Some(plan),
        allow_missing: true,
        ..UpdatePlanRequest::default()
    };
    plans
        .update_plan(request)
        .await
        .expect("the plan is stored");
}

fn name(worker: usize) -> String {
    format!("w-{worker}")
}

/// Five single-server waves in a row, a planned pause before the fourth.
/// Every worker has servers of its own: a server is in one execution at a
/// time.
fn plan(worker: usize) -> Plan {
    let waves = (0..5).map(|wave| WaveSpec {
        name: format!("wave-{wave}"),
        after: (wave > 0)
            .then(|| format!("wave-{}", wave - 1))
            .into_iter()
            .collect(),
        servers: vec![servers([worker * 5 + wave])],
        pause_before: wave == 3,
        ..WaveSpec::default()
    });
    plan_of(name(worker), waves.collect())
}

pub(crate) fn plan_of(name: String, waves: Vec<WaveSpec>) -> Plan {
    let target = Target {
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        role_arn: String::new(),
    };
    Plan {
        name,
        spec: Some(PlanSpec {
            target: Some(target),
            waves,
            ..PlanSpec::default()
        }),
        ..Plan::default()
    }
}

pub(super) fn servers(numbers: impl IntoIterator<Item = usize>) -> ServerGroup {
    let servers = numbers.into_iter().map(|number| ServerRef {
        id: format!("s-{number:017x}"),
        ..ServerRef::default()
    });
    ServerGroup {
        servers: servers.collect(),
        ..ServerGroup::default()
    }
}
