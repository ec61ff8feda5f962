//! Stored values that several changes have.

use std::sync::Arc;

use tidegate_core::{
    HookIx, InstanceId, JobId, LaunchIx, ServerIx, SnapshotId, SourceServerId, Timestamp, WaveIx,
    engine::{Hold, HoldCause, LaunchState, Reason, SelectedServer},
    plan::Target,
};
use tidegate_proto::journal::v1::{self as stored, launch_moved::To};

use super::super::{FormatError, enums};

pub(super) fn to_wave(value: u32) -> Result<WaveIx, FormatError> {
    position("wave", value).map(WaveIx)
}

pub(super) fn to_server_ix(value: u32) -> Result<ServerIx, FormatError> {
    position("server", value).map(ServerIx)
}

pub(super) fn to_launch(value: u32) -> Result<LaunchIx, FormatError> {
    position("launch", value).map(LaunchIx)
}

pub(super) fn to_hook(value: u32) -> Result<HookIx, FormatError> {
    position("hook", value).map(HookIx)
}

fn position(field: &'static str, value: u32) -> Result<u16, FormatError> {
    u16::try_from(value).map_err(|_| FormatError::OutOfRange { field, value })
}

pub(super) fn to_reason(reason: Option<stored::Reason>) -> Result<Reason, FormatError> {
    let reason = reason.ok_or(FormatError::Missing { field: "reason" })?;
    Ok(Reason {
        code: enums::to_reason_code(reason.code)?,
        text: reason.text.into(),
    })
}

pub(super) fn to_hold(hold: stored::Hold) -> Result<Hold, FormatError> {
    const FIELD: &str = "cause of a hold";
    let wave = || match hold.wave {
        Some(wave) => to_wave(wave),
        None => Err(FormatError::Missing {
            field: "wave of a hold",
        }),
    };
    let cause = match stored::HoldCause::try_from(hold.cause) {
        Ok(stored::HoldCause::Unspecified) => return Err(FormatError::Missing { field: FIELD }),
        Ok(stored::HoldCause::Operator) => HoldCause::Operator,
        Ok(stored::HoldCause::Planned) => HoldCause::Planned(wave()?),
        Ok(stored::HoldCause::Approval) => HoldCause::Approval(wave()?),
        Ok(stored::HoldCause::WaveFailed) => HoldCause::WaveFailed(wave()?),
        Ok(stored::HoldCause::Hook) => HoldCause::Hook(wave()?),
        Err(_) => {
            return Err(FormatError::UnknownValue {
                field: FIELD,
                value: hold.cause,
            });
        }
    };
    Ok(Hold {
        cause,
        detail: hold.detail.into(),
    })
}

pub(super) fn to_launch_state(state: Option<To>) -> Result<LaunchState, FormatError> {
    let state = state.ok_or(FormatError::Missing {
        field: "state of a launch",
    })?;
    Ok(match state {
        To::Queued(stored::LaunchWaiting { attempt }) => LaunchState::Queued { attempt },
        To::Asking(stored::LaunchAsking { attempt }) => LaunchState::Asking { attempt },
        To::Reconciling(stored::LaunchReconciling { attempt }) => {
            LaunchState::Reconciling { attempt }
        }
        To::Deferred(stored::LaunchDeferred { attempt, until_ms }) => LaunchState::Deferred {
            attempt,
            until: Timestamp::from_millis(until_ms),
        },
        To::Running(stored::LaunchRunning { job }) => LaunchState::Running {
            job: JobId::new(job),
        },
        To::Ended(stored::LaunchEnded { job }) => LaunchState::Ended {
            job: JobId::new(job),
        },
        To::Refused(stored::LaunchRefused {}) => LaunchState::Refused,
        To::Abandoned(stored::LaunchAbandoned {}) => LaunchState::Abandoned,
    })
}

pub(super) fn to_target(target: Option<stored::Target>) -> Result<Arc<Target>, FormatError> {
    let target = target.ok_or(FormatError::Missing { field: "target" })?;
    Ok(Arc::new(Target {
        account: target.account,
        region: target.region,
        role: target.role,
    }))
}

/// Servers in the same target share it, as they did when they were selected.
pub(super) fn to_selection(
    servers: Vec<stored::SelectedServer>,
) -> Result<Vec<SelectedServer>, FormatError> {
    let mut selection: Vec<SelectedServer> = Vec::with_capacity(servers.len());
    for server in servers {
        let mut target = to_target(server.target)?;
        if let Some(last) = selection.last().filter(|last| last.target == target) {
            target = last.target.clone();
        }
        selection.push(SelectedServer {
            id: SourceServerId::new(server.id),
            hostname: server.hostname.into(),
            target,
            optional: server.optional,
            snapshot: server.snapshot.map(SnapshotId::new),
            instance: server.instance.map(InstanceId::new),
        });
    }
    Ok(selection)
}
