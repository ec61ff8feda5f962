//! Which servers a wave has: looked up at DRS when the wave starts.

use std::sync::Arc;

use futures::future::BoxFuture;
use tidegate_core::{
    SourceServerId, WaveIx,
    engine::{Event, Execution, Kind, SelectedServer},
    plan::{Group, PlannedServer, Selection, Target},
};

use super::{DriverError, Shared, reads::Purpose};
use crate::ports::drs::{DrsError, RecoveryInstance, ServerQuery};

/// Looks the wave's servers up, as often as it takes; what DRS refuses for
/// good is an answer.
pub(super) async fn select(shared: &Arc<Shared>, execution: &Execution, wave: WaveIx) -> Event {
    let mut servers = Vec::new();
    for group in &execution.plan().wave(wave).groups {
        match select_group(shared, execution, group).await {
            Ok(selected) => servers.extend(selected),
            Err(why) => {
                let answer = Err(why);
                return Event::Selected { wave, answer };
            }
        }
    }
    // In a cluster they are taken with the record that names them.
    if shared.membership.member().is_some() {
        let answer = Ok(servers);
        return Event::Selected { wave, answer };
    }
    let ids: Vec<SourceServerId> = servers.iter().map(|server| server.id.clone()).collect();
    let answer = shared
        .registry
        .take(execution.id(), &ids)
        .map(|()| servers)
        .map_err(|busy| busy.to_string());
    Event::Selected { wave, answer }
}

async fn select_group(
    shared: &Arc<Shared>,
    execution: &Execution,
    group: &Group,
) -> Result<Vec<SelectedServer>, String> {
    let target = Arc::new(group.target.clone());
    match &group.selection {
        Selection::Servers(named) if execution.kind() == Kind::Cleanup => {
            select_instances(shared, execution, &target, named).await
        }
        Selection::Servers(named) => Ok(named.iter().map(|one| by_id(one, &target)).collect()),
        Selection::Tags { tags, optional } => {
            let query = ServerQuery::Tags(tags.clone());
            let drs = &shared.ports.drs;
            let found = again(shared, execution, &target, || {
                drs.source_servers(Arc::clone(&target), query.clone())
            })
            .await?;
            Ok(found
                .into_iter()
                .map(|server| SelectedServer {
                    id: server.id,
                    hostname: server.hostname.into(),
                    target: Arc::clone(&target),
                    optional: *optional,
                    snapshot: None,
                    instance: None,
                })
                .collect())
        }
    }
}

fn by_id(server: &PlannedServer, target: &Arc<Target>) -> SelectedServer {
    SelectedServer {
        id: server.id.clone(),
        hostname: Arc::from(""),
        target: Arc::clone(target),
        optional: server.optional,
        snapshot: server.snapshot.clone(),
        instance: None,
    }
}

/// In a cleanup: the instances that the source execution launched and that
/// are still there. An instance that somebody else launched meanwhile is not
/// ours to terminate.
async fn select_instances(
    shared: &Arc<Shared>,
    execution: &Execution,
    target: &Arc<Target>,
    named: &[PlannedServer],
) -> Result<Vec<SelectedServer>, String> {
    let source = loop {
        match shared.source_of(execution).await {
            Ok(source) => break source,
            Err(DriverError::Unavailable(why)) => {
                tracing::warn!(why, "cannot read the source of a cleanup; trying again");
                shared.wait(shared.settings.look_interval).await;
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    let ids: Vec<SourceServerId> = named.iter().map(|server| server.id.clone()).collect();
    let drs = &shared.ports.drs;
    let found = again(shared, execution, target, || {
        drs.recovery_instances(Arc::clone(target), ids.clone())
    })
    .await?;
    Ok(found
        .into_iter()
        .filter(|instance| is_of(&source, instance))
        .map(|instance| SelectedServer {
            id: instance.server,
            hostname: Arc::from(""),
            target: Arc::clone(target),
            optional: false,
            snapshot: None,
            instance: Some(instance.instance),
        })
        .collect())
}

fn is_of(source: &Execution, instance: &RecoveryInstance) -> bool {
    source.waves().any(|wave| {
        wave.servers().iter().any(|server| {
            let known = server.instance.as_ref() == Some(&instance.instance);
            let launched = instance.job.is_some() && wave.job_of(server) == instance.job.as_ref();
            server.selected.id == instance.server && (known || launched)
        })
    })
}

/// Asks until there is an answer; only a refusal ends it.
async fn again<'a, T>(
    shared: &Arc<Shared>,
    execution: &Execution,
    target: &Target,
    ask: impl FnMut() -> BoxFuture<'a, Result<T, DrsError>>,
) -> Result<T, String> {
    let subject = execution.id().as_str();
    let answer = shared.read_until_answered(target, Purpose::Select, subject, ask);
    answer.await.map_err(|refused| refused.to_string())
}
