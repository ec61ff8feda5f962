//! Waves, servers and launches of an execution.

use tidegate_core::{
    LaunchIx, WaveIx,
    engine::{Execution, Launch, LaunchState, ServerRun, ServerState, Stage, WaveRun, WaveState},
    plan::{PlannedServer, Selection, Target, WavePlan},
};
use tidegate_proto::v1;

use super::{enums, hook, time::timestamp};

/// Every wave, in the plan's order.
pub(crate) fn waves(execution: &Execution) -> Vec<v1::Wave> {
    let positions = (0..=u16::MAX).map(WaveIx);
    positions
        .zip(execution.plan().waves())
        .map(|(ix, planned)| wave(execution, ix, planned))
        .collect()
}

fn wave(execution: &Execution, ix: WaveIx, planned: &WavePlan) -> v1::Wave {
    let run = execution.wave(ix);
    let after = planned
        .after
        .iter()
        .map(|&before| execution.plan().wave(before));
    v1::Wave {
        name: planned.name.to_string(),
        after: after.map(|before| before.name.to_string()).collect(),
        state: enums::wave_state(run.state()).into(),
        detail: detail(run),
        attempt: run.attempt(),
        start_time: run.started_at().map(timestamp),
        end_time: run.ended_at().map(timestamp),
        servers: servers(execution, ix, planned),
        launches: (0..=u16::MAX)
            .map(LaunchIx)
            .zip(run.launches())
            .map(|(launch_ix, it)| launch(execution, ix, launch_ix, it))
            .collect(),
        hook_runs: run
            .hooks()
            .iter()
            .map(|it| hook::run(planned, it))
            .collect(),
        retry_time: retry_time(run),
    }
}

/// Why a wave is as it is; where its state needs no reason, what it is at.
pub(crate) fn detail(run: &WaveRun) -> String {
    let reason = run.reason().to_string();
    match run.stage() {
        Stage::Selecting => "selecting servers".to_owned(),
        Stage::Attempt if reason.is_empty() => format!("attempt {}", run.attempt()),
        Stage::Idle if run.state() == WaveState::Gated && run.is_gate_open() => "opened".to_owned(),
        Stage::Attempt | Stage::Idle | Stage::Hook(_) | Stage::Backoff { .. } => reason,
    }
}

/// When the failed servers of a wave are asked for again, if that is due.
pub(crate) fn retry_time(run: &WaveRun) -> Option<prost_types::Timestamp> {
    match run.stage() {
        Stage::Backoff { at } => Some(timestamp(at)),
        Stage::Idle | Stage::Selecting | Stage::Hook(_) | Stage::Attempt => None,
    }
}

/// A wave's servers: as they run, or before they are selected, those that the
/// plan names by id.
pub(crate) fn servers(execution: &Execution, ix: WaveIx, planned: &WavePlan) -> Vec<v1::Server> {
    let run = execution.wave(ix);
    if run.is_selected() {
        return run.servers().iter().map(|it| server(run, it)).collect();
    }
    let state = enums::server_state(unselected(execution, run));
    let named = planned.groups.iter().flat_map(|group| {
        let servers: &[PlannedServer] = match &group.selection {
            Selection::Servers(servers) => servers,
            Selection::Tags { .. } => &[],
        };
        servers.iter().map(|it| (&group.target, it))
    });
    named
        .map(|(place, it)| v1::Server {
            id: it.id.to_string(),
            target: Some(target(place)),
            optional: it.optional,
            state: state.into(),
            ..v1::Server::default()
        })
        .collect()
}

/// Where the servers of a wave stand that were never selected: nobody asks
/// for them any more once the wave is not wanted or the execution is over.
pub(crate) fn unselected(execution: &Execution, run: &WaveRun) -> ServerState {
    let unwanted = matches!(run.state(), WaveState::Skipped | WaveState::Cancelled);
    if unwanted || execution.state().is_terminal() {
        ServerState::Skipped
    } else {
        ServerState::Pending
    }
}

/// A selected server.
pub(crate) fn server(run: &WaveRun, it: &ServerRun) -> v1::Server {
    v1::Server {
        id: it.selected.id.to_string(),
        hostname: it.selected.hostname.to_string(),
        target: Some(target(&it.selected.target)),
        optional: it.selected.optional,
        state: enums::server_state(it.state).into(),
        detail: it.reason.to_string(),
        job_id: run.job_of(it).map(ToString::to_string).unwrap_or_default(),
        recovery_instance_id: it
            .instance
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        warnings: it.warnings.iter().map(ToString::to_string).collect(),
        state_time: Some(timestamp(it.state_at)),
    }
}

/// A launch.
pub(crate) fn launch(
    execution: &Execution,
    wave: WaveIx,
    ix: LaunchIx,
    launch: &Launch,
) -> v1::Launch {
    let run = execution.wave(wave);
    let ids = launch
        .servers
        .iter()
        .filter_map(|server| run.servers().get(server.index()));
    v1::Launch {
        key: execution.launch_key(wave, ix),
        attempt: launch.attempt,
        target: Some(target(&launch.target)),
        servers: ids.map(|server| server.selected.id.to_string()).collect(),
        state: enums::launch_state(&launch.state).into(),
        detail: launch.reason.to_string(),
        job_id: launch
            .state
            .job()
            .map(ToString::to_string)
            .unwrap_or_default(),
        start_time: Some(timestamp(launch.intended_at)),
        retry_time: match launch.state {
            LaunchState::Deferred { until, .. } => Some(timestamp(until)),
            LaunchState::Queued { .. }
            | LaunchState::Asking { .. }
            | LaunchState::Reconciling { .. }
            | LaunchState::Running { .. }
            | LaunchState::Ended { .. }
            | LaunchState::Refused
            | LaunchState::Abandoned => None,
        },
    }
}

/// A target.
pub(crate) fn target(target: &Target) -> v1::Target {
    v1::Target {
        account: target.account.clone(),
        region: target.region.clone(),
        role_arn: target.role.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::engine::{Change, ExecutionState, Reason};

    use super::*;
    use crate::grpc::fixtures;

    fn web_after(change: Change) -> Vec<v1::ServerState> {
        let view = fixtures::view_after(&[change]);
        let shown = waves(&view.execution);
        shown[1].servers.iter().map(v1::Server::state).collect()
    }

    #[test]
    fn servers_that_nobody_asks_for_any_more_are_skipped() {
        let moved = |to| Change::WaveMoved {
            wave: WaveIx(1),
            to,
            reason: Reason::none(),
        };
        let over = |to| Change::ExecutionMoved {
            to,
            reason: Reason::none(),
        };
        for unwanted in [
            moved(WaveState::Skipped),
            moved(WaveState::Cancelled),
            over(ExecutionState::Failed),
        ] {
            assert_eq!(web_after(unwanted), [v1::ServerState::Skipped; 2]);
        }
        for awaited in [
            moved(WaveState::Gated),
            moved(WaveState::Failed),
            over(ExecutionState::Paused),
        ] {
            assert_eq!(web_after(awaited), [v1::ServerState::Pending; 2]);
        }
    }
}
