//! From the engine's values to stored ones.

mod change;
mod hook;

use bytes::Bytes;
use prost::Message as _;
use tidegate_core::{
    ServerIx,
    engine::{
        Change, Hold, HoldCause, HookOutcome, LaunchState, Reason, ReasonCode, SelectedServer,
    },
    plan::Target,
};
use tidegate_proto::journal::v1 as stored;

use super::{FORMAT, GenesisRecord, RecordDraft, WITHOUT_QUEUES, WITHOUT_WAIVERS, enums};
use crate::driver::RequestStamp;

/// Encodes a record. Costs one pass over the changes and one allocation for
/// the bytes, beside those for the texts.
#[must_use]
pub fn encode(draft: &RecordDraft<'_>) -> Bytes {
    let record = stored::Record {
        format: format_of(draft.changes),
        revision: draft.revision,
        at_ms: draft.at.as_millis(),
        previous_hash: draft
            .previous
            .map_or_else(Bytes::new, |hash| Bytes::copy_from_slice(hash)),
        nonce: Bytes::copy_from_slice(&draft.nonce),
        epoch: draft.epoch,
        request: draft.request.map(from_request),
        origin: draft.genesis.map(from_genesis),
        first_index: draft.first_index,
        changes: draft.changes.iter().map(change::from_change).collect(),
    };
    record.encode_to_vec().into()
}

/// The lowest format that says all of it, so that an older program can take
/// over whatever it understands.
fn format_of(changes: &[Change]) -> u32 {
    let formats = changes.iter().map(|change| {
        if is_of_queues(change) {
            FORMAT
        } else if is_waiver(change) {
            WITHOUT_QUEUES
        } else {
            WITHOUT_WAIVERS
        }
    });
    formats.max().unwrap_or(WITHOUT_WAIVERS)
}

fn is_waiver(change: &Change) -> bool {
    matches!(
        change,
        Change::HookEnded {
            outcome: HookOutcome::Waived { .. },
            ..
        }
    )
}

fn is_of_queues(change: &Change) -> bool {
    match change {
        Change::LaunchQueued { .. } => true,
        Change::LaunchMoved { to, reason, .. } => {
            matches!(to, LaunchState::Queued { .. }) || is_quota(reason)
        }
        Change::ExecutionMoved { reason, .. }
        | Change::Closing { reason, .. }
        | Change::WaveMoved { reason, .. }
        | Change::ServerMoved { reason, .. } => is_quota(reason),
        Change::OwnerChanged { .. }
        | Change::HoldPlaced(_)
        | Change::HoldLifted(_)
        | Change::GateOpened { .. }
        | Change::SelectionStarted { .. }
        | Change::ServersSelected { .. }
        | Change::HookStarted { .. }
        | Change::HookEnded { .. }
        | Change::AttemptStarted { .. }
        | Change::RetryScheduled { .. }
        | Change::LaunchIntended { .. }
        | Change::ServerWarned { .. } => false,
    }
}

fn is_quota(reason: &Reason) -> bool {
    reason.code == ReasonCode::Quota
}

fn from_request(request: &RequestStamp) -> stored::Request {
    stored::Request {
        id: request.id.clone(),
        digest: Bytes::copy_from_slice(&request.digest),
    }
}

fn from_genesis(genesis: &GenesisRecord) -> stored::Origin {
    let origin = &genesis.origin;
    stored::Origin {
        execution_id: genesis.execution.to_string(),
        kind: enums::from_kind(genesis.kind),
        plan: origin.plan.clone(),
        plan_revision: origin.plan_revision,
        plan_digest: origin.plan_digest.clone(),
        source_execution: origin.source.as_ref().map(ToString::to_string),
        created_at_ms: genesis.created_at.as_millis(),
    }
}

fn from_reason(reason: &Reason) -> Option<stored::Reason> {
    Some(stored::Reason {
        code: enums::from_reason_code(reason.code),
        text: reason.text.to_string(),
    })
}

fn from_hold(hold: &Hold) -> stored::Hold {
    let cause = match hold.cause {
        HoldCause::Operator => stored::HoldCause::Operator,
        HoldCause::Planned(_) => stored::HoldCause::Planned,
        HoldCause::Approval(_) => stored::HoldCause::Approval,
        HoldCause::WaveFailed(_) => stored::HoldCause::WaveFailed,
        HoldCause::Hook(_) => stored::HoldCause::Hook,
    };
    stored::Hold {
        cause: cause.into(),
        wave: hold.cause.wave().map(|wave| wave.0.into()),
        detail: hold.detail.to_string(),
    }
}

fn from_launch_state(state: &LaunchState) -> stored::launch_moved::To {
    use stored::launch_moved::To;
    match state {
        LaunchState::Queued { attempt } => {
            let attempt = *attempt;
            To::Queued(stored::LaunchWaiting { attempt })
        }
        LaunchState::Asking { attempt } => {
            let attempt = *attempt;
            To::Asking(stored::LaunchAsking { attempt })
        }
        LaunchState::Reconciling { attempt } => {
            let attempt = *attempt;
            To::Reconciling(stored::LaunchReconciling { attempt })
        }
        LaunchState::Deferred { attempt, until } => To::Deferred(stored::LaunchDeferred {
            attempt: *attempt,
            until_ms: until.as_millis(),
        }),
        LaunchState::Running { job } => To::Running(stored::LaunchRunning {
            job: job.to_string(),
        }),
        LaunchState::Ended { job } => To::Ended(stored::LaunchEnded {
            job: job.to_string(),
        }),
        LaunchState::Refused => To::Refused(stored::LaunchRefused {}),
        LaunchState::Abandoned => To::Abandoned(stored::LaunchAbandoned {}),
    }
}

fn from_target(target: &Target) -> Option<stored::Target> {
    Some(stored::Target {
        account: target.account.clone(),
        region: target.region.clone(),
        role: target.role.clone(),
    })
}

fn from_server(server: &SelectedServer) -> stored::SelectedServer {
    stored::SelectedServer {
        id: server.id.to_string(),
        hostname: server.hostname.to_string(),
        target: from_target(&server.target),
        optional: server.optional,
        snapshot: server.snapshot.as_ref().map(ToString::to_string),
        instance: server.instance.as_ref().map(ToString::to_string),
    }
}

fn from_servers(servers: &[ServerIx]) -> Vec<u32> {
    servers.iter().map(|server| server.0.into()).collect()
}
