//! Changes as they are stored.

use tidegate_core::{
    HookIx, InstanceId, LaunchIx, OwnerId, ServerIx, Timestamp, WaveIx,
    engine::{
        Change, Closing, ExecutionState, LaunchState, Reason, SelectedServer, ServerState,
        WaveState,
    },
    plan::{HookPhase, Target},
};
use tidegate_proto::journal::v1::{self as stored, change::Change as Stored};

use super::{
    enums, from_hold, from_launch_state, from_reason, from_server, from_servers, from_target, hook,
};

/// Stores a change.
pub(super) fn from_change(change: &Change) -> stored::Change {
    let stored = match change {
        Change::ExecutionMoved { to, reason } => execution_moved(*to, reason),
        Change::OwnerChanged { epoch, owner } => owner_changed(*epoch, owner),
        Change::Closing { to, reason } => closing_decided(*to, reason),
        Change::HoldPlaced(hold) => Stored::HoldPlaced(from_hold(hold)),
        Change::HoldLifted(hold) => Stored::HoldLifted(from_hold(hold)),
        Change::WaveMoved { wave, to, reason } => wave_moved(*wave, *to, reason),
        Change::GateOpened { wave } => gate_opened(*wave),
        Change::SelectionStarted { wave } => selection_started(*wave),
        Change::ServersSelected { wave, servers } => servers_selected(*wave, servers),
        Change::HookStarted {
            wave,
            phase,
            hook,
            attempt,
        } => hook_started(*wave, *phase, *hook, *attempt),
        Change::HookEnded {
            wave,
            outcome,
            message,
            evidence,
        } => hook::ended(*wave, *outcome, message, evidence),
        Change::AttemptStarted { wave, attempt } => attempt_started(*wave, *attempt),
        Change::RetryScheduled { wave, at } => retry_scheduled(*wave, *at),
        Change::LaunchQueued {
            wave,
            target,
            servers,
        } => launch_queued(*wave, target, servers),
        Change::LaunchIntended {
            wave,
            target,
            servers,
        } => launch_intended(*wave, target, servers),
        Change::LaunchMoved {
            wave,
            launch,
            to,
            reason,
        } => launch_moved(*wave, *launch, to, reason),
        Change::ServerMoved {
            wave,
            server,
            to,
            instance,
            reason,
        } => server_moved(*wave, *server, *to, instance.as_ref(), reason),
        Change::ServerWarned {
            wave,
            server,
            warning,
        } => server_warned(*wave, *server, warning),
    };
    stored::Change {
        change: Some(stored),
    }
}

fn execution_moved(to: ExecutionState, reason: &Reason) -> Stored {
    Stored::ExecutionMoved(stored::ExecutionMoved {
        to: enums::from_execution_state(to),
        reason: from_reason(reason),
    })
}

fn owner_changed(epoch: u64, owner: &OwnerId) -> Stored {
    Stored::OwnerChanged(stored::OwnerChanged {
        epoch,
        owner: owner.as_str().to_owned(),
    })
}

fn closing_decided(to: Closing, reason: &Reason) -> Stored {
    Stored::ClosingDecided(stored::ClosingDecided {
        to: enums::from_closing(to),
        reason: from_reason(reason),
    })
}

fn wave_moved(wave: WaveIx, to: WaveState, reason: &Reason) -> Stored {
    Stored::WaveMoved(stored::WaveMoved {
        wave: wave.0.into(),
        to: enums::from_wave_state(to),
        reason: from_reason(reason),
    })
}

fn gate_opened(wave: WaveIx) -> Stored {
    Stored::GateOpened(stored::GateOpened {
        wave: wave.0.into(),
    })
}

fn selection_started(wave: WaveIx) -> Stored {
    Stored::SelectionStarted(stored::SelectionStarted {
        wave: wave.0.into(),
    })
}

fn servers_selected(wave: WaveIx, servers: &[SelectedServer]) -> Stored {
    Stored::ServersSelected(stored::ServersSelected {
        wave: wave.0.into(),
        servers: servers.iter().map(from_server).collect(),
    })
}

fn hook_started(wave: WaveIx, phase: HookPhase, hook: HookIx, attempt: u32) -> Stored {
    Stored::HookStarted(stored::HookStarted {
        wave: wave.0.into(),
        phase: enums::from_hook_phase(phase),
        hook: hook.0.into(),
        attempt,
    })
}

fn attempt_started(wave: WaveIx, attempt: u32) -> Stored {
    Stored::AttemptStarted(stored::AttemptStarted {
        wave: wave.0.into(),
        attempt,
    })
}

fn retry_scheduled(wave: WaveIx, at: Timestamp) -> Stored {
    Stored::RetryScheduled(stored::RetryScheduled {
        wave: wave.0.into(),
        at_ms: at.as_millis(),
    })
}

fn launch_queued(wave: WaveIx, target: &Target, servers: &[ServerIx]) -> Stored {
    Stored::LaunchQueued(stored::LaunchQueued {
        wave: wave.0.into(),
        target: from_target(target),
        servers: from_servers(servers),
    })
}

fn launch_intended(wave: WaveIx, target: &Target, servers: &[ServerIx]) -> Stored {
    Stored::LaunchIntended(stored::LaunchIntended {
        wave: wave.0.into(),
        target: from_target(target),
        servers: from_servers(servers),
    })
}

fn launch_moved(wave: WaveIx, launch: LaunchIx, to: &LaunchState, reason: &Reason) -> Stored {
    Stored::LaunchMoved(stored::LaunchMoved {
        wave: wave.0.into(),
        launch: launch.0.into(),
        reason: from_reason(reason),
        to: Some(from_launch_state(to)),
    })
}

fn server_moved(
    wave: WaveIx,
    server: ServerIx,
    to: ServerState,
    instance: Option<&InstanceId>,
    reason: &Reason,
) -> Stored {
    Stored::ServerMoved(stored::ServerMoved {
        wave: wave.0.into(),
        server: server.0.into(),
        to: enums::from_server_state(to),
        instance: instance.map(|instance| instance.as_str().to_owned()),
        reason: from_reason(reason),
    })
}

fn server_warned(wave: WaveIx, server: ServerIx, warning: &str) -> Stored {
    Stored::ServerWarned(stored::ServerWarned {
        wave: wave.0.into(),
        server: server.0.into(),
        warning: warning.to_owned(),
    })
}
