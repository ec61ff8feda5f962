//! Stored changes as the engine knows them.

use tidegate_core::{InstanceId, OwnerId, ServerIx, Timestamp, engine::Change};
use tidegate_proto::journal::v1::{self as stored, change::Change as Stored};

use super::{
    super::{FormatError, enums},
    hook,
    value::{
        to_hold, to_hook, to_launch, to_launch_state, to_reason, to_selection, to_server_ix,
        to_target, to_wave,
    },
};

/// Reads a change.
pub(super) fn to_change(change: stored::Change) -> Result<Change, FormatError> {
    let change = change.change.ok_or(FormatError::Missing {
        field: "known change",
    })?;
    match change {
        Stored::ExecutionMoved(moved) => execution_moved(moved),
        Stored::OwnerChanged(changed) => Ok(Change::OwnerChanged {
            epoch: changed.epoch,
            owner: OwnerId::new(changed.owner),
        }),
        Stored::ClosingDecided(decided) => closing(decided),
        Stored::HoldPlaced(hold) => to_hold(hold).map(Change::HoldPlaced),
        Stored::HoldLifted(hold) => to_hold(hold).map(Change::HoldLifted),
        Stored::WaveMoved(moved) => wave_moved(moved),
        Stored::GateOpened(opened) => to_wave(opened.wave).map(|wave| Change::GateOpened { wave }),
        Stored::SelectionStarted(started) => {
            to_wave(started.wave).map(|wave| Change::SelectionStarted { wave })
        }
        Stored::ServersSelected(selected) => servers_selected(selected),
        Stored::HookStarted(started) => hook_started(started),
        Stored::HookEnded(ended) => hook::ended(ended),
        Stored::AttemptStarted(started) => Ok(Change::AttemptStarted {
            wave: to_wave(started.wave)?,
            attempt: started.attempt,
        }),
        Stored::RetryScheduled(scheduled) => Ok(Change::RetryScheduled {
            wave: to_wave(scheduled.wave)?,
            at: Timestamp::from_millis(scheduled.at_ms),
        }),
        Stored::LaunchIntended(intended) => launch_intended(intended),
        Stored::LaunchQueued(queued) => launch_queued(queued),
        Stored::LaunchMoved(moved) => launch_moved(moved),
        Stored::ServerMoved(moved) => server_moved(moved),
        Stored::ServerWarned(warned) => Ok(Change::ServerWarned {
            wave: to_wave(warned.wave)?,
            server: to_server_ix(warned.server)?,
            warning: warned.warning.into(),
        }),
    }
}

fn execution_moved(moved: stored::ExecutionMoved) -> Result<Change, FormatError> {
    Ok(Change::ExecutionMoved {
        to: enums::to_execution_state(moved.to)?,
        reason: to_reason(moved.reason)?,
    })
}

fn closing(decided: stored::ClosingDecided) -> Result<Change, FormatError> {
    Ok(Change::Closing {
        to: enums::to_closing(decided.to)?,
        reason: to_reason(decided.reason)?,
    })
}

fn wave_moved(moved: stored::WaveMoved) -> Result<Change, FormatError> {
    Ok(Change::WaveMoved {
        wave: to_wave(moved.wave)?,
        to: enums::to_wave_state(moved.to)?,
        reason: to_reason(moved.reason)?,
    })
}

fn servers_selected(selected: stored::ServersSelected) -> Result<Change, FormatError> {
    Ok(Change::ServersSelected {
        wave: to_wave(selected.wave)?,
        servers: to_selection(selected.servers)?,
    })
}

fn hook_started(started: stored::HookStarted) -> Result<Change, FormatError> {
    Ok(Change::HookStarted {
        wave: to_wave(started.wave)?,
        phase: enums::to_hook_phase(started.phase)?,
        hook: to_hook(started.hook)?,
        attempt: started.attempt,
    })
}

fn launch_intended(intended: stored::LaunchIntended) -> Result<Change, FormatError> {
    Ok(Change::LaunchIntended {
        wave: to_wave(intended.wave)?,
        target: to_target(intended.target)?,
        servers: to_servers(intended.servers)?,
    })
}

fn launch_queued(queued: stored::LaunchQueued) -> Result<Change, FormatError> {
    Ok(Change::LaunchQueued {
        wave: to_wave(queued.wave)?,
        target: to_target(queued.target)?,
        servers: to_servers(queued.servers)?,
    })
}

fn to_servers(servers: Vec<u32>) -> Result<Vec<ServerIx>, FormatError> {
    servers.into_iter().map(to_server_ix).collect()
}

fn launch_moved(moved: stored::LaunchMoved) -> Result<Change, FormatError> {
    Ok(Change::LaunchMoved {
        wave: to_wave(moved.wave)?,
        launch: to_launch(moved.launch)?,
        to: to_launch_state(moved.to)?,
        reason: to_reason(moved.reason)?,
    })
}

fn server_moved(moved: stored::ServerMoved) -> Result<Change, FormatError> {
    Ok(Change::ServerMoved {
        wave: to_wave(moved.wave)?,
        server: to_server_ix(moved.server)?,
        to: enums::to_server_state(moved.to)?,
        instance: moved.instance.map(InstanceId::new),
        reason: to_reason(moved.reason)?,
    })
}
