//! StartRecovery. It has no client token: the same request twice is two requests.

use axum::http::StatusCode;
use serde::Deserialize;

use super::answer::{Call, Delivery, Reply};
use super::check::Fields;
use super::error::ServiceError;
use super::shape::job::{JobAnswer, JobShape};
use crate::model::{LaunchRequest, Purpose, ServerLaunch, SnapshotId, SourceServerId, Tags};

/// The service model's limit; the quota of 100 is refused as a quota.
const SERVERS: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    source_servers: Option<Vec<SourceServer>>,
    is_drill: Option<bool>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
struct SourceServer {
    #[serde(rename = "sourceServerID")]
    source_server_id: Option<String>,
    #[serde(rename = "recoverySnapshotID")]
    recovery_snapshot_id: Option<String>,
}

pub(super) fn perform(call: &mut Call<'_>) -> Result<Reply, ServiceError> {
    let request = checked(call.request()?)?;
    let (model, place, now) = (&mut *call.model, &call.place, call.now);
    let started = match (call.delivery, call.job_fault) {
        (Delivery::First, None) => model.start_recovery(place, &request, now),
        (Delivery::First, Some(fault)) => model.start_faulty_recovery(place, &request, fault, now),
        (Delivery::Again, _) => model.repeat_recovery(place, &request, now),
    };
    let job = started.map_err(|refusal| call.refused(&refusal))?;
    let shape = JobShape::of(
        &call.model.answered_job(job),
        &call.place,
        call.model.names_recovery_instances(),
    );
    Ok(Reply::with(StatusCode::ACCEPTED, &JobAnswer { job: shape }))
}

fn checked(request: Request) -> Result<LaunchRequest, ServiceError> {
    let mut fields = Fields::default();
    let servers = request.source_servers.unwrap_or_else(|| {
        fields.problem("sourceServers", "Member must not be null");
        Vec::new()
    });
    if !(1..=SERVERS).contains(&servers.len()) {
        let message = format!("Member must have length between 1 and {SERVERS}");
        fields.problem("sourceServers", message);
    }
    let tags = request.tags.unwrap_or_default();
    fields.tags("tags", &tags);
    let servers = servers
        .iter()
        .filter_map(|server| checked_server(server, &mut fields))
        .collect();
    fields.finish()?;
    // Without the flag, DRS launches in earnest.
    let purpose = Purpose::of_drill_flag(request.is_drill.unwrap_or(false));
    Ok(LaunchRequest {
        servers,
        purpose,
        tags,
    })
}

fn checked_server(server: &SourceServer, fields: &mut Fields) -> Option<ServerLaunch> {
    let id = server.source_server_id.as_ref();
    let snapshot = server.recovery_snapshot_id.as_ref();
    let name = "sourceServers.member.recoverySnapshotID";
    let snapshot = fields.optional(name, snapshot, SnapshotId::parse);
    let name = "sourceServers.member.sourceServerID";
    let server = fields.required(name, id, SourceServerId::parse)?;
    Some(ServerLaunch { server, snapshot })
}
