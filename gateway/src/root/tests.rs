//! A whole gateway on the loopback interface, with a real client.

mod asked_twice;
mod calm_drs;
mod drain;
mod executions;
mod handshake;
mod hooks;
mod plans;
mod restart;
mod surface;
mod tls;
mod watch;
mod watch_all;
mod watch_many;

use std::{path::Path, sync::Arc, time::Duration};

use tidegate_core::Span;
use tidegate_proto::v1::{
    self, execution_service_client::ExecutionServiceClient, plan_service_client::PlanServiceClient,
};
use tokio_stream::StreamExt;
use tonic::{Status, Streaming, transport::Channel};
use tonic_types::StatusExt;

use self::calm_drs::CalmDrs;
use super::{Gateway, Ports};
use crate::{
    config::{Config, Overrides},
    grpc::fixtures,
};

/// A gateway with a client.
struct World {
    gateway: Gateway,
    plans: PlanServiceClient<Channel>,
    executions: ExecutionServiceClient<Channel>,
}

impl World {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A gateway whose settings were changed.
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let ports = Ports::in_memory(Arc::new(CalmDrs::default()));
        Self::on(ports, change).await
    }

    async fn on(ports: Ports, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config();
        change(&mut config);
        let gateway = Gateway::start_with(config, ports).await.unwrap();
        let channel = connect(&gateway).await;
        Self {
            plans: PlanServiceClient::new(channel.clone()),
            executions: ExecutionServiceClient::new(channel),
            gateway,
        }
    }

    /// Stores [`fixtures::shop`] and starts a drill of it, which pauses before
    /// its second wave.
    async fn drill(&mut self) -> v1::Execution {
        self.store(fixtures::shop()).await;
        self.start_drill("shop", "first").await.unwrap()
    }

    async fn store(&mut self, plan: v1::Plan) -> v1::Plan {
        let request = v1::UpdatePlanRequest {
            plan: Some(plan),
            allow_missing: true,
            request_id: String::new(),
        };
        let response = self.plans.update_plan(request).await.unwrap();
        response.into_inner().plan.unwrap()
    }

    async fn start_drill(&mut self, plan: &str, id: &str) -> Result<v1::Execution, Status> {
        let request = v1::StartExecutionRequest {
            plan: plan.to_owned(),
            kind: v1::ExecutionKind::Drill.into(),
            request_id: id.to_owned(),
            ..v1::StartExecutionRequest::default()
        };
        let response = self.executions.start_execution(request).await?;
        Ok(response.into_inner().execution.unwrap())
    }

    async fn resume(&mut self, execution: &str) -> Result<v1::Execution, Status> {
        let request = v1::ResumeRequest {
            execution: execution.to_owned(),
            ..v1::ResumeRequest::default()
        };
        let response = self.executions.resume(request).await?;
        Ok(response.into_inner().execution.unwrap())
    }

    async fn get(&mut self, execution: &str) -> v1::Execution {
        let request = v1::GetExecutionRequest {
            execution: execution.to_owned(),
        };
        let answer = self.executions.get_execution(request).await.unwrap();
        answer.into_inner().execution.unwrap()
    }

    async fn watch(&mut self, execution: &str, after: Option<u64>) -> Streaming<v1::WatchResponse> {
        let request = v1::WatchRequest {
            execution: execution.to_owned(),
            after_revision: after,
        };
        self.executions.watch(request).await.unwrap().into_inner()
    }

    /// Waits until an execution is in a state.
    async fn until(&mut self, execution: &str, state: v1::ExecutionState) {
        let mut stream = self.watch(execution, None).await;
        let mut seen = v1::ExecutionState::Unspecified;
        while seen != state {
            match stream.next().await.unwrap().unwrap().message.unwrap() {
                v1::watch_response::Message::Header(header) => {
                    seen = header.snapshot.unwrap().state();
                }
                v1::watch_response::Message::Commit(commit) => {
                    for change in commit.changes {
                        if let Some(v1::change::Kind::Execution(moved)) = change.kind {
                            seen = moved.state();
                        }
                    }
                }
                v1::watch_response::Message::Bookmark(_) => {}
                v1::watch_response::Message::End(end) => panic!("{end:?} before {state:?}"),
            }
        }
    }
}

fn config() -> Config {
    let overrides = Overrides {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        ..Overrides::default()
    };
    let mut config = Config::load(None::<&Path>, overrides).unwrap();
    config.drs.poll_interval = Some(Duration::from_millis(5).into());
    config
}

async fn connect(gateway: &Gateway) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{}", gateway.address())).unwrap();
    endpoint.connect().await.unwrap()
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

/// More than DRS was heard to allow: the ends of other gateways' jobs are heard
/// by nobody here.
#[test]
fn more_is_tried_sooner_where_other_gateways_make_jobs_as_well() {
    let busy = |is_member| super::probing(&config(), is_member).busy;
    let secs = |from, to| (Span::from_secs(from), Span::from_secs(to));
    assert_eq!(busy(true), secs(60, 300));
    assert_eq!(busy(false), secs(300, 3_600));
}
