//! Launches that wait for their turn under the quotas of DRS. Whose turn it
//! is, is decided outside, over all executions; here is what a turn means.

use alloc::{format, sync::Arc, vec::Vec};

use super::{
    super::{Change, CommandId, LaunchState, Reason, ReasonCode, ServerState},
    Decision,
};
use crate::{LaunchIx, ServerIx, WaveIx};

impl Decision {
    /// It is a launch's turn: what is recorded here is the intent to ask DRS.
    pub(super) fn admitted(&mut self, command: CommandId) {
        let Some((wave, launch, attempt)) = self.queued(command) else {
            return;
        };
        let to = LaunchState::Asking { attempt };
        self.move_launch(wave, launch, to, Reason::none());
        for server in self.launch_servers(wave, launch) {
            if self.wave(wave).servers[server.index()].state != ServerState::Requested {
                self.move_server(wave, server, ServerState::Requested, None, Reason::none());
            }
        }
    }

    /// DRS takes fewer servers in one job here than the engine was told: the
    /// launch is queued anew, in parts.
    pub(super) fn too_large(&mut self, command: CommandId, most: u16) {
        let Some((wave, launch, _)) = self.queued(command) else {
            return;
        };
        let most = usize::from(most.max(1));
        let servers = self.launch_servers(wave, launch);
        if servers.len() <= most {
            return;
        }
        let text = format!("{} servers, {most} in one job", servers.len());
        let reason = Reason::with(ReasonCode::Quota, text);
        let target = Arc::clone(&self.wave(wave).launches[launch.index()].target);
        self.move_launch(wave, launch, LaunchState::Abandoned, reason.clone());
        for &server in &servers {
            if self.wave(wave).servers[server.index()].state == ServerState::Requested {
                self.move_server(wave, server, ServerState::Pending, None, reason.clone());
            }
        }
        for part in servers.chunks(most) {
            self.emit(Change::LaunchQueued {
                wave,
                target: Arc::clone(&target),
                servers: part.to_vec(),
            });
        }
    }

    /// A full quota is no failure: the launch waits for its next turn.
    pub(super) fn over_quota(
        &mut self,
        wave: WaveIx,
        launch: LaunchIx,
        attempt: u32,
        why: Arc<str>,
    ) {
        let attempt = attempt + 1;
        let reason = Reason::with(ReasonCode::Quota, why);
        self.give_back(wave, launch, LaunchState::Queued { attempt }, reason);
    }

    /// The launch that a command waits with, if it still does and may have its
    /// turn.
    fn queued(&self, command: CommandId) -> Option<(WaveIx, LaunchIx, u32)> {
        let CommandId::Admit {
            wave,
            launch,
            attempt,
        } = command
        else {
            return None;
        };
        let state = &self.known(wave)?.launch(launch)?.state;
        let waits = *state == LaunchState::Queued { attempt };
        (waits && self.next.offers()).then_some((wave, launch, attempt))
    }

    fn launch_servers(&self, wave: WaveIx, launch: LaunchIx) -> Vec<ServerIx> {
        let launch = self.wave(wave).launch(launch);
        launch.map_or_else(Vec::new, |launch| launch.servers.clone())
    }
}
