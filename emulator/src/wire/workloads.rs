//! The workloads in the control API: how they are, and a person's word that they are otherwise.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::control::problem;
use super::time;
use crate::emulator::Emulator;
use crate::listening::Reached;
use crate::model::{Health, Protocol, Served, SourceServerId, WorkloadState};

#[derive(Serialize)]
pub(super) struct WorkloadsShape {
    /// `null` if nothing really listens.
    loopback: Option<String>,
    workloads: Vec<WorkloadShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkloadShape {
    account: String,
    region: String,
    #[serde(rename = "sourceServerID")]
    source_server_id: String,
    hostname: String,
    #[serde(rename = "recoveryInstanceID")]
    recovery_instance_id: Option<String>,
    address: Option<String>,
    ports: BTreeMap<u16, Protocol>,
    state: &'static str,
    /// When the state passes by itself.
    until: Option<String>,
    /// What a person said last.
    told: Option<&'static str>,
    /// The ports that are really open.
    open: BTreeSet<u16>,
    /// The ports that should be open and are not, with the reason.
    failed: BTreeMap<u16, String>,
}

impl WorkloadShape {
    fn of(served: &Served<'_>, ports: &Reached) -> Self {
        let sockets = || served.sockets().map(|(address, _)| address);
        let failed = |address| Some((address, ports.failed.get(&address)?.clone()));
        let instance = served.instance;
        Self {
            account: served.place.account.to_string(),
            region: served.place.region.to_string(),
            source_server_id: served.server.spec.id.to_string(),
            hostname: served.server.spec.hostname.clone(),
            recovery_instance_id: instance.map(|instance| instance.id.to_string()),
            address: instance.map(|instance| instance.address.to_string()),
            ports: served.workload.ports.clone(),
            state: state(served.state),
            until: served.state.changes_at().map(time::timestamp),
            told: served.server.told.map(|told| match told {
                Health::Healthy => "HEALTHY",
                Health::Unhealthy => "UNHEALTHY",
            }),
            open: sockets()
                .filter(|address| ports.open.contains(address))
                .map(|address| address.port())
                .collect(),
            failed: sockets()
                .filter_map(failed)
                .map(|(address, reason)| (address.port(), reason))
                .collect(),
        }
    }
}

fn state(state: WorkloadState) -> &'static str {
    match state {
        WorkloadState::Down => "DOWN",
        WorkloadState::Starting { .. } => "STARTING",
        WorkloadState::Healthy => "HEALTHY",
        WorkloadState::Unhealthy { .. } => "UNHEALTHY",
    }
}

/// GET `/_emulator/workloads`: what every server serves, or would.
pub(super) async fn list(State(emulator): State<Emulator>) -> Json<WorkloadsShape> {
    let ports = emulator.ports();
    Json(emulator.look(|model| {
        WorkloadsShape {
            loopback: model.loopback().map(|loopback| loopback.to_string()),
            workloads: model
                .workloads()
                .map(|served| WorkloadShape::of(&served, &ports))
                .collect(),
        }
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TellRequest {
    healthy: bool,
}

/// POST `/_emulator/workloads/{sourceServerID}`: breaks or repairs a workload, on its instance and
/// on later ones. Answered when the ports are as they should be.
pub(super) async fn tell(
    State(emulator): State<Emulator>,
    Path(server): Path<String>,
    Json(request): Json<TellRequest>,
) -> Response {
    let id = match SourceServerId::parse(&server) {
        Ok(id) => id,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let health = if request.healthy {
        Health::Healthy
    } else {
        Health::Unhealthy
    };
    if let Err(refusal) = emulator.with_model(|model, _| model.tell_workload(&id, health)) {
        return problem(StatusCode::NOT_FOUND, &refusal.to_string());
    }
    emulator.settled().await;
    let ports = emulator.ports();
    let told = emulator.look(|model| {
        let served = model.workload(&id);
        served.map(|served| WorkloadShape::of(&served, &ports))
    });
    Json(told).into_response()
}
