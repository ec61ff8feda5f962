//! Many watchers of one execution.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tidegate_proto::v1::{
    PauseRequest, ResumeRequest, WatchRequest, WaveSpec,
    execution_service_client::ExecutionServiceClient, watch_response::Message,
};
use tidegate_tests::gateway;
use tokio::sync::Barrier;
use tonic::transport::Channel;

use super::{
    Load, Percentiles,
    workload::{apply, plan_of, servers, start},
};

/// Between two changes: 50 a second.
const INTERVAL: Duration = Duration::from_millis(20);
/// Streams on one connection.
const PER_CONNECTION: usize = 100;
/// The commits before the first that is asked for: start, and launch.
const BEFORE: u64 = 2;

/// When each revision was asked for.
type Asked = Arc<Mutex<BTreeMap<u64, Instant>>>;

impl Load {
    /// Pauses and resumes an execution `changes` times at a steady rate while
    /// `count` clients watch it. Returns the latency of the requests, and from
    /// each request to each watcher.
    pub(crate) fn run_watchers(&self, count: usize, changes: usize) -> (Percentiles, Percentiles) {
        self.runtime.block_on(async {
            let channel = self.connect().await;
            // A server of its own for each run: its job never ends.
            let wave = WaveSpec {
                name: "wave".to_owned(),
                servers: vec![servers([gateway::ENDLESS + count])],
                ..WaveSpec::default()
            };
            let plan = format!("watched-by-{count}");
            apply(&channel, plan_of(plan.clone(), vec![wave])).await;
            let mut client = ExecutionServiceClient::new(channel);
            let execution = start(&mut client, &plan).await;
            launched(&mut client, &execution).await;
            let asked = Asked::default();
            let watchers = self.watch(&execution, count, changes, &asked).await;
            let commits = self.steer_alone(&execution, changes, &asked).await;
            let mut deliveries = Vec::with_capacity(count * changes);
            for watcher in watchers {
                deliveries.extend(watcher.await.expect("a watcher ends well"));
            }
            assert_eq!(deliveries.len(), count * changes, "nothing was lost");
            (Percentiles::of(commits), Percentiles::of(deliveries))
        })
    }

    /// Steers from a thread of its own: a client that is not delayed by what
    /// the watchers in this process do.
    async fn steer_alone(&self, execution: &str, changes: usize, asked: &Asked) -> Vec<Duration> {
        let (address, execution, asked) = (
            self.address.clone(),
            execution.to_owned(),
            Arc::clone(asked),
        );
        let steering = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let client = ExecutionServiceClient::connect(address).await;
                let mut client = client.expect("the gateway answers");
                steer(&mut client, &execution, changes, &asked).await
            })
        });
        steering.await.expect("the steering ends well")
    }

    async fn watch(
        &self,
        execution: &str,
        count: usize,
        changes: usize,
        asked: &Asked,
    ) -> Vec<tokio::task::JoinHandle<Vec<Duration>>> {
        let ready = Arc::new(Barrier::new(count + 1));
        let mut watchers = Vec::new();
        let mut channel = None;
        for number in 0..count {
            if number % PER_CONNECTION == 0 {
                channel = Some(self.connect().await);
            }
            let channel = channel.clone().expect("a connection");
            let (asked, ready) = (Arc::clone(asked), Arc::clone(&ready));
            let execution = execution.to_owned();
            watchers.push(tokio::spawn(async move {
                deliveries(channel, execution, changes, &asked, &ready).await
            }));
        }
        ready.wait().await;
        watchers
    }
}

/// Waits until the execution's job runs.
async fn launched(client: &mut ExecutionServiceClient<Channel>, execution: &str) {
    let request = WatchRequest {
        execution: execution.to_owned(),
        after_revision: Some(1),
    };
    let mut stream = client.watch(request).await.expect("a stream").into_inner();
    while let Some(message) = stream.message().await.expect("no error") {
        if let Some(Message::Commit(commit)) = message.message
            && commit.revision == BEFORE
        {
            return;
        }
    }
}

/// Asks for one change after the other, alternately a pause and a resume.
async fn steer(
    client: &mut ExecutionServiceClient<Channel>,
    execution: &str,
    changes: usize,
    asked: &Asked,
) -> Vec<Duration> {
    let mut latencies = Vec::with_capacity(changes);
    let mut ticks = tokio::time::interval(INTERVAL);
    let mut revision = BEFORE;
    for number in 0..changes {
        ticks.tick().await;
        revision += 1;
        let began = Instant::now();
        asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(revision, began);
        let execution = execution.to_owned();
        if number % 2 == 0 {
            let request = PauseRequest {
                execution,
                ..PauseRequest::default()
            };
            client.pause(request).await.expect("it can be paused");
        } else {
            let request = ResumeRequest {
                execution,
                ..ResumeRequest::default()
            };
            client.resume(request).await.expect("it can be resumed");
        }
        latencies.push(began.elapsed());
    }
    latencies
}

async fn deliveries(
    channel: Channel,
    execution: String,
    changes: usize,
    asked: &Asked,
    ready: &Barrier,
) -> Vec<Duration> {
    let mut client = ExecutionServiceClient::new(channel);
    let after_revision = Some(BEFORE);
    let request = WatchRequest {
        execution,
        after_revision,
    };
    let mut stream = client.watch(request).await.expect("a stream").into_inner();
    let mut latencies = Vec::with_capacity(changes);
    while latencies.len() < changes {
        let message = stream
            .message()
            .await
            .expect("no error")
            .expect("it goes on");
        match message.message.expect("a message") {
            Message::Header(_) => {
                ready.wait().await;
            }
            Message::Commit(commit) => {
                let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
                latencies.push(asked[&commit.revision].elapsed());
            }
            Message::Bookmark(_) => {}
            Message::End(end) => panic!("the stream ended: {end:?}"),
        }
    }
    latencies
}
