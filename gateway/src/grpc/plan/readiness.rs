//! `CheckReadiness`: what would keep a plan from working now.
//!
//! Nothing is launched or changed. Each account and Region, and each question,
//! fails for itself: what cannot be read is a finding, and the rest is judged.

mod ask;
mod code;
mod place;
mod report;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_places;
#[cfg(test)]
mod tests_of_silence;

use std::collections::BTreeMap;

use futures::future::join3;
use tidegate_core::{ExecutionId, SourceServerId};
use tidegate_proto::v1;
use tonic::Status;

use self::{ask::Asking, report::Report};
use super::stored;
use crate::{
    driver::View,
    grpc::{argument, live, services::Services},
};

pub(super) async fn check(
    services: &Services,
    request: &v1::CheckReadinessRequest,
) -> Result<v1::CheckReadinessResponse, Status> {
    let name = argument::plan_name("name", &request.name)?;
    let plan = stored(services, &name, request.revision).await?.checked;
    let asking = Asking {
        drs: &*services.drs,
        clock: &services.clock,
    };
    let groups = ask::groups(asking, &plan);
    let places = ask::places(asking, &plan);
    let (groups, places, armed) = join3(groups, places, services.hooks.arm(&plan)).await;
    let busy = busy_servers(&live::views(services).await?);
    let limit = services.settings.plan_limits.servers;
    let mut report = Report::new(&plan, &busy, limit, services.clock.now());
    report.callers(&places);
    report.jobs(&places);
    for group in groups {
        report.group(group);
    }
    report.quotas(&places, &services.settings.quotas);
    for unarmed in armed.err().unwrap_or_default() {
        report.unarmed(&unarmed);
    }
    Ok(report.finish())
}

/// The servers of executions that are not over.
fn busy_servers(live: &[View]) -> BTreeMap<SourceServerId, ExecutionId> {
    let mut busy = BTreeMap::new();
    for view in live {
        let execution = &view.execution;
        let selected = execution
            .waves()
            .flat_map(|wave| wave.servers())
            .map(|server| &server.selected.id);
        for id in selected.chain(execution.plan().named_servers()) {
            busy.insert(id.clone(), execution.id().clone());
        }
    }
    busy
}
