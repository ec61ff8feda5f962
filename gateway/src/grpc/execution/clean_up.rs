//! `CleanUp`: a new execution that terminates what an earlier one launched.

use std::{collections::BTreeMap, sync::Arc};

use prost::Message;
use tidegate_core::{
    SourceServerId,
    engine::{Action, Execution, Kind, ServerRun, ServerState, WaveRun},
    plan::Target,
};
use tidegate_proto::v1;
use tonic::Status;

use super::{chosen::Chosen, cleanups::Cleanups, steer};
use crate::{
    driver::{Origin, RequestStamp, StartOrder, View},
    grpc::{convert, pinned::pinned_plan, request_id, services::Services, status},
    ports::journal::ReadError,
};

/// Name of a cleanup's only wave.
const WAVE: &str = "cleanup";

pub(super) async fn clean_up(
    services: &Services,
    request: &v1::CleanUpRequest,
) -> Result<v1::CleanUpResponse, Status> {
    let stamp = match request_id::optional("CleanUp", request)? {
        Some(stamp) => stamp,
        // Without an id nobody can ask again; the driver wants one all the
        // same, so it gets one that is used once. It is recorded like any
        // other; the API says so at the field.
        None => RequestStamp {
            id: format!("clean-up/{}", ulid::Ulid::new()),
            digest: [0; 32],
        },
    };
    let source = steer::find(services, &request.execution).await?;
    let left = Left::read(services, &source, request).await;
    let order = match left.and_then(|left| order(&source, &left, stamp.clone())) {
        Ok(order) => order,
        // An answered request is answered again although nothing is left to do.
        Err(refusal) => {
            let first = services.driver.started_by(&stamp).await;
            let first = first.map_err(|error| status::from_driver(error, None))?;
            return first.as_ref().map(answer).ok_or(refusal);
        }
    };
    let view = services.driver.start_execution(order).await;
    let view = view.map_err(|error| status::from_driver(error, None))?;
    Ok(answer(&view))
}

fn answer(view: &View) -> v1::CleanUpResponse {
    v1::CleanUpResponse {
        execution: Some(convert::execution::execution(view)),
    }
}

/// What a cleanup would terminate.
struct Left {
    chosen: Chosen,
    cleanups: Cleanups,
}

impl Left {
    async fn read(
        services: &Services,
        source: &View,
        request: &v1::CleanUpRequest,
    ) -> Result<Self, Status> {
        check(&source.execution)?;
        let chosen = Chosen::read(services, source, &request.instances).await?;
        chosen.check(source, &request.confirm)?;
        let cleanups = Cleanups::of(services, source).await?;
        Ok(Self { chosen, cleanups })
    }

    /// Servers whose instances are chosen and may still be there.
    fn servers<'a>(&'a self, source: &'a Execution) -> impl Iterator<Item = &'a ServerRun> {
        let servers = source.waves().flat_map(WaveRun::servers);
        servers.filter(move |server| {
            let id = &server.selected.id;
            let is_launched = server.state == ServerState::Launched;
            is_launched && self.chosen.has(id) && self.cleanups.leave(id)
        })
    }
}

fn order(source: &View, left: &Left, request: RequestStamp) -> Result<StartOrder, Status> {
    let execution = &*source.execution;
    if left.servers(execution).next().is_none() {
        return Err(status::nothing_left(execution));
    }
    let plan = cleanup_plan(execution, left, &source.origin).encode_to_vec();
    let checked = pinned_plan(&plan).map_err(|why| {
        let what = format!("the cleanup of {}: {why}", execution.id());
        status::from_read(&ReadError::Damaged(what))
    })?;
    Ok(StartOrder {
        kind: Kind::Cleanup,
        plan: Arc::new(checked),
        origin: Origin {
            plan_revision: source.origin.plan_revision,
            plan_digest: source.origin.plan_digest.clone(),
            plan: plan.into(),
            source: Some(execution.id().clone()),
        },
        request,
    })
}

/// Whether the execution is one that can be cleaned up now.
fn check(source: &Execution) -> Result<(), Status> {
    if !source.state().is_terminal() {
        return Err(status::forbidden(source, "the execution is not over"));
    }
    if source.kind() == Kind::Cleanup {
        return Err(status::forbidden(
            source,
            "the execution is itself a cleanup",
        ));
    }
    if !source.allows(Action::CleanUp) {
        return Err(status::forbidden(
            source,
            "the execution has launched nothing that is left",
        ));
    }
    Ok(())
}

/// One wave with a group for each target, and in it every server that is left
/// there.
fn cleanup_plan(source: &Execution, left: &Left, origin: &Origin) -> v1::Plan {
    let mut targets: BTreeMap<&Target, Vec<&SourceServerId>> = BTreeMap::new();
    for server in left.servers(source) {
        let selected = &server.selected;
        let here = targets.entry(&selected.target).or_default();
        here.push(&selected.id);
    }
    let groups = targets
        .into_iter()
        .map(|(target, servers)| v1::ServerGroup {
            target: Some(convert::wave::target(target)),
            servers: servers.into_iter().map(server_ref).collect(),
            ..v1::ServerGroup::default()
        });
    v1::Plan {
        name: source.plan().name().to_string(),
        revision: origin.plan_revision,
        digest: origin.plan_digest.clone(),
        spec: Some(v1::PlanSpec {
            description: format!("Terminates what execution {} launched", source.id()),
            waves: vec![v1::WaveSpec {
                name: WAVE.to_owned(),
                servers: groups.collect(),
                ..v1::WaveSpec::default()
            }],
            ..v1::PlanSpec::default()
        }),
        ..v1::Plan::default()
    }
}

fn server_ref(id: &SourceServerId) -> v1::ServerRef {
    v1::ServerRef {
        id: id.to_string(),
        ..v1::ServerRef::default()
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::{
        ServerIx, WaveIx,
        engine::{Change, ExecutionState, Reason},
    };
    use tonic::Code;

    use super::*;
    use crate::grpc::fixtures;

    fn launched() -> Vec<Change> {
        vec![
            fixtures::web_selected(),
            Change::ServerMoved {
                wave: WaveIx(1),
                server: ServerIx(1),
                to: ServerState::Launched,
                instance: None,
                reason: Reason::none(),
            },
        ]
    }

    fn over() -> Change {
        Change::ExecutionMoved {
            to: ExecutionState::Succeeded,
            reason: Reason::none(),
        }
    }

    fn left(chosen: Chosen) -> Left {
        let cleanups = Cleanups::default();
        Left { chosen, cleanups }
    }

    fn stamp() -> RequestStamp {
        RequestStamp {
            id: "r".to_owned(),
            digest: [1; 32],
        }
    }

    #[test]
    fn a_cleanup_has_one_wave_with_what_was_launched() {
        let mut changes = launched();
        changes.push(over());
        let source = fixtures::view_after(&changes);

        let order = order(&source, &left(Chosen::All), stamp()).unwrap();

        assert_eq!(order.kind, Kind::Cleanup);
        assert_eq!(order.origin.source.as_ref(), Some(source.execution.id()));
        let [wave] = order.plan.waves() else {
            panic!("a cleanup has one wave");
        };
        assert_eq!(wave.name.as_str(), "cleanup");
        let named: Vec<&str> = order.plan.named_servers().map(|id| id.as_str()).collect();
        assert_eq!(named, ["s-00000000000000002"]);
        assert_eq!(wave.groups[0].target, fixtures::target());
        assert_eq!(pinned_plan(&order.origin.plan).unwrap(), *order.plan);
    }

    #[test]
    fn what_is_not_over_or_launched_nothing_is_not_cleaned_up() {
        for changes in [launched(), vec![over()]] {
            let source = fixtures::view_after(&changes);
            let status = check(&source.execution).unwrap_err();
            assert_eq!(status.code(), Code::FailedPrecondition);
        }
    }

    #[test]
    fn only_what_is_chosen_is_cleaned_up() {
        let mut changes = launched();
        changes.push(over());
        let source = fixtures::view_after(&changes);
        let chosen = |server: &str| left(Chosen::Of([server.into()].into()));

        let two = order(&source, &chosen("s-00000000000000002"), stamp()).unwrap();
        assert_eq!(two.plan.named_servers().count(), 1);
        let one = order(&source, &chosen("s-00000000000000001"), stamp());
        let status = one.unwrap_err();
        assert_eq!(
            status.code(),
            Code::FailedPrecondition,
            "it was not launched"
        );
    }
}
