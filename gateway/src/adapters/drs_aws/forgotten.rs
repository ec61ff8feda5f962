//! A job that DRS does not know any more: each server is judged by what DRS
//! says of the server itself and of its recovery instance. Nothing is said of
//! a server for which DRS shows neither an instance nor an outcome, but that
//! it failed.

use std::sync::Arc;

use aws_sdk_drs::types;
use tidegate_core::{
    InstanceId, JobId, SourceServerId,
    engine::{JobReport, ServerReport, ServerState},
};

use super::{clients::Place, servers};
use crate::ports::drs::{DrsError, ForgottenOrder, OrderKind, RecoveryInstance};

const NO_TRACE: &str = "DRS does not know its job any more and shows no instance from it";
const STILL_THERE: &str = "DRS does not know the job any more, and the instance is still there";
const LAST_LAUNCH_FAILED: &str =
    "DRS does not know its job any more, and says that the launch failed";

/// Judges the servers of a forgotten job.
pub(super) async fn judge(place: &Place, order: &ForgottenOrder) -> Result<JobReport, DrsError> {
    let ids: Vec<SourceServerId> = order.servers.iter().map(|(id, _)| id.clone()).collect();
    let instances = servers::recovery_instances(place, &ids).await?;
    let servers: Vec<ServerReport> = match order.kind {
        OrderKind::Terminate => {
            let terminated = order.servers.iter();
            terminated
                .map(|(id, instance)| terminated_server(id, instance.as_ref(), &instances, order))
                .collect()
        }
        OrderKind::Drill | OrderKind::Recovery => {
            let described = servers::describe(place, &ids).await?;
            ids.iter()
                .map(|id| launched_server(id, &order.job, &described, &instances))
                .collect()
        }
    };
    Ok(JobReport {
        job: order.job.clone(),
        ended: order.is_last || servers.iter().all(|server| server.state.is_settled()),
        servers,
    })
}

fn terminated_server(
    id: &SourceServerId,
    instance: Option<&InstanceId>,
    instances: &[RecoveryInstance],
    order: &ForgottenOrder,
) -> ServerReport {
    let is_it = |it: &&RecoveryInstance| {
        it.server == *id && instance.is_none_or(|wanted| *wanted == it.instance)
    };
    let (state, detail) = match (instances.iter().find(is_it), order.is_last) {
        (None, _) => (ServerState::Terminated, ""),
        (Some(_), false) => (ServerState::Launch, ""),
        (Some(_), true) => (ServerState::Failed, STILL_THERE),
    };
    said(id, state, instance.cloned(), detail)
}

fn launched_server(
    id: &SourceServerId,
    job: &JobId,
    described: &[types::SourceServer],
    instances: &[RecoveryInstance],
) -> ServerReport {
    let mut of_server = instances.iter().filter(|it| it.server == *id);
    if let Some(instance) = of_server.clone().find(|it| it.job.as_ref() == Some(job)) {
        let instance = Some(instance.instance.clone());
        return said(id, ServerState::Launched, instance, "");
    }
    let server = described
        .iter()
        .find(|it| it.source_server_id() == Some(id.as_str()));
    match server.and_then(|server| last_status(server, job)) {
        Some("LAUNCHED") => {
            let instance = of_server.find(|it| it.job.is_none());
            let instance = instance.map(|it| it.instance.clone());
            said(id, ServerState::Launched, instance, "")
        }
        Some("FAILED") => said(id, ServerState::Failed, None, LAST_LAUNCH_FAILED),
        Some("TERMINATED") => said(id, ServerState::Terminated, None, ""),
        // PENDING, IN_PROGRESS, and what DRS may say one day.
        Some(_) => said(id, ServerState::Requested, None, ""),
        None => said(id, ServerState::Failed, None, NO_TRACE),
    }
}

/// What the server says of its last launch, if that was by this job.
fn last_status<'a>(server: &'a types::SourceServer, job: &JobId) -> Option<&'a str> {
    let last = server.life_cycle()?.last_launch()?;
    let by = last.initiated()?.job_id()?;
    (by == job.as_str()).then(|| last.status().map_or("", |status| status.as_str()))
}

fn said(
    id: &SourceServerId,
    state: ServerState,
    instance: Option<InstanceId>,
    detail: &str,
) -> ServerReport {
    ServerReport {
        server: id.clone(),
        state,
        instance,
        detail: Arc::from(detail),
        warnings: Vec::new(),
    }
}
