//! What DRS says of a job and its servers.

use alloc::{sync::Arc, vec::Vec};

use super::{
    super::{
        Change, JobReport, Kind, LaunchState, Reason, ReasonCode, ServerReport, ServerRun,
        ServerState,
    },
    Decision,
};
use crate::{InstanceId, LaunchIx, ServerIx, WaveIx};

impl Decision {
    pub(super) fn job_observed(&mut self, wave: WaveIx, launch: LaunchIx, report: &JobReport) {
        let Some(run) = self.known(wave).and_then(|run| run.launch(launch)) else {
            return;
        };
        match &run.state {
            LaunchState::Running { job } if *job == report.job => {}
            LaunchState::Running { .. }
            | LaunchState::Queued { .. }
            | LaunchState::Asking { .. }
            | LaunchState::Reconciling { .. }
            | LaunchState::Deferred { .. }
            | LaunchState::Ended { .. }
            | LaunchState::Refused
            | LaunchState::Abandoned => return,
        }
        for server in &report.servers {
            self.server_observed(wave, launch, server);
        }
        if report.ended {
            let job = report.job.clone();
            self.move_launch(wave, launch, LaunchState::Ended { job }, Reason::none());
            // COMPLETED says only that the job ended: a server without a
            // result by now will get none.
            for server in self.unsettled_servers(wave, launch) {
                let reason = Reason::of(ReasonCode::JobEndedEarly);
                self.move_server(wave, server, ServerState::Failed, None, reason);
            }
        }
    }

    fn server_observed(&mut self, wave: WaveIx, launch: LaunchIx, report: &ServerReport) {
        let found = self
            .wave(wave)
            .numbered_servers()
            .find(|(_, run)| run.selected.id == report.server && run.launch == Some(launch));
        let Some((server, run)) = found else {
            return;
        };
        let fresh: Vec<Arc<str>> = report
            .warnings
            .iter()
            .filter(|warning| !run.warnings.contains(warning))
            .cloned()
            .collect();
        let state = meaning(self.next.kind(), report.state);
        let moves = is_news(run, state, report.instance.as_ref());
        for warning in fresh {
            self.emit(Change::ServerWarned {
                wave,
                server,
                warning,
            });
        }
        if moves {
            let reason = if report.detail.is_empty() {
                Reason::none()
            } else {
                Reason::with(ReasonCode::Drs, Arc::clone(&report.detail))
            };
            self.move_server(wave, server, state, report.instance.clone(), reason);
        }
    }

    /// Servers of a launch for which something is still expected.
    pub(super) fn unsettled_servers(&self, wave: WaveIx, launch: LaunchIx) -> Vec<ServerIx> {
        self.wave(wave)
            .numbered_servers()
            .filter(|(_, run)| run.launch == Some(launch) && !run.state.is_settled())
            .map(|(ix, _)| ix)
            .collect()
    }
}

/// An instance that is gone again was not recovered, and one that is there
/// was not terminated.
fn meaning(kind: Kind, state: ServerState) -> ServerState {
    match (kind, state) {
        (Kind::Drill | Kind::Recovery, ServerState::Terminated) => ServerState::Failed,
        (Kind::Cleanup, ServerState::Launched) => ServerState::Launch,
        (Kind::Drill | Kind::Recovery | Kind::Cleanup, state) => state,
    }
}

/// Servers only move forward. A server that was given up as too late may
/// still turn out to be launched, and one that is launched may get to know
/// its instance.
fn is_news(run: &ServerRun, to: ServerState, instance: Option<&InstanceId>) -> bool {
    let from = run.state;
    let late = run.reason.code == ReasonCode::Timeout
        && matches!(to, ServerState::Launched | ServerState::Terminated);
    let instance = instance.is_some() && run.instance.as_ref() != instance;
    match from {
        ServerState::Failed => late,
        ServerState::Launched | ServerState::Terminated => from == to && instance,
        ServerState::Skipped => false,
        ServerState::Pending
        | ServerState::Requested
        | ServerState::Snapshot
        | ServerState::Conversion
        | ServerState::Launch => to > from && to != ServerState::Skipped,
    }
}
